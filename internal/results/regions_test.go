package results_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestRegions: each of three regions keeps a ledger of the units that are at home
// there. Their moments, added cell by cell, are those of one ledger that read every
// event, and give the same document to the byte, although each log has an order and
// duplicates of its own.
func TestRegions(t *testing.T) {
	const regions = 3
	v, e := ramp()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a world to be had again
	events := world(t, r)
	whole := ledgerOf(v, shuffled(r, events))
	added := map[ingest.Cell]results.Sums{}
	for region := range uint64(regions) {
		var home []ingest.Event
		for _, x := range events {
			if x.Unit.Lo%regions == region {
				home = append(home, x)
			}
		}
		for cell, sums := range ledgerOf(v, shuffled(r, home)) {
			added[cell] = added[cell].Plus(sums)
		}
	}
	if len(added) != len(whole) || len(whole) < 20 {
		t.Errorf("%d cells in the regions, %d in one ledger", len(added), len(whole))
	}
	for cell, sums := range whole {
		if !added[cell].Equal(sums) {
			t.Errorf("%+v: the regions give %+v, one ledger %+v", cell, added[cell], sums)
		}
	}
	one, many := documentOf(t, v, e, whole), documentOf(t, v, e, added)
	if diff := cmp.Diff(one, many); diff != "" {
		t.Errorf("the document (-one ledger +regions):\n%s", diff)
	}
	var d results.Document
	if err := json.Unmarshal([]byte(many), &d); err != nil || len(d.Comparisons) == 0 {
		t.Errorf("the document compares nothing: %v", err)
	}
}

// world are the events of units that are exposed in both phases, some in two
// variants, with outcomes of both metrics, some before the exposure and some too late.
func world(t *testing.T, r *rand.Rand) []ingest.Event {
	t.Helper()
	var out []ingest.Event
	add := func(e ingest.Event, unit uint64, at time.Duration) {
		e.ID, e.T, e.Unit, e.UnitKind = strconv.Itoa(len(out)), noon().Add(at).UnixMilli(), ingest.Unit{Hi: 1, Lo: unit}, "user"
		out = append(out, e)
	}
	outcome := func(name, value string) ingest.Event {
		parsed, err := ingest.ParseValue(value)
		if err != nil {
			t.Fatal(err)
		}
		return ingest.Event{Type: ingest.Outcome, Name: name, Value: parsed}
	}
	variants := []string{"control", "treatment"}
	for unit := range uint64(3000) {
		at := time.Duration(r.IntN(120)) * time.Minute
		variant := variants[r.IntN(2)]
		add(ingest.Event{Type: ingest.Exposure, Experiment: "ramp", Variant: variant}, unit, at)
		if r.IntN(50) == 0 {
			add(ingest.Event{Type: ingest.Exposure, Experiment: "ramp", Variant: variants[r.IntN(2)]}, unit, at+time.Minute)
		}
		for range r.IntN(4) {
			add(outcome("purchase", strconv.FormatFloat(r.Float64()*100, 'f', 2, 64)), unit, at+time.Duration(r.IntN(300)-30)*time.Minute)
		}
		if r.IntN(10) == 0 {
			add(outcome("error", "1"), unit, at+time.Duration(r.IntN(20))*time.Minute)
		}
	}
	return out
}

// shuffled is a log of the events: in an order of its own, every twentieth twice.
func shuffled(r *rand.Rand, events []ingest.Event) []ingest.Event {
	log := append([]ingest.Event(nil), events...)
	for i := 0; i < len(events); i += 20 {
		log = append(log, events[i])
	}
	r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	for i := range log {
		log[i].Place.Offset = int64(i)
	}
	return log
}

// ledgerOf joins a log and adds up its deltas.
func ledgerOf(v *experiment.Version, log []ingest.Event) map[ingest.Cell]results.Sums {
	joiner := ingest.NewJoiner([]string{"events"}, v)
	for i := range log {
		joiner.Add(&log[i])
	}
	out := map[ingest.Cell]results.Sums{}
	for _, row := range joiner.Take() {
		sums := results.NewSums()
		sums.Add(results.Sums{N: row.N, NonZero: row.NonZero, Over: row.Over, Sum: row.Sum.Big(), SumSquares: row.SumSquares.Big()})
		out[row.Cell] = out[row.Cell].Plus(sums)
	}
	return out
}

// documentOf computes what a ledger with these cells gives, as JSON.
func documentOf(t *testing.T, v *experiment.Version, e *experiment.Experiment, cells map[ingest.Cell]results.Sums) string {
	t.Helper()
	m, whole := moments(), map[ingest.Cell]results.Sums{}
	for c, sums := range cells { // of all slots, as a query gives them
		c.Slot = 0
		whole[c] = whole[c].Plus(sums)
	}
	for c, sums := range whole {
		m.Cells = append(m.Cells, results.Cell{
			Experiment: c.Experiment, Iteration: c.Iteration, Phase: c.Phase, Settling: c.Settling, Variant: c.Variant, Metric: c.Metric,
			Dimension: c.Dimension, Value: c.Value, Open: sums, Matured: sums, Newest: noon().Add(2 * time.Hour),
		})
	}
	d := results.Compute(v, e, 2, m, statuses(), noon().Add(2*time.Hour), results.Options{Code: "test", Kind: results.KindFull})
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
