package watch

import (
	"flag"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

var (
	simReplicates = flag.Int("falsekills.replicates", 80, "simulated experiments without an effect, and of each kind with harm")
	simLooks      = flag.Int("falsekills.looks", 80, "looks at each of them")
	simFirst      = flag.Int("falsekills.first", 0, "number of the first of them, to go on where an earlier run ended")
	simSeed       = flag.Uint64("falsekills.seed", 1, "seed of all of them")
)

// habits are what the units of experiments without an effect do, each outcome
// independent of the others but for the unit's activity: ten guardrails that err
// apart are more often wrong together than ten that err at once.
func habits() []outcome {
	spend := func(r *rand.Rand) float64 { return math.Exp(3 + r.NormFloat64()) }
	return []outcome{
		{event: "error", rate: .1}, {event: "crash", rate: .15}, {event: "purchase", rate: .2, value: spend},
		{event: "order", rate: .3, value: spend}, {event: "refund", rate: .1, value: spend}, {event: "view", rate: 1},
		{event: "visit", rate: .6}, {event: "retry", rate: .2},
		{event: "search", rate: .6, value: func(r *rand.Rand) float64 { return .2 + r.ExpFloat64() }},
	}
}

// tenGuardrails are of every kind and both directions, with margins of either form.
// Where the margin is zero any harm is too much, and chance is closest to it.
func tenGuardrails(window time.Duration) ([]experiment.Metric, []experiment.Guardrail) {
	of := func(name, event string, kind experiment.Kind, direction experiment.Direction) experiment.Metric {
		return experiment.Metric{Name: name, Event: event, Kind: kind, Direction: direction, Decimals: 2}
	}
	ratio := func(name, event string, direction experiment.Direction) experiment.Metric {
		m := of(name, "", experiment.Ratio, direction)
		m.Numerator = &experiment.Part{Event: event, Aggregation: experiment.AggregateSum, Decimals: 2}
		m.Denominator = &experiment.Part{Event: event, Aggregation: experiment.AggregateCount}
		return m
	}
	capped := of("capped orders", "order", experiment.Mean, experiment.Increase)
	capped.Cap = &experiment.Cap{At: "100"}
	returns := of("returns", "visit", experiment.Retention, experiment.Increase)
	returns.From, returns.To = experiment.Duration(window/4), experiment.Duration(window)
	metrics := []experiment.Metric{
		of("errors", "error", experiment.Proportion, experiment.Decrease),
		of("crashes", "crash", experiment.Count, experiment.Decrease),
		of("buyers", "purchase", experiment.Proportion, experiment.Increase),
		of("revenue", "purchase", experiment.Mean, experiment.Increase),
		capped,
		of("refunds", "refund", experiment.Sum, experiment.Decrease),
		of("views", "view", experiment.Count, experiment.Increase),
		returns,
		ratio("search time", "search", experiment.Decrease),
		of("retries", "retry", experiment.Count, experiment.Decrease),
	}
	margins := map[string]experiment.Guardrail{
		"buyers": {Margin: .02, Relative: true}, "revenue": {Margin: .1}, "retries": {Margin: .005},
		"crashes": {Method: experiment.ByCount, Relative: true},
	}
	var guards []experiment.Guardrail
	for k, m := range metrics {
		g, some := margins[m.Name]
		if !some {
			g.Relative = k%2 == 0
		}
		g.Metric, g.Mode, g.OnNoData = m.Name, experiment.Kill, experiment.HoldOnNoData
		guards = append(guards, g)
	}
	return metrics, guards
}

// withoutEffect are the kinds of experiments in which no arm differs, each with its part
// of all experiments.
func withoutEffect() (kinds []nature, parts []float64) {
	even := nature{name: "even", units: 6000, phases: [][]float64{{.5, .5}}, window: 2 * time.Minute, outcomes: habits()}
	even.metrics, even.guards = tenGuardrails(even.window)
	uneven, ramp, three := even, even, even
	uneven.name, uneven.phases = "90-10", [][]float64{{.9, .1}}
	ramp.name, ramp.phases = "ramp", [][]float64{{.9, .1}, {.75, .25}, {.5, .5}}
	three.name, three.phases = "three", [][]float64{{.34, .33, .33}}
	return []nature{even, uneven, ramp, three}, []float64{.4, .25, .25, .1}
}

// naiveZ is what z must exceed for one look at one guardrail, one-sided at 5 %.
const naiveZ = 1.6449

// TestFalseKills: of experiments without any effect, each with ten guardrails and looked
// at again and again by the guard's own loop, no more are turned off than the budget
// declares, as far as so many can tell. An observer who believes one-look tests at
// every look stops most of the same experiments: there is something to find.
func TestFalseKills(t *testing.T) {
	total, kills, naive := 0, 0, 0
	kinds, parts := withoutEffect()
	for k, n := range kinds {
		number := func(of int) int { return int(math.Ceil(parts[k] * float64(of))) }
		f := n.falseKills(t, number(*simFirst), number(*simFirst+*simReplicates), *simLooks)
		t.Logf("%-6s %4d experiments: %5.2f %% killed, %5.1f %% by one-look tests; %4.1f %% of gates open at the last look; %d split alarms",
			n.name, f.experiments, 100*f.share(f.kills), 100*f.share(f.naive), 100*float64(f.open)/float64(f.rules), f.alarms)
		if f.open < f.rules*6/10 {
			t.Errorf("%s: %d of %d gates are open at the last look: who does not judge cannot err", n.name, f.open, f.rules)
		}
		total, kills, naive = total+f.experiments, kills+f.kills, naive+f.naive
	}
	t.Logf("all    %4d experiments: %5.2f %% killed, %5.1f %% by one-look tests", total, 100*float64(kills)/float64(total), 100*float64(naive)/float64(total))
	const chance = 1e-3
	if p := stats.BinomialAbove(int64(kills), int64(total), simBudget); p < chance {
		t.Errorf("%d of %d experiments without an effect were killed: at a budget of %v so many have a probability of %.2g", kills, total, simBudget, p)
	}
	if naive < total/2 {
		t.Errorf("one-look tests stop %d of %d experiments: these worlds have nothing in them to be wrong about", naive, total)
	}
}

// falseKills are what a simulation without effects found.
type falseKills struct {
	experiments, kills, naive int
	rules, open               int // judged in the last look, and those with an open gate
	alarms                    int
}

func (f falseKills) share(k int) float64 { return float64(k) / float64(f.experiments) }

func (n *nature) falseKills(t *testing.T, from, to, looks int) (f falseKills) {
	t.Helper()
	f.experiments = to - from
	fooled, open := make([]bool, f.experiments), make([]int, f.experiments)
	looked := func(_ *simLoop, d *results.Document) {
		i := simNumber(d.Experiment) - from
		open[i] = 0
		for _, v := range d.Verdicts {
			if v.Harm == nil || v.Gate == nil || !v.Gate.Passes {
				continue
			}
			open[i]++
			fooled[i] = fooled[i] || float64(v.Harm.Z) > naiveZ
		}
	}
	n.simulate(t, from, to, looks, looked, func(l *simLoop) {
		f.kills += len(l.killed)
		f.rules += len(l.logs) * len(n.guards) * (len(n.phases[0]) - 1)
		for _, e := range l.entries {
			if e.Kind == guardrails.SRMAlarm {
				f.alarms++
			}
			if e.Kind == guardrails.Verified && l.killed[e.Experiment] == 0 {
				t.Errorf("%s is off in the log, and its switch was never called", e.Experiment)
			}
		}
	})
	for i := range open {
		f.open += open[i]
		if fooled[i] {
			f.naive++
		}
	}
	return f
}

// simNumber is the number of an experiment by its key.
func simNumber(key string) (i int) {
	for _, c := range key[strings.LastIndexByte(key, '-')+1:] {
		i = 10*i + int(c-'0')
	}
	return i
}
