package results

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// which picks the sums of all slots or of the matured ones.
type which func(*Cell) Sums

func openSums(c *Cell) Sums    { return c.Open }
func maturedSums(c *Cell) Sums { return c.Matured }

// compare judges every metric of every arm against the control.
func (c *computation) compare() {
	c.doc.Comparisons = make([]Comparison, 0, len(c.it.Metrics)*(len(c.e.Variants)-1))
	for i := range c.it.Metrics {
		m := &c.it.Metrics[i]
		for v := range c.e.Variants {
			if m.Kind.Fast() && c.e.Variants[v].Key != c.e.Control {
				c.doc.Comparisons = append(c.doc.Comparisons, c.comparison(m, v))
			}
		}
	}
	c.segments()
	c.families()
}

func (c *computation) comparison(m *experiment.Metric, arm int) Comparison {
	key := c.e.Variants[arm].Key
	out := Comparison{
		Metric: m.Name, Arm: key, Kind: string(m.Kind), Direction: string(m.Direction), Unit: m.Unit,
		Window:    c.e.WindowOf(m).String(),
		Goal:      slices.Contains(c.e.Goals, m.Name),
		Guardrail: slices.ContainsFunc(c.e.Guardrails, func(g experiment.Guardrail) bool { return g.Metric == m.Name }),
	}
	plan := c.plan(arm)
	out.Overflow = c.over(m.Name, key)
	out.Open, _ = c.estimate(m, key, openSums, plan, out.Overflow > 0)
	if out.Overflow == 0 {
		out.Open.FirstEvents = c.firstEvents(m, arm, openSums, plan.Alpha)
	}
	withheld := out.Overflow > 0 || c.doc.Freshness.IsZero()
	var pair stats.Pair
	out.Matured, pair = c.estimate(m, key, maturedSums, plan, withheld)
	if !withheld {
		out.Matured.FirstEvents = c.firstEvents(m, arm, maturedSums, plan.Alpha)
		// Not of open results: there a young phase differs because it is young.
		if d, drifts := c.drift(m, key, plan, plan.Alpha/float64(len(c.it.Metrics)*(len(c.e.Variants)-1))); drifts {
			out.Matured.Warnings = append(out.Matured.Warnings, d)
		}
	}
	if out.Goal {
		c.goals[len(c.doc.Comparisons)] = pair
		g := pair.Gate(c.smallerShare(m, arm, maturedSums), m.Kind.Binary())
		out.Gate = &Gate{Passes: g.Passes, Have: Number(g.Have), Need: Number(g.Need)}
	}
	return out
}

// plan is what was fixed beforehand for the arm's pair with the control.
func (c *computation) plan(arm int) stats.Plan {
	return stats.Plan{
		PlannedUnits: float64(c.e.PlannedUnits), TreatmentShare: PlannedShare(c.e, c.it, arm),
		Alpha: c.e.Alpha, Strict: unequal(c.e, c.it, arm),
	}
}

// over counts the units of the pair that have no exact total. One is enough to
// show no number at all.
func (c *computation) over(metric, arm string) int64 {
	var n int64
	for _, cell := range c.main[metric] {
		if cell.Variant == arm || cell.Variant == c.e.Control {
			n += cell.Open.Over
		}
	}
	return n
}

func (c *computation) estimate(m *experiment.Metric, arm string, pick which, plan stats.Plan, withheld bool) (Estimate, stats.Pair) {
	var strata []stats.Stratum
	if !withheld {
		strata = c.strata(m, arm, pick)
	}
	pair := stats.Combine(strata)
	sequential := pair.Sequential(plan)
	out := newEstimate(pair, pair.Fixed(plan.Alpha), sequential)
	if w, implausible := sequential.Implausible(); implausible {
		out.Warnings = append(out.Warnings, Doubt{string(w.Code), w.Message})
	}
	if plan.Strict && pair.Weight > 0 {
		out.Warnings = append(out.Warnings, Doubt{StrictInterval,
			"the arms' intended shares are unequal: the interval for every look uses the larger of two standard errors"})
	}
	if m.Kind == experiment.Sum && !withheld {
		out.Treatment.Total = c.total(m, arm, pick, pair.LeftOut)
		out.Control.Total = c.total(m, c.e.Control, pick, pair.LeftOut)
	}
	return out, pair
}

// strata are the phases of the pair. Units first exposed while a phase settles
// are no part of them.
func (c *computation) strata(m *experiment.Metric, arm string, pick which) []stats.Stratum {
	strata := make([]stats.Stratum, 0, len(c.it.Phases))
	scale := ScaleOf(m)
	for _, p := range c.it.Phases {
		strata = append(strata, stats.Stratum{
			Name:      strconv.Itoa(int(p.Number)),
			Treatment: scale.Moments(c.sums(m.Name, p.Number, false, arm, pick)),
			Control:   scale.Moments(c.sums(m.Name, p.Number, false, c.e.Control, pick)),
		})
	}
	return strata
}

// sums adds up the cells of one arm in one phase; most often there is one.
func (c *computation) sums(metric string, phase uint16, settling bool, variant string, pick which) Sums {
	var out Sums
	for i := range c.main[metric] {
		cell := &c.main[metric][i]
		if cell.Phase == phase && cell.Settling == settling && cell.Variant == variant {
			out = out.Plus(pick(cell))
		}
	}
	return out
}

// total is the arm's exact sum over the phases that count.
func (c *computation) total(m *experiment.Metric, variant string, pick which, leftOut []string) string {
	sum := new(big.Int)
	for _, p := range c.it.Phases {
		if !slices.Contains(leftOut, fmt.Sprint(p.Number)) {
			sum.Add(sum, orZero(c.sums(m.Name, p.Number, false, variant, pick).Sum))
		}
	}
	return Decimal(sum, m.Decimals)
}

// Decimal writes v·10^−decimals exactly.
func Decimal(v *big.Int, decimals int) string {
	s := new(big.Int).Abs(v).String()
	if decimals > 0 {
		if len(s) <= decimals {
			s = strings.Repeat("0", decimals-len(s)+1) + s
		}
		s = strings.TrimRight(s[:len(s)-decimals]+"."+s[len(s)-decimals:], "0")
		s = strings.TrimSuffix(s, ".")
	}
	if v.Sign() < 0 {
		return "-" + s
	}
	return s
}

func newEstimate(p stats.Pair, fixed, sequential stats.Result) Estimate {
	out := Estimate{
		Treatment: Arm{Units: p.Treatment.N, NonZero: p.Treatment.NonZero, Mean: Number(fixed.TreatmentMean)},
		Control:   Arm{Units: p.Control.N, NonZero: p.Control.NonZero, Mean: Number(fixed.ControlMean)},
		Absolute:  newEffect(fixed.Absolute, sequential.Absolute),
		Relative:  newEffect(fixed.Relative, sequential.Relative),
		LeftOut:   p.LeftOut,
	}
	for _, w := range slices.Concat(fixed.Warnings, sequential.Warnings) {
		d := Doubt{Code: string(w.Code), Text: w.Message}
		if !slices.Contains(out.Warnings, d) {
			out.Warnings = append(out.Warnings, d)
		}
	}
	return out
}

func newEffect(fixed, sequential stats.Effect) Effect {
	return Effect{
		Estimate: Number(fixed.Estimate), StdError: Number(fixed.StdError),
		Fixed: Interval{Number(fixed.Low), Number(fixed.High)}, FixedP: Number(fixed.P),
		Sequential: Interval{Number(sequential.Low), Number(sequential.High)}, SequentialP: Number(sequential.P),
	}
}

// StrictInterval is the code of the warning that a sequential interval stands on
// the larger of the unpooled and the pooled standard error.
const StrictInterval = "strict_interval"

// equalShare is the smaller arm's intended share of a pair from which on the
// skewness of the arms' means cancels well enough for the unpooled error.
const equalShare = 0.4

// unequal tells whether the pair ever had unequal intended shares. Only the plan
// decides: an error chosen by looking at the data would promise nothing.
func unequal(e *experiment.Experiment, it *experiment.Iteration, arm int) bool {
	control := e.VariantIndex(e.Control)
	return slices.ContainsFunc(it.Phases, func(p experiment.Phase) bool {
		s := PairShare(p.Shares, arm, control)
		return s > 0 && s < 1 && min(s, 1-s) < equalShare-1e-9
	})
}

// PlannedShare is the arm's share of its pair with the control in the plan
// behind N*. It is that of the first phase that serves both, since a plan may
// not change with the data; 0 when no phase does.
func PlannedShare(e *experiment.Experiment, it *experiment.Iteration, arm int) float64 {
	control := e.VariantIndex(e.Control)
	for _, p := range it.Phases {
		if s := PairShare(p.Shares, arm, control); s > 0 && s < 1 {
			return s
		}
	}
	return 0
}

// PairShare is the arm's intended share of the traffic of arm and control
// together; 0 when neither has any.
func PairShare(shares []float64, arm, control int) float64 {
	if arm < 0 || control < 0 || arm >= len(shares) || control >= len(shares) || shares[arm]+shares[control] <= 0 {
		return 0
	}
	return shares[arm] / (shares[arm] + shares[control])
}
