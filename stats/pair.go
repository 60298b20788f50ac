package stats

import (
	"fmt"
	"math"
)

// Stratum is one phase of a pair of arms: a stretch with constant shares,
// within which the arms are comparable.
type Stratum struct {
	Name      string
	Treatment Moments
	Control   Moments
}

// Arm is one arm of a Pair after its phases were combined.
type Arm struct {
	N       int64   // units in the phases that count
	NonZero int64   // of these, units with a value other than zero
	Mean    float64 // Σw·mean/Σw, the weights of the Pair
	// Error2 is the squared standard error of Mean from the arm's own variance.
	Error2 float64
	// PooledError2 is the same from the variance of both arms together, which
	// an arm that lost everything cannot shrink to zero.
	PooledError2 float64
	// spread is Σw⁴·error⁴/(n−1)/(Σw)⁴, the arm's part of the Welch degrees of freedom.
	spread float64
}

// Pair is a treatment and a control arm over all phases. Phases are never
// pooled: within each the difference is taken first, and the differences are
// averaged with the weights w = n_T·n_C/(n_T+n_C), so that neither a time
// trend nor changing shares can make an effect (Simpson).
//
// The zero Pair is a pair without data.
type Pair struct {
	Treatment Arm
	Control   Arm
	Weight    float64  // Σw
	LeftOut   []string // phases that have too few units in an arm to count
	Warnings  []Warning
}

// Combine joins the phases of a pair of arms: the effect is Σw·d/Σw with the weights of
// Pair (Cochran 1954), its variance Σw²(v_T + v_C)/(Σw)². It assumes that units are
// randomised within each phase and that the phases share no units.
//
// Phases with fewer than two units in an arm, with moments that no data have (NaN,
// infinite, a negative variance, more than 2⁵³ units) or with numbers whose squares
// overflow are left out, named in LeftOut and each explained by a warning. Without any
// left the Pair is one without data, which says so too. Zero variance is no fault: the
// results warn of it.
func Combine(strata []Stratum) Pair {
	var p Pair
	for _, s := range strata {
		switch {
		case s.Treatment.N < 2 || s.Control.N < 2:
			p.leaveOut(s.Name, PhaseLeftOut, fmt.Sprintf(
				"phase %q is left out: %d and %d units, at least 2 are needed in each arm",
				s.Name, s.Treatment.N, s.Control.N))
		case !s.Treatment.plausible() || !s.Control.plausible():
			p.leaveOut(s.Name, InvalidMoments, fmt.Sprintf(
				"phase %q is left out: its moments are not those of any data (of %d and %d units), or a ratio has nothing to divide by",
				s.Name, s.Treatment.N, s.Control.N))
		default:
			joined := p
			if joined.add(s); !joined.finite() {
				p.leaveOut(s.Name, InvalidMoments, fmt.Sprintf("phase %q is left out: its numbers are too large to compute with", s.Name))
				continue
			}
			p = joined
		}
	}
	if p.Weight == 0 {
		p.Warnings = append(p.Warnings, noBasis())
		return p
	}
	p.Treatment.scale(p.Weight)
	p.Control.scale(p.Weight)
	return p
}

func (p *Pair) leaveOut(name string, code Code, message string) {
	p.LeftOut = append(p.LeftOut, name)
	p.Warnings = append(p.Warnings, Warning{code, message})
}

// add accumulates weighted sums; scale turns them into averages.
func (p *Pair) add(s Stratum) {
	nT, nC := float64(s.Treatment.N), float64(s.Control.N)
	w := nT * nC / (nT + nC)
	together := s.Treatment.Merge(s.Control).Variance()
	p.Weight += w
	p.Treatment.add(s.Treatment, w, together)
	p.Control.add(s.Control, w, together)
}

// finite reports whether nothing has overflown.
func (p *Pair) finite() bool {
	t, c := &p.Treatment, &p.Control
	sum := math.Abs(t.Mean) + math.Abs(c.Mean) + t.Error2 + c.Error2 + t.PooledError2 + c.PooledError2 + t.spread + c.spread
	return !math.IsInf(sum, 0) && !math.IsNaN(sum) && t.N > 0 && c.N > 0
}

func (a *Arm) add(m Moments, w, together float64) {
	v := m.squaredError()
	a.N += m.N
	a.NonZero += m.NonZero
	a.Mean += w * m.Mean
	a.Error2 += w * w * v
	a.PooledError2 += w * w * together / float64(m.N)
	a.spread += w * w * v * (w * w * v) / float64(m.N-1)
}

func (a *Arm) scale(weight float64) {
	a.Mean /= weight
	a.Error2 /= weight * weight
	a.PooledError2 /= weight * weight
	a.spread /= weight * weight * weight * weight
}

// Difference is the stratified effect Σw·d/Σw of Combine; NaN without data.
func (p Pair) Difference() float64 {
	if p.Weight == 0 {
		return math.NaN()
	}
	return p.Treatment.Mean - p.Control.Mean
}
