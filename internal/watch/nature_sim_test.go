package watch

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// nature is a kind of experiment as it happens: who enters, in which arm, and what
// they do there.
type nature struct {
	name     string
	units    int
	phases   [][]float64 // shares of the arms, control first; phases divide the enrolment evenly
	window   time.Duration
	outcomes []outcome
	treated  map[string]change // what the treatments make of an outcome
	metrics  []experiment.Metric
	guards   []experiment.Guardrail
	rules    int // that share the budget of false kills; 0: those that are there
}

// outcome is something that units do, each as often as its activity makes it.
type outcome struct {
	event string
	rate  float64                  // times, on average
	value func(*rand.Rand) float64 // nil: 1
	once  bool                     // at most once: then the share of units that do it is the rate
}

func (o *outcome) times(r *rand.Rand, rate float64) int {
	switch {
	case !o.once:
		return poisson(r, rate)
	case r.Float64() < rate:
		return 1
	default:
		return 0
	}
}

// change multiplies.
type change struct{ rate, value float64 }

// How long a simulated experiment enrols and lasts. Looks come once a second, as the
// guard takes them, when there are as many as seconds.
const (
	simEnrol = 700 * time.Second
	simEnd   = 1000 * time.Second
)

func simStart() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

// simArms has the names of arms in the order of the shares.
func simArms() []string { return []string{"control", "treatment", "second"} }

// record is one record of a simulated log.
type record struct {
	at      int64 // milliseconds after the start
	unit    int32
	arm     int8
	outcome int8 // exposure: -1
	value   ingest.Value
}

const exposed = -1

// draw makes the log of one experiment.
func (n *nature) draw(r *rand.Rand) []record {
	log := make([]record, 0, 4*n.units)
	for i := range n.units {
		at := (float64(i) + r.Float64()) / float64(n.units)
		arm := pickArm(r, n.phases[int(at*float64(len(n.phases)))])
		u := record{at: int64(at * float64(simEnrol.Milliseconds())), unit: int32(i), arm: int8(arm), outcome: exposed}
		log = n.acts(r, append(log, u), u)
	}
	slices.SortStableFunc(log, func(a, b record) int { return cmp.Compare(a.at, b.at) })
	return log
}

// acts adds what a unit does after its exposure.
func (n *nature) acts(r *rand.Rand, log []record, u record) []record {
	activity := math.Exp(.3*r.NormFloat64() - .045) // 1 on average
	for k := range n.outcomes {
		o := &n.outcomes[k]
		rate, scale := activity*o.rate, 1.0
		if c, changed := n.treated[o.event]; changed && u.arm > 0 {
			rate, scale = rate*c.rate, c.value
		}
		for range o.times(r, rate) {
			e := u
			e.at += int64(r.ExpFloat64() / 3 * float64(n.window.Milliseconds())) // one in twenty comes too late
			e.outcome, e.value = int8(k), hundredths(1)
			if o.value != nil {
				e.value = hundredths(scale * o.value(r))
			}
			log = append(log, e)
		}
	}
	return log
}

func pickArm(r *rand.Rand, shares []float64) int {
	x := r.Float64()
	for i, s := range shares {
		if x -= s; x < 0 {
			return i
		}
	}
	return len(shares) - 1
}

// poisson draws a number of events by the waiting times between them.
func poisson(r *rand.Rand, mean float64) (k int) {
	for t := r.ExpFloat64(); t < mean; t += r.ExpFloat64() {
		k++
	}
	return k
}

// hundredths is a value of two decimals as events carry it.
func hundredths(x float64) ingest.Value {
	return ingest.Product(int64(math.Round(x*100)), 10_000_000_000)
}

// experiment is the configuration of the i-th experiment of the kind.
func (n *nature) experiment(i int) experiment.Experiment {
	start := simStart()
	it := experiment.Iteration{
		Number: 1, Start: start, EnrolUntil: start.Add(simEnrol), End: start.Add(simEnd + time.Second),
		AlphaKill: simBudget, Metrics: slices.Clone(n.metrics),
	}
	for p, shares := range n.phases {
		it.Phases = append(it.Phases, experiment.Phase{
			Number: uint16(p + 1), From: start.Add(simEnrol / time.Duration(len(n.phases)) * time.Duration(p)), Shares: shares, Traffic: 1,
		})
	}
	e := experiment.Experiment{
		Key: fmt.Sprintf("%s-%03d", n.name, i), UnitKind: "user", Control: simArms()[0], Window: experiment.Duration(n.window),
		Alpha: .05, AlphaKill: simBudget, PlannedUnits: int64(n.units), Guardrails: n.guards, KillSwitch: "flags",
	}
	for a, share := range n.phases[0] {
		e.Variants = append(e.Variants, experiment.Variant{Key: simArms()[a], Share: share})
	}
	for _, g := range n.guards {
		it.KillGuardrails = append(it.KillGuardrails, g.Metric)
	}
	it.KillRules = cmp.Or(n.rules, len(n.guards)*(len(e.Variants)-1))
	e.Iterations = []experiment.Iteration{it}
	return e
}

// simBudget is the chance of a false kill that an iteration declares: the default.
const simBudget = 0.05
