package guardrails_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// evidence is that of a mean which rose from 10.00 to 12.00, in cents.
func evidence(t *testing.T) guardrails.Evidence {
	t.Helper()
	start := begin()
	cell := func(variant, sum, squares string) results.CellSums {
		e := results.Exact{N: 1000, NonZero: 1000, Sum: sum, SumSquares: squares}
		return results.CellSums{Phase: 1, Variant: variant, Metric: "latency", Decimals: 2, Open: e, Matured: e}
	}
	d := &results.Document{
		At: start.Add(time.Hour), Freshness: start.Add(time.Hour), Newest: start.Add(time.Hour), EnrolUntil: start.Add(48 * time.Hour),
		Vector: map[uint16]uint64{0: 7, 1: 9},
		Phases: []results.Phase{{Number: 1, From: start, Arms: []results.PhaseArm{{Variant: "control", Share: .5, Units: 1000}, {Variant: "treatment", Share: .5, Units: 1000}}}},
		Cells:  []results.CellSums{cell("control", "1000000", "1090000000"), cell("treatment", "1200000", "1530000000")},
	}
	r := guardrails.Rule{
		Experiment: "e", Iteration: 1, Metric: "latency", Arm: "treatment", Control: "control", Direction: experiment.Decrease,
		Margin: .05, Relative: true, Mode: experiment.Kill, AlphaKill: .025, Alpha: .05, PlannedUnits: 10000, TreatmentShare: .5,
		Start: start, End: start.Add(72 * time.Hour), Stall: time.Minute, Silence: 10 * time.Minute,
	}
	o := guardrails.Observe(d, r, nil)
	_, v := guardrails.Step(r, guardrails.State{}, o)
	if v.Act != guardrails.DoKill {
		t.Fatalf("the verdict is %s (%s), %s", v.Kind, v.Reason, v.Text)
	}
	return guardrails.NewEvidence(d, guardrails.State{}, o, v)
}

// replay stores the evidence as the decision log does and decides again.
func replay(t *testing.T, kind guardrails.EntryKind, evidence any) guardrails.Replayed {
	t.Helper()
	b, err := json.Marshal(evidence)
	if err != nil {
		t.Fatal(err)
	}
	r, err := guardrails.Entry{Seq: 4, Kind: kind, Evidence: b}.Replay()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unmatured is the evidence of a look at which no window had passed: the bound of
// harmlessness is infinite then, and in the log it is null.
func unmatured(e *guardrails.Evidence) {
	for i := range e.Cells {
		e.Cells[i].Matured = results.Exact{Sum: "0", SumSquares: "0"}
	}
	for i := range e.Observation.Matured {
		s := &e.Observation.Matured[i]
		s.Treatment, s.Control = stats.Moments{}, stats.Moments{}
	}
	_, e.Verdict = guardrails.Step(e.Rule, e.State, e.Observation)
}

func fields(r guardrails.Replayed) []string {
	var names []string
	for _, d := range r.Differences {
		names = append(names, d.Field)
	}
	return names
}

// TestReplay: what differs is named, integers to the last one, other numbers in 12
// digits.
func TestReplay(t *testing.T) {
	tests := map[string]struct {
		change func(*guardrails.Evidence)
		want   []string // these fields at least; none: the same
	}{
		"nothing":                       {func(*guardrails.Evidence) {}, nil},
		"bounds that are null":          {func(e *guardrails.Evidence) { unmatured(e) }, nil},
		"a bound that was null":         {func(e *guardrails.Evidence) { e.Verdict.Safe.Bound = results.Number(math.NaN()) }, []string{"verdict.safe.bound"}},
		"evidence without sums":         {func(e *guardrails.Evidence) { e.Cells = nil }, nil},
		"a sum by one":                  {func(e *guardrails.Evidence) { e.Cells[1].Open.Sum = "1200001" }, []string{"open[0].treatment.Mean", "verdict.harm.z", "verdict.harm.means[0]"}},
		"a count by one":                {func(e *guardrails.Evidence) { e.Observation.Open[0].Control.NonZero++ }, []string{"open[0].control.NonZero"}},
		"the 12th digit":                {func(e *guardrails.Evidence) { e.Verdict.Harm.Z *= 1 + 4e-12 }, []string{"verdict.harm.z"}},
		"the 14th digit":                {func(e *guardrails.Evidence) { e.Verdict.Harm.Z *= 1 + 4e-14 }, nil},
		"the margin":                    {func(e *guardrails.Evidence) { e.Rule.Margin = .5 }, []string{"verdict.rule.margin", "verdict.verdict", "verdict.reason", "verdict.act", "verdict.harm.reject", "verdict.latch"}},
		"what was said":                 {func(e *guardrails.Evidence) { e.Verdict.Kind = guardrails.Healthy }, []string{"verdict.verdict"}},
		"how it was worded":             {func(e *guardrails.Evidence) { e.Verdict.Text = "slower" }, nil},
		"the time of the look":          {func(e *guardrails.Evidence) { e.Observation.At = e.Observation.At.Add(time.Millisecond) }, []string{"verdict.at", "verdict.latch.at"}},
		"a latch that stood before":     {func(e *guardrails.Evidence) { e.State.Latch = &guardrails.Latch{Act: guardrails.DoKill} }, []string{"verdict.reason", "verdict.act"}},
		"a stratum that was not looked": {func(e *guardrails.Evidence) { e.Observation.Matured = nil }, []string{"verdict.safe.units[0]", "verdict.safe.estimate"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := evidence(t)
			test.change(&e)
			r := replay(t, guardrails.Decided, e)
			got := fields(r)
			if r.Same() != (test.want == nil) {
				t.Errorf("differences %v", got)
			}
			for _, field := range test.want {
				if !slices.Contains(got, field) {
					t.Errorf("%s is not among the differences %v", field, got)
				}
			}
		})
	}
}

// TestReplaySaysWhatDiffers: both values are given in full.
func TestReplaySaysWhatDiffers(t *testing.T) {
	e := evidence(t)
	e.Verdict.Harm.Units[1] = 999
	want := []guardrails.Difference{{Field: "verdict.harm.units[1]", Was: "999", Is: "1000"}}
	if diff := cmp.Diff(want, replay(t, guardrails.Held, e).Differences); diff != "" {
		t.Error(diff)
	}
}

// TestReplaySplit: a sample-ratio alarm is decided again from its units.
func TestReplaySplit(t *testing.T) {
	s := stats.SampleRatio([]int64{1000, 1500}, []float64{.5, .5})
	p := results.Phase{Number: 1, Arms: []results.PhaseArm{{Share: .5, Units: 990, Excluded: 10}, {Share: .5, Units: 1500}},
		SRM: results.SRM{P: results.Number(s.P), LogBF: results.Number(s.LogBF), ChiSquare: results.Number(s.ChiSquare),
			ChiSquareP: results.Number(s.ChiSquareP), Threshold: .005, Alarm: true}}
	if r := replay(t, guardrails.SRMAlarm, p); !r.Same() {
		t.Errorf("differences %v", r.Differences)
	}
	p.Arms[1].Units = 1010
	if got := fields(replay(t, guardrails.SRMAlarm, p)); !slices.Contains(got, "p") || !slices.Contains(got, "alarm") {
		t.Errorf("with other units: differences %v, want p and the alarm among them", got)
	}
}

func TestReplayNeedsEvidence(t *testing.T) {
	for _, e := range []guardrails.Entry{{Kind: guardrails.Decided}, {Kind: guardrails.Verified, Evidence: json.RawMessage(`{}`)}} {
		if _, err := e.Replay(); !errors.Is(err, guardrails.ErrNoEvidence) {
			t.Errorf("%s: %v", e.Kind, err)
		}
	}
}
