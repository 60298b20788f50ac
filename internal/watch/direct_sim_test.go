package watch

import (
	"math"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// direct is a guardrail's test written out beside the engine: the one-sided normal
// mixture (Waudby-Smith et al. 2024, eq. 134 and 161) of the ledger's sums as they
// stand, with each arm's own variance.
type direct struct {
	metric   *experiment.Metric
	guard    *experiment.Guardrail
	share    float64 // of the treatment
	planned  float64 // N*
	rejectAt float64 // alpha of the rule
}

// armOf are the moments of one arm.
type armOf struct{ n, nonZero, mean, variance float64 }

// seen is what one look at the sums shows of a guardrail.
type seen struct {
	units    float64
	harm     float64 // estimate of the harm beyond the margin
	error    float64
	boundary float64
	open     bool // the gate is: a normal approximation may be believed
}

func (s seen) z() float64 { return s.harm / s.error }

// rejects tells whether the mixture shows harm beyond the margin.
func (s seen) rejects() bool { return s.above(s.boundary) }

func (s seen) above(z float64) bool { return s.error > 0 && s.z() > z }

// look reads an experiment of one phase and two arms.
func (d *direct) look(l *simLedger, key string) seen {
	t, c := d.arm(l, key, simArms()[1]), d.arm(l, key, simArms()[0])
	bad := 1.0
	if d.metric.Direction == experiment.Increase {
		bad = -1
	}
	factor, margin := 1.0, d.guard.Margin
	if d.guard.Relative { // all means are positive
		factor, margin = 1+bad*d.guard.Margin, 0
	}
	double := -2 * math.Log(2*d.rejectAt) // 2·ln(1/2α): tuned for one side
	rho2 := (double + math.Log(1+double)) / d.planned
	need := 50.0
	if d.metric.Kind.Binary() {
		need = 30
	}
	a := rho2 * t.n * c.n / (t.n + c.n) / (d.share * (1 - d.share))
	return seen{
		units: t.n + c.n,
		harm:  bad*(t.mean-factor*c.mean) - margin, error: math.Sqrt(t.variance/t.n + factor*factor*c.variance/c.n),
		boundary: math.Sqrt(2 * (1 + 1/a) * math.Log(1+math.Sqrt(1+a)/(2*d.rejectAt))),
		open:     (t.nonZero+c.nonZero)*math.Min(d.share, 1-d.share) >= need,
	}
}

func (d *direct) arm(l *simLedger, key, variant string) armOf {
	for _, c := range l.of[key] {
		if c.Metric == d.metric.Name && c.Variant == variant {
			return momentsOf(c.total(l.now.UnixMilli()+1), d.metric)
		}
	}
	return armOf{}
}

func momentsOf(d ingest.Delta, m *experiment.Metric) armOf {
	float := func(v ingest.Int128, decimals int) float64 {
		return (float64(v.Hi)*0x1p64 + float64(v.Lo)) / math.Pow10(decimals)
	}
	n, nonZero := float64(d.N), float64(d.NonZero)
	if m.Kind != experiment.Ratio {
		y, yy := float(d.Sum, m.Decimals), float(d.SumSquares, 2*m.Decimals)
		return armOf{n, nonZero, y / n, (yy - y*y/n) / (n - 1)}
	}
	up, down := m.Numerator.Decimals, m.Denominator.Decimals
	z := float(d.SumDenominator, down)
	r := float(d.Sum, up) / z
	square := float(d.SumSquares, 2*up) - 2*r*float(d.SumProduct, up+down) + r*r*float(d.SumSquaresDenominator, 2*down)
	return armOf{n, nonZero, r, square / (n - 1) / (z / n * z / n)}
}

// Quantiles of the normal distribution.
const (
	z995 = 2.5758293
	z80  = 0.8416212
)

// monitoring is how many times the units of one planned look it takes to find the same
// harm while looking always.
const monitoring = 1.62

// planUnits is N for power 80 % at harm that is the margin and a least effect beyond it,
// a part of the control's mean: the textbook's size of one look at the rule's level,
// times monitoring. Mean and variances are those of a pilot, as planners know them.
func planUnits(n nature, d direct, beyond float64) int {
	pilot := n
	pilot.units = 100_000
	e := pilot.experiment(0)
	l := newSimLedger(&pilot, versionOf(e))
	l.feed(0, e.Key, pilot.draw(pilot.random(-1)))
	l.commit(simStart().Add(simEnd + time.Hour))
	s := d.look(l, e.Key)
	harm := beyond * d.arm(l, e.Key, simArms()[0]).mean
	return int(math.Ceil(monitoring * (z995 + z80) * (z995 + z80) * s.error * s.error * s.units / (harm * harm)))
}
