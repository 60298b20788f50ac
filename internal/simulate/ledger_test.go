package simulate

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
)

func newDecoder() *ingest.Decoder { return ingest.NewDecoder(ingest.Key{1}, []string{DemoAttribute}) }

// arrival is a delivery that was decoded once, for many looks.
type arrival struct {
	at    time.Time
	event ingest.Event
	dead  bool
}

func arrivals(records []Delivery) []arrival {
	decoder, out := newDecoder(), make([]arrival, len(records))
	for i, d := range records {
		e, _, ok := decoder.Decode(ingest.Record{KafkaT: d.At.UnixMilli(), Value: d.Value})
		out[i] = arrival{d.At, e, !ok}
	}
	return out
}

func decode(d Delivery) (ingest.Event, bool) {
	e, _, ok := newDecoder().Decode(ingest.Record{KafkaT: d.At.UnixMilli(), Value: d.Value})
	return e, ok
}

// ledger is the plainest join there is, over everything that had arrived: first
// exposures, crossovers out, outcomes of ten seconds.
type ledger struct {
	exposed    map[arm]int  // units
	events     map[cell]int // events
	units      map[cell]int // units with any
	crossovers map[string]int
	duplicates int
	dead       int
}

type arm struct{ experiment, variant string }

type cell struct{ experiment, variant, event string }

const window = 10_000 // milliseconds

// read joins what arrived until a time.
func read(records []arrival, until time.Time) ledger {
	l := ledger{exposed: map[arm]int{}, events: map[cell]int{}, units: map[cell]int{}, crossovers: map[string]int{}}
	seen := map[string]bool{}
	var outcomes []ingest.Event
	exposures := map[ingest.Unit][]ingest.Event{}
	for _, d := range records {
		e := d.event
		switch {
		case d.at.After(until):
			continue
		case d.dead:
			l.dead++
		case seen[e.ID]:
			l.duplicates++
		case e.Type == ingest.Exposure:
			exposures[e.Unit] = append(exposures[e.Unit], e)
		default:
			outcomes = append(outcomes, e)
		}
		if !d.dead {
			seen[e.ID] = true
		}
	}
	firsts := l.firsts(exposures)
	type pair struct {
		unit  ingest.Unit
		event string
	}
	met := map[pair]bool{}
	for _, e := range outcomes {
		first, ok := firsts[e.Unit]
		if !ok || e.T < first.T || e.T > first.T+window {
			continue
		}
		c := cell{first.Experiment, first.Variant, e.Name}
		l.events[c]++
		if p := (pair{e.Unit, e.Name}); !met[p] {
			met[p] = true
			l.units[c]++
		}
	}
	return l
}

// firsts finds the first exposure of every unit and counts the units, those who
// saw both variants aside.
func (l *ledger) firsts(exposures map[ingest.Unit][]ingest.Event) map[ingest.Unit]ingest.Event {
	out := map[ingest.Unit]ingest.Event{}
	for unit, list := range exposures {
		first := slices.MinFunc(list, func(a, b ingest.Event) int { return cmp.Compare(a.T, b.T) })
		if slices.ContainsFunc(list, func(e ingest.Event) bool { return e.Variant != first.Variant }) {
			l.crossovers[first.Experiment]++
			continue
		}
		out[unit] = first
		l.exposed[arm{first.Experiment, first.Variant}]++
	}
	return out
}
