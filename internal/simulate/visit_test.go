package simulate

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
)

// day sends so many visitors of a story through its flag (or none, when off)
// and returns what arrives, second visits included.
func day(seed uint64, s *Story, visitors int, on bool) []Delivery {
	flag := s.Flag()
	var out []Delivery
	for i := range visitors {
		v := Visitor{Unit: fmt.Sprintf("d%d-u%d", seed, i), Story: s, Number: uint64(i)}
		at := noon.Add(time.Duration(float64(i) / s.Rate * float64(time.Second)))
		variant := ""
		if on {
			variant = flag.Assign(v.Unit)
		}
		records, again, back := Visit(seed, v, variant, at)
		out = append(out, records...)
		if !back.IsZero() {
			records, _, third := Visit(seed, again, variant, back)
			out = append(out, records...)
			if !third.IsZero() {
				panic("a visitor came a third time")
			}
		}
	}
	return out
}

func TestVisitIsAFunctionOfItsArguments(t *testing.T) {
	s := harmful()
	if diff := cmp.Diff(day(1, &s, 100, true), day(1, &s, 100, true)); diff != "" {
		t.Errorf("the same day differs:\n%s", diff)
	}
	if cmp.Equal(day(1, &s, 100, true), day(2, &s, 100, true)) {
		t.Error("two seeds gave the same day")
	}
}

// TestVisitorsDoWhatTheStorySays compares the share of units with each event,
// or the events per unit, with the habits, within four standard deviations.
func TestVisitorsDoWhatTheStorySays(t *testing.T) {
	const visitors = 20_000
	for _, s := range DemoStories() {
		l := read(arrivals(day(3, &s, visitors, true)), noon.Add(time.Hour))
		for _, a := range s.Arms {
			units := float64(l.exposed[arm{s.Key, a.Variant}])
			expected := visitors / 2 * (1 - a.Lost)
			if math.Abs(units-expected) > 4*math.Sqrt(visitors/4) {
				t.Errorf("%s/%s: %v units exposed, want about %v", s.Key, a.Variant, units, expected)
			}
			for _, h := range a.Habits {
				got := l.events[cell{s.Key, a.Variant, h.Event}]
				tries := units * float64(max(h.Tries, 1))
				want, deviation := tries*h.Chance, math.Sqrt(tries*h.Chance*(1-h.Chance))
				if math.Abs(float64(got)-want) > 4*deviation {
					t.Errorf("%s/%s: %d × %s, want %.0f ± %.0f", s.Key, a.Variant, got, h.Event, want, 4*deviation)
				}
			}
		}
	}
}

// TestOffMeansNoExposures: users of a flag that is off behave like control and
// are not exposed.
func TestOffMeansNoExposures(t *testing.T) {
	const visitors = 10_000
	s := harmful()
	records := day(4, &s, visitors, false)
	failed := 0
	for _, d := range records {
		if d.Topic == Exposures {
			t.Fatalf("an exposure while the flag is off: %s", d.Value)
		}
		if e, ok := decode(d); ok && e.Name == "error" {
			failed++
		}
	}
	// 3 % fail, and 1 % of the records come twice.
	if want := 0.03 * 1.01 * visitors; math.Abs(float64(failed)-want) > 4*math.Sqrt(want) {
		t.Errorf("%d of %d visitors met an error, want about %.0f", failed, visitors, want)
	}
}

// TestTheWorldIsUntidy: every disorder that the demo is to show does happen, in
// about the proportion that it should.
func TestTheWorldIsUntidy(t *testing.T) {
	const visitors = 15_000
	s := winner()
	records := day(5, &s, visitors, true)
	l := read(arrivals(records), noon.Add(time.Hour))
	late := 0
	for _, d := range records {
		if e, ok := decode(d); ok && d.At.UnixMilli()-e.T >= 1000 {
			late++
		}
	}
	about := func(what string, got int, want float64) {
		t.Helper()
		if math.Abs(float64(got)-want) > 5*math.Sqrt(want) {
			t.Errorf("%d %s, want about %.0f", got, what, want)
		}
	}
	about("records twice", l.duplicates, resent*float64(len(records)))
	about("dead records", l.dead, malforming*visitors)
	about("crossovers", l.crossovers[s.Key], crossing*visitors)
	// Those resent after a second or more are late too: 1000 of 1801 ms.
	about("late records", late, (delayed+resent*0.6)*float64(len(records)))
}

func TestGarbledRecordsAreDeadForDifferentReasons(t *testing.T) {
	want := []ingest.Reason{ingest.BadJSON, ingest.MissingField, ingest.BadTime, ingest.BadValue, ingest.NoType}
	for i, value := range garbled("x", noon, "u1") {
		_, why, ok := newDecoder().Decode(ingest.Record{KafkaT: noon.UnixMilli(), Value: value})
		if ok || why.Reason != want[i] {
			t.Errorf("%s: decoded %v, %+v; want %s", value, ok, why, want[i])
		}
	}
}
