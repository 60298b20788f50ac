package catalog

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/results"
)

// wide is a document of many metrics, arms and segments, with something in every field
// that a row does not need.
func wide() *results.Document {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	effect := results.Effect{Estimate: .1, StdError: .01, FixedP: .2, SequentialP: .3,
		Fixed: results.Interval{Low: .08, High: .12}, Sequential: results.Interval{Low: .05, High: results.Number(math.NaN())}}
	arm := results.Arm{Units: 12345, NonZero: 678, Mean: .055}
	estimate := results.Estimate{Treatment: arm, Control: arm, Absolute: effect, Relative: effect, Warnings: []results.Doubt{{Code: "few", Text: "few events"}}}
	d := &results.Document{
		Experiment: "wide", Iteration: 2, Iterations: 3, Version: 7, Kind: results.KindFull, At: at, Freshness: at, Vector: map[uint16]uint64{0: 12, 3: 4}, Control: "control",
		Budget: results.Budget{Alpha: .05}, Crossovers: []results.Crossover{{First: "a", Other: "b", Units: 3}}, Seen: []results.Seen{{}}, Beliefs: &results.Beliefs{},
		Days: []results.Days{{}}, Plan: []results.Plan{{For: results.PlanInterval, Method: "welch", Why: "so"}},
		Verdicts: []results.Verdict{{Metric: "m0", Arm: "b", Verdict: "healthy", Margin: .02}},
		Phases:   []results.Phase{{Number: 1, From: at, SRM: results.SRM{P: .7}, Arms: []results.PhaseArm{{Variant: "control", Units: 9}}, SRMBy: []results.SRMBy{{Dimension: "country", Value: "DE"}}}},
	}
	for i := range 20 {
		c := results.Comparison{Metric: fmt.Sprint("m", i), Arm: "b", Kind: "mean", Goal: i < 5, Open: estimate, Matured: estimate}
		for range 3 {
			s := results.Segmentation{Dimension: "country"}
			for k := range 10 {
				s.Segments = append(s.Segments, results.Segment{Value: fmt.Sprint("v", k), Treatment: arm, Control: arm, Absolute: effect, Relative: effect})
			}
			c.Segments = append(c.Segments, s)
		}
		d.Comparisons = append(d.Comparisons, c)
		for range 62 {
			d.Cells = append(d.Cells, results.CellSums{Phase: 1, Variant: "b", Metric: c.Metric, Open: results.Exact{N: 12345, Sum: "123456789", SumSquares: "12345678901234"}})
		}
	}
	return d
}

func encoded(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(wide())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// slim takes from a whole document what a row does not need.
func slim(d *results.Document) *results.Document {
	out := *d
	out.Cells, out.Plan, out.Days, out.Beliefs, out.Seen, out.Crossovers = nil, nil, nil, nil, nil, nil
	out.Budget = results.Budget{}
	out.Comparisons = make([]results.Comparison, len(d.Comparisons))
	for i, c := range d.Comparisons {
		c.Segments = nil
		out.Comparisons[i] = c
	}
	out.Phases = make([]results.Phase, len(d.Phases))
	for i, p := range d.Phases {
		p.SRMBy = nil
		out.Phases[i] = p
	}
	return &out
}

// TestDecodeSlim: what is passed over while reading is what slim takes away, no more and
// no less.
func TestDecodeSlim(t *testing.T) {
	body := encoded(t)
	var whole results.Document
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatal(err)
	}
	got, err := DecodeSlim(body)
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b results.Number) bool { return a == b || !a.Known() && !b.Known() })
	if diff := cmp.Diff(slim(&whole), got, same); diff != "" {
		t.Errorf("(-slim +decoded)\n%s", diff)
	}
	if len(got.Comparisons) != 20 || got.Comparisons[3].Open.Treatment.Units != 12345 || got.Phases[0].SRM.P != .7 {
		t.Errorf("it lacks numbers: %+v", got)
	}
	if _, err := DecodeSlim(body[:len(body)/2]); err == nil {
		t.Error("half a document was decoded")
	}
}

// BenchmarkDecode is the whole document, BenchmarkDecodeSlim what the list needs of it.
func BenchmarkDecode(b *testing.B) {
	body := encoded(b)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		var d results.Document
		if err := json.Unmarshal(body, &d); err != nil {
			b.Fatal(err)
		}
		slim(&d)
	}
}

func BenchmarkDecodeSlim(b *testing.B) {
	body := encoded(b)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := DecodeSlim(body); err != nil {
			b.Fatal(err)
		}
	}
}
