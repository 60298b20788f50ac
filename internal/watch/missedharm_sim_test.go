package watch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// harmful is a guardrail and a treatment whose harm is exactly its margin (safe), and
// one that harms by the planned least effect more. It is one of ten that share the
// budget; the other nine are not simulated.
type harmful struct {
	nature
	beyond float64 // least effect to be found, over the control's mean
	// open says that until the end most units may still get outcomes. The guard then asks
	// for more than the mixture (stats.Plan.Unfinished), and is compared but not held to it.
	open bool
}

// simLevel is the level of one of ten guardrails.
const simLevel = simBudget / 10

// withHarm are the kinds of guardrails; the first ones are quick.
func withHarm() []harmful {
	spend := func(r *rand.Rand) float64 { return math.Exp(3 + .7*r.NormFloat64()) }
	seconds := func(r *rand.Rand) float64 { return .2 + r.ExpFloat64() }
	of := func(name string, o outcome, m experiment.Metric, margin float64, relative bool, beyond float64) harmful {
		m.Name, m.Decimals = name, 2
		if m.Kind != experiment.Ratio {
			m.Event = o.event
		}
		return harmful{nature{
			name: name, phases: [][]float64{{.5, .5}}, window: time.Minute, outcomes: []outcome{o}, rules: 10,
			metrics: []experiment.Metric{m},
			guards:  []experiment.Guardrail{{Metric: name, Margin: margin, Relative: relative, Mode: experiment.Kill, OnNoData: experiment.HoldOnNoData}},
		}, beyond, false}
	}
	worse := experiment.Metric{Direction: experiment.Decrease}
	kind := func(k experiment.Kind, m experiment.Metric) experiment.Metric { m.Kind = k; return m }
	ratio := kind(experiment.Ratio, worse)
	ratio.Numerator = &experiment.Part{Event: "search", Aggregation: experiment.AggregateSum, Decimals: 2}
	ratio.Denominator = &experiment.Part{Event: "search", Aggregation: experiment.AggregateCount}
	better := experiment.Metric{Direction: experiment.Increase}
	returns := kind(experiment.Retention, better)
	returns.From, returns.To = experiment.Duration(15*time.Second), experiment.Duration(time.Minute)
	capped := kind(experiment.Mean, better)
	capped.Cap = &experiment.Cap{At: "60"}
	uneven := of("count 90-10", outcome{event: "crash", rate: .3}, kind(experiment.Count, worse), .1, true, .4)
	uneven.phases = [][]float64{{.9, .1}}
	late := of("proportion, long window", outcome{event: "error", rate: .12, once: true}, kind(experiment.Proportion, worse), 0, false, .4)
	late.window, late.open = 10*time.Minute, true
	return []harmful{
		of("proportion", outcome{event: "error", rate: .12, once: true}, kind(experiment.Proportion, worse), 0, false, .4),
		of("mean", outcome{event: "purchase", rate: .8, value: spend}, kind(experiment.Mean, better), .05, true, .18),
		of("ratio", outcome{event: "search", rate: 1, value: seconds}, ratio, .05, true, .12),
		of("count", outcome{event: "crash", rate: .3}, kind(experiment.Count, worse), .1, true, .3),
		of("retention", outcome{event: "visit", rate: .4, once: true}, returns, 0, false, .25),
		of("capped mean", outcome{event: "order", rate: .4, value: spend, once: true}, capped, 0, true, .2),
		uneven, late,
	}
}

// treat makes the treatment's mean the control's times 1 ± by, where + is harm: by its
// values where the metric is one of values, by its number of events elsewhere.
func (h harmful) treat(by float64) nature {
	n := h.nature
	if n.metrics[0].Direction == experiment.Increase {
		by = -by
	}
	c := change{1 + by, 1}
	if n.metrics[0].Kind == experiment.Ratio {
		c = change{1, 1 + by}
	}
	n.treated = map[string]change{n.outcomes[0].event: c}
	return n
}

// stopper is a rule by which an experiment may be stopped.
type stopper int

const (
	byGuard    stopper = iota // what ships: the switch is called
	byMixture                 // the mixture, once the gate is open
	byFloor                   // that, with the guard's floor while most units may still get outcomes
	byBare                    // the mixture from the first units on
	byEstimate                // an alert on the point estimate
	byOneTest                 // one test at the end, and at no other time
	stoppers
)

func (s stopper) String() string {
	return [...]string{"killed", "mixture", "with floor", "from the first unit", "estimate", "one test"}[s]
}

// TestMissedHarm: harm of the margin and the planned effect is found in at least 80 %
// of experiments by the planned number of units, and as often as by the mixture itself,
// within a point. Harm of exactly the margin is hardly ever taken for more. Beside it
// stand an alert on the point estimate and one test at the planned end.
func TestMissedHarm(t *testing.T) {
	kinds, replicates := withHarm(), *simReplicates/2
	if replicates <= 40 {
		kinds = kinds[:2]
	}
	n, lost, disagree := 0, 0, 0
	for _, h := range kinds {
		d := direct{metric: &h.metrics[0], guard: &h.guards[0], share: h.phases[0][1], rejectAt: simLevel}
		harm, safe := h.treat(h.guards[0].Margin+h.beyond), h.treat(h.guards[0].Margin)
		safe.name += ", at the margin"
		harm.units = planUnits(harm, d, h.beyond)
		safe.units, d.planned = harm.units, float64(harm.units)
		found, wrong := harm.stop(t, &d, replicates), safe.stop(t, &d, (replicates+1)/2)
		for s := range stoppers {
			t.Logf("%-23s N %5d: %-20s harm %5.1f %%, median at %-6s of N; the margin %5.2f %%",
				h.name, harm.units, s, 100*found.share(s), found.median(s), 100*wrong.share(s))
		}
		if k := found.count(byGuard); !h.open && stats.BinomialAbove(int64(replicates-k), int64(replicates), .2) < 1e-3 {
			t.Errorf("%s: harm is found in %d of %d experiments, 80 %% are promised", h.name, k, replicates)
		}
		if k := wrong.count(byGuard); stats.BinomialAbove(int64(k), int64(wrong.n), simLevel) < 1e-3 {
			t.Errorf("%s: harm of the margin is taken for more in %d of %d experiments, %v are allowed", h.name, k, wrong.n, simLevel)
		}
		if k := wrong.count(byEstimate); k < wrong.n/2 {
			t.Errorf("%s: the estimate passes the margin in %d of %d experiments only", h.name, k, wrong.n)
		}
		only, missed := found.disagree(byGuard, byMixture)
		t.Logf("%-23s killed, and not by the mixture: %d; the other way round: %d", h.name, only, missed)
		if !h.open {
			n, lost, disagree = n+replicates, lost+missed-only, disagree+missed+only
		}
	}
	t.Logf("of %d experiments with harm the guard stops %d fewer than the mixture: %.2f points", n, lost, 100*float64(lost)/float64(n))
	if float64(lost) > .01*float64(n)+3*math.Sqrt(float64(disagree)) {
		t.Errorf("the guard finds %d of %d less than the mixture: more than a point", lost, n)
	}
}

// stops are the looks at which experiments were stopped, by rule; 0: never.
type stops struct {
	n, looks int
	at       [stoppers][]int
}

func (s *stops) count(by stopper) (k int) {
	for _, look := range s.at[by] {
		if look > 0 {
			k++
		}
	}
	return k
}

func (s *stops) share(by stopper) float64 { return float64(s.count(by)) / float64(s.n) }

// disagree counts the experiments that one rule stopped and the other did not.
func (s *stops) disagree(a, b stopper) (onlyA, onlyB int) {
	for i, look := range s.at[a] {
		switch {
		case look > 0 && s.at[b][i] == 0:
			onlyA++
		case look == 0 && s.at[b][i] > 0:
			onlyB++
		}
	}
	return onlyA, onlyB
}

// median is when a rule stops, as a part of the planned units, of all experiments.
func (s *stops) median(by stopper) string {
	looks := slices.Clone(s.at[by])
	for i, look := range looks {
		if look == 0 {
			looks[i] = math.MaxInt
		}
	}
	slices.Sort(looks)
	m := looks[len(looks)/2]
	if m == math.MaxInt {
		return "never"
	}
	at := simEnd * time.Duration(m) / time.Duration(s.looks)
	return fmt.Sprintf("%.0f %%", 100*math.Min(1, float64(at)/float64(simEnrol)))
}

// stop runs a kind of experiments with one guardrail until each rule has stopped it.
func (n *nature) stop(t *testing.T, d *direct, replicates int) *stops {
	t.Helper()
	from := *simFirst
	out := &stops{n: replicates, looks: min(*simLooks, harmLooks)}
	for by := range out.at {
		out.at[by] = make([]int, replicates)
	}
	floor := stats.GrowthRadius(d.rejectAt)
	looked := func(l *simLoop, doc *results.Document) {
		s := d.look(l.simLedger, doc.Experiment)
		unfinished := 2*s.matured(doc, d.metric.Name) < s.units
		for by, stopped := range map[stopper]bool{
			byMixture:  s.open && s.rejects(),
			byFloor:    s.open && s.rejects() && (!unfinished || s.above(floor)),
			byBare:     s.rejects(),
			byEstimate: s.units >= estimateUnits && s.harm > 0,
			byOneTest:  l.look == out.looks && s.above(z995),
		} {
			if at := &out.at[by][simNumber(doc.Experiment)-from]; stopped && *at == 0 {
				*at = l.look
			}
		}
	}
	n.simulate(t, from, from+replicates, out.looks, looked, func(l *simLoop) {
		for key, look := range l.killed {
			out.at[byGuard][simNumber(key)-from] = look
		}
	})
	return out
}

// harmLooks are the most looks at an experiment with harm: more of them change little.
const harmLooks = 200

// estimateUnits is when an alert on the point estimate begins to look.
const estimateUnits = 500

// matured are the units whose windows have passed.
func (seen) matured(d *results.Document, metric string) (n float64) {
	for i := range d.Cells {
		if d.Cells[i].Metric == metric {
			n += float64(d.Cells[i].Matured.N)
		}
	}
	return n
}
