package planning

import (
	"math"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
	"github.com/assay-dev/assay/stats/design"
)

// Healthy is what a guardrail needs to be healthy in an arm that does no harm: a ramp
// waits for it at each step. Numbers that do not exist are null in JSON.
type Healthy struct {
	Metric   string         `json:"metric"`
	Arm      string         `json:"arm"`
	Margin   results.Number `json:"margin"` // in the metric's unit
	Relative bool           `json:"relative,omitempty"`
	Alpha    float64        `json:"alpha"` // one-sided, unsplit
	Power    float64        `json:"power"`

	// Units of both arms, their windows behind them, by which harm as large as the margin
	// is refuted with the power, looking always; and how many it takes on average.
	Size     results.Number `json:"size"`
	Expected results.Number `json:"expected_units"`
	// Days until then at the rate of new units, the last unit's window included.
	Days         results.Number `json:"days"`
	ExpectedDays results.Number `json:"expected_days"`
	// PlanPower is the chance to be healthy at some moment before the planned units.
	PlanPower results.Number `json:"power_at_plan"`
	// Gate are the units by which enough of them have an event, of a share of units: the
	// size is that at least.
	Gate results.Number `json:"gate_units"`
}

// HealthyAll answers for the guardrails that are judged by means, in the comparisons' order.
// A margin of 0 is never healthy where there is no effect: nothing refutes it.
func HealthyAll(e *experiment.Experiment, all []Comparison, power float64) []Healthy {
	var out []Healthy
	for _, c := range all {
		for i := range e.Guardrails {
			if g := &e.Guardrails[i]; g.Metric == c.Metric && g.MethodOf() == experiment.ByMean {
				out = append(out, healthy(c, g, power))
			}
		}
	}
	return out
}

func healthy(c Comparison, g *experiment.Guardrail, power float64) Healthy {
	if !(c.Plan > 0) {
		c.Plan = stats.DefaultPlannedUnits
	}
	if c.Binary {
		c.SD = math.Sqrt(c.Mean * (1 - c.Mean))
	}
	// The test is of the linear form T − (1 ± m)·C, whose variance has the margin in it:
	// the larger of the two, so that the direction need not be asked.
	margin, factor := g.Margin, 1.0
	if g.Relative {
		margin, factor = g.Margin*math.Abs(c.Mean), 1+g.Margin
	}
	perUnit := c.SD * math.Sqrt(1/c.Share+factor*factor/(1-c.Share))
	rho2 := stats.MixtureRho2(2*c.Alpha, c.Plan)
	monitor := design.Monitor{Sides: design.OneSided, Boundary: func(units float64) float64 {
		return stats.MixtureRadiusOneSided(rho2*units, c.Alpha)
	}}
	signal := margin / perUnit
	size, expected := monitor.Size(signal, power)
	h := Healthy{
		Metric: c.Metric, Arm: c.Arm, Margin: results.Number(margin), Relative: g.Relative, Alpha: c.Alpha, Power: power,
		PlanPower: results.Number(monitor.Power(signal, c.Plan)), Gate: results.Number(gateUnits(c, g)),
	}
	if gate := h.Gate.Float(); gate > 0 {
		size, expected = math.Max(size, gate), math.Max(expected, gate)
		if gate > c.Plan {
			h.PlanPower = 0
		}
	}
	h.Size, h.Expected, h.Days, h.ExpectedDays = results.Number(size), results.Number(expected), results.Number(math.NaN()), results.Number(math.NaN())
	if c.PerDay > 0 {
		h.Days, h.ExpectedDays = results.Number(size/c.PerDay+c.Window), results.Number(expected/c.PerDay+c.Window)
	}
	return h
}

// gateUnits are the units of both arms of which the smaller one may expect as many with
// an event as the test asks for; NaN where the share of such units is not known.
func gateUnits(c Comparison, g *experiment.Guardrail) float64 {
	if !c.Binary {
		return math.NaN()
	}
	need := math.Max(stats.GateEventsBinary, float64(g.MinEvents))
	return need / (c.Mean * math.Min(c.Share, 1-c.Share))
}
