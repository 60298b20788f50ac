package guardrails_test

import (
	"math"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

func threeArms() (*experiment.Experiment, *experiment.Iteration) {
	e := &experiment.Experiment{
		Key: "e", Control: "c", Alpha: .05, AlphaKill: .05,
		Variants: []experiment.Variant{{Key: "a", Share: .2}, {Key: "c", Share: .6}, {Key: "b", Share: .2}},
		Guardrails: []experiment.Guardrail{
			{Metric: "errors", Mode: experiment.Kill}, {Metric: "latency", Mode: experiment.Observe}, {Metric: "new", Mode: experiment.Kill},
		},
		Iterations: []experiment.Iteration{{
			Number: 3, Start: begin(), End: begin().Add(time.Hour), AlphaKill: .04,
			Phases: []experiment.Phase{{Number: 1, From: begin(), Shares: []float64{.2, .6, .2}}},
			Metrics: []experiment.Metric{
				{Name: "errors", Direction: experiment.Decrease, Kind: experiment.Proportion},
				{Name: "latency", Direction: experiment.Decrease, Kind: experiment.Mean},
				{Name: "new", Direction: experiment.Decrease, Kind: experiment.Mean},
			},
			KillGuardrails: []string{"errors", "latency"}, KillRules: 4,
		}},
	}
	return e, &e.Iterations[0]
}

// TestBudget: two declared guardrails and two arms share the budget, whatever
// their modes; what came later only notifies, and its two rules share a second
// budget of the same size.
func TestBudget(t *testing.T) {
	e, it := threeArms()
	rules := guardrails.Rules(e, it)
	if len(rules) != 6 {
		t.Fatalf("%d rules, want 3 guardrails × 2 arms", len(rules))
	}
	for _, r := range rules {
		want := .04 / 4
		if r.Metric == "new" {
			want = .04 / 2
		}
		if math.Abs(r.AlphaKill-want) > 1e-15 {
			t.Errorf("%s has %v of its budget, want %v", r.ID(), r.AlphaKill, want)
		}
		if math.Abs(r.TreatmentShare-.25) > 1e-15 {
			t.Errorf("%s has a share of %v of its pair, want 0.25", r.ID(), r.TreatmentShare)
		}
	}
	want := map[string]guardrails.Act{
		"errors/a": guardrails.DoKill, "errors/b": guardrails.DoKill, "latency/a": guardrails.DoObserve,
		"latency/b": guardrails.DoObserve, "new/a": guardrails.DoNotify, "new/b": guardrails.DoNotify,
	}
	for _, r := range rules {
		if got := r.Allowed(); got != want[r.ID()] {
			t.Errorf("%s may %s, want %s", r.ID(), got, want[r.ID()])
		}
	}
	for range 20 { // any number of later ones shares the second budget
		e.Guardrails = append(e.Guardrails, experiment.Guardrail{Metric: "new", Mode: experiment.Notify})
	}
	var inside, outside float64
	for _, r := range guardrails.Rules(e, it) {
		if r.Limit == "" {
			inside += r.AlphaKill
		} else {
			outside += r.AlphaKill
		}
	}
	if math.Abs(inside-.04) > 1e-12 || math.Abs(outside-.04) > 1e-12 {
		t.Errorf("rules that may kill have %v together, those that may not %v, want 0.04 each", inside, outside)
	}
	it.Retrospective = true
	if got := guardrails.Rules(e, it)[0].Allowed(); got != guardrails.DoNotify {
		t.Errorf("in retrospect a rule may %s, want notify", got)
	}
}

// TestOpenCap: a cap that is no number yet keeps a rule from killing, whatever its mode.
func TestOpenCap(t *testing.T) {
	e, it := threeArms()
	m := it.Metric("errors")
	m.Kind, m.Cap = experiment.Count, &experiment.Cap{Percentile: 99}
	for i := range e.Guardrails {
		e.Guardrails[i].Mode = experiment.Kill
	}
	if r := guardrails.Rules(e, it)[0]; r.Metric != "errors" || r.Limit != experiment.LimitOpenCap || r.Allowed() != guardrails.DoNotify {
		t.Errorf("with an open cap: %+v", r)
	}
	m.Cap.At = "3"
	if r := guardrails.Rules(e, it)[0]; r.Limit != "" || r.Allowed() != guardrails.DoKill {
		t.Errorf("with a number: %+v", r)
	}
}

// TestObserve takes from a document what the rule needs, and nothing that is
// settling or another arm's.
func TestObserve(t *testing.T) {
	e, it := threeArms()
	rule := guardrails.Rules(e, it)[0] // errors of a
	ten := results.Exact{N: 10, NonZero: 4, Sum: "400", SumSquares: "40000"}
	cells := []results.CellSums{
		{Phase: 1, Variant: "a", Metric: "errors", Decimals: 2, Open: ten, Matured: results.Exact{N: 5, NonZero: 1, Sum: "100", SumSquares: "10000"}},
		{Phase: 1, Variant: "a", Metric: "errors", Decimals: 2, Open: ten, Settling: true},
		{Phase: 1, Variant: "a", Metric: "errors", Decimals: 2, Open: ten, Dimension: "country", Value: "DE"},
		{Phase: 1, Variant: "b", Metric: "errors", Decimals: 2, Open: results.Exact{N: 7, Over: 1}},
		{Phase: 1, Variant: "c", Metric: "latency", Open: ten},
	}
	d := results.Document{
		At: begin().Add(time.Minute), Freshness: begin(), EnrolUntil: begin().Add(time.Hour), Cells: cells,
		Troubles: []results.Trouble{{Code: "adopting"}, {Code: "no_status"}, {Code: "gap"}, {Code: "on fire"}},
		Phases: []results.Phase{{Number: 1, From: begin(), Arms: []results.PhaseArm{
			{Variant: "a", Share: .2, Units: 10}, {Variant: "c", Share: .6, Units: 31}, {Variant: "b", Share: .2, Units: 8}}}},
	}
	o := guardrails.Observe(&d, rule, []guardrails.Alarm{{Phase: 1}, {Phase: 2, Acknowledged: begin()}})
	if s := o.Open[0]; s.Treatment.N != 10 || math.Abs(s.Treatment.Mean-.4) > 1e-15 || s.Control.N != 0 || math.Abs(s.Share-.25) > 1e-15 {
		t.Errorf("open stratum %+v, want 10 units of a with mean 0.4 and a share of 0.25", s)
	}
	if s := o.Matured[0]; s.Treatment.N != 5 || math.Abs(s.Treatment.Mean-.2) > 1e-15 {
		t.Errorf("matured stratum %+v, want 5 units with mean 0.2", s)
	}
	if o.Over != 0 {
		t.Errorf("%d units overflow: that is another arm's", o.Over)
	}
	if len(o.SRMPhases) != 1 || o.SRMPhases[0] != 1 {
		t.Errorf("open alarms %v, want phase 1", o.SRMPhases)
	}
	if c := o.Current; c.Treatment != 10 || c.Control != 31 || c.Phase != 1 {
		t.Errorf("units of the phase in force %+v", c)
	}
	want := []guardrails.Reason{guardrails.Adopting, guardrails.NoStatus, guardrails.Gap, guardrails.ShardStopped}
	for i, reason := range want {
		if o.Troubles[i].Reason != reason {
			t.Errorf("trouble %d is %s, want %s", i, o.Troubles[i].Reason, reason)
		}
	}
	d.Freshness = time.Time{}
	if o := guardrails.Observe(&d, rule, nil); o.Matured != nil {
		t.Error("without freshness something has matured")
	}
}

// TestRampGate: 1,000 non-zero units at a share of 1 % and 100 at one half are
// 10 + 50 expected in the treatment: enough for a mean's 50, which neither the
// first share (11) nor the pooled data alone would say.
func TestRampGate(t *testing.T) {
	e, it := threeArms()
	rule := guardrails.Rules(e, it)[0]
	rule.Binary, rule.PlannedUnits = false, 10000
	at := begin().Add(time.Minute)
	o := guardrails.Observation{At: at, Freshness: at, Newest: at, Open: []guardrails.Stratum{
		{Phase: 1, Share: .01, Treatment: binary(100, 20), Control: binary(9900, 980)},
		{Phase: 2, Share: .5, Treatment: binary(500, 60), Control: binary(500, 40)},
	}}
	_, v := guardrails.Step(rule, guardrails.State{}, o)
	if v.Gate == nil || math.Abs(v.Gate.Have.Float()-60) > 1e-9 || !v.Gate.Passes {
		t.Errorf("gate %+v, want 60 expected in the smaller arm", v.Gate)
	}
}
