package experiment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const withSignals = `key: x
owner: o
objective: a
hypothesis: b
success_criteria: c
rollback_plan: d
variants: {a: 50%, b: 50%}
control: a
goals: [conversion]
signals:
  - {name: p99, query: 'histogram_quantile(0.99, sum by (le) (rate(d_bucket[1m])))', unit: s, max: 0.8, hold: 5, on_breach: pause}
  - {name: stock, query: sum(stock), min: -2.5}
  - {name: alive, health: checkout}
  - {name: load, query: sum(load), min: 0, max: 1e3, direction: decrease}
  - {name: shown, query: sum(up)}
`

// TestSignals: what is written is kept, what is left out gets its default, and which way
// is good follows from the limit.
func TestSignals(t *testing.T) {
	v := mustApply(t, nil, mustParse(t, append(load(t, "good/metrics/*.yaml"), File{Name: "experiments/x.yaml", Data: []byte(withSignals)})...), day(t, "2026-03-01"))
	float := func(f float64) *float64 { return &f }
	want := []Signal{
		{Name: "p99", Query: "histogram_quantile(0.99, sum by (le) (rate(d_bucket[1m])))", Unit: "s", Max: float(0.8), Hold: 5, OnBreach: PauseOnTrip},
		{Name: "stock", Query: "sum(stock)", Min: float(-2.5), Hold: 3, OnBreach: WarnOnTrip},
		{Name: "alive", Health: "checkout", Hold: 3, OnBreach: WarnOnTrip},
		{Name: "load", Query: "sum(load)", Min: float(0), Max: float(1000), Direction: Decrease, Hold: 3, OnBreach: WarnOnTrip},
		{Name: "shown", Query: "sum(up)", Hold: 3, OnBreach: WarnOnTrip},
	}
	got := v.Experiments[0].Signals
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("signals (-want +got):\n%s", diff)
	}
	for i, good := range []Direction{Decrease, Increase, Increase, Decrease, ""} {
		if d, guarded := got[i].DirectionOf(), got[i].Guarded(); d != good || guarded != (i < 4) {
			t.Errorf("%s: good is %q, guarded %v", got[i].Name, d, guarded)
		}
	}
}

// TestSignalsAreFree: while an iteration runs, signals come, go and change, and nothing
// is counted otherwise.
func TestSignalsAreFree(t *testing.T) {
	metrics := load(t, "good/metrics/*.yaml")
	parse := func(text string) *Set {
		return mustParse(t, append(metrics, File{Name: "experiments/x.yaml", Data: []byte(text)})...)
	}
	v := mustApply(t, nil, parse(withSignals), day(t, "2026-03-01"))
	edited := strings.Replace(strings.Replace(withSignals, "max: 0.8", "max: 0.9", 1), "name: stock", "name: stores", 1)
	_, changes, problems := Apply(v, parse(edited), day(t, "2026-03-03"), "operator")
	if problems != nil {
		t.Fatal(problems)
	}
	want := []Change{{"x", "signal p99 edited", false}, {"x", "new signal stores", false}, {"x", "signal stock taken out", false}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
