package design

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// far is how many standard deviations of B the recursion keeps where no boundary
// cuts it off; what lies beyond is less than 1e-22.
const far = 10.0

// steepest is the largest drift, and longest the latest information time, that are told
// from larger ones.
const (
	steepest = 1e9
	longest  = 1e12
)

// walk is the sub-density of B(t) = Z(t)·√t at a look, of the paths that have
// crossed no boundary so far, on Gauss-Legendre nodes.
type walk struct {
	drift  float64
	sides  Sides
	t      float64
	x      []float64
	weight []float64 // of the node, times the density there

	// always also takes out the paths that cross between two looks, where the
	// boundary counts as straight; edge is where it was (on the scale of B) at t.
	always bool
	edge   float64
}

// start is Brownian motion at zero.
func start(drift float64, sides Sides) *walk {
	// Beyond, the nodes around the drift are one number; nothing is left to chance either way.
	return &walk{drift: math.Max(-steepest, math.Min(steepest, drift)), sides: sides, x: []float64{0}, weight: []float64{1}}
}

// above is the chance that the path is still going and Z(t) > z, and below
// that Z(t) < −z, for a later t.
func (w *walk) above(t, z float64) float64 { return w.tail(t, z*math.Sqrt(t), 1) }
func (w *walk) below(t, z float64) float64 { return w.tail(t, z*math.Sqrt(t), -1) }

func (w *walk) tail(t, b, sign float64) float64 {
	step := t - w.t
	sd, mean := math.Sqrt(step), w.drift*step
	sum := 0.0
	for i, x := range w.x {
		sum += w.weight[i] * upper((b-sign*(x+mean))/sd)
	}
	return sum
}

// next carries the density to t, within |Z| ≤ z (Z ≤ z when one-sided). coming
// is the step after this one, which the nodes must resolve as well.
func (w *walk) next(t, z, coming float64) {
	sd, mean := math.Sqrt(t-w.t), w.drift*(t-w.t)
	low, high := w.drift*t-far*math.Sqrt(t), w.drift*t+far*math.Sqrt(t)
	high = math.Min(high, z*math.Sqrt(t))
	if w.sides == TwoSided {
		low = math.Max(low, -z*math.Sqrt(t))
	}
	edge := z * math.Sqrt(t)
	if !(high > low) { // nothing that counts is left
		w.t, w.x, w.weight, w.edge = t, nil, nil, edge
		return
	}
	scale := sd
	if coming > 0 {
		scale = math.Min(scale, math.Sqrt(coming))
	}
	n := nodes((high - low) / scale)
	x, weight := make([]float64, n), make([]float64, n)
	quad.Legendre{}.FixedLocations(x, weight, low, high)
	for j, y := range x {
		sum := 0.0
		for i, from := range w.x {
			u := (y - from - mean) / sd
			if u*u < 100 { // e^−50 and less cannot be seen
				sum += w.weight[i] * math.Exp(-u*u/2) * w.bridged(from, y, edge, t-w.t)
			}
		}
		weight[j] *= sum / (sd * math.Sqrt(2*math.Pi))
	}
	w.t, w.x, w.weight, w.edge = t, x, weight, edge
}

// bridged is the chance that a path from one point to another stays within the
// straight boundary between them: 1 − exp(−2·distance·distance/step) for each
// side, whatever the drift. Both sides at once cannot be reached in so short a
// step. At time 0 there is no boundary yet.
func (w *walk) bridged(from, to, edge, step float64) float64 {
	if !w.always || w.t == 0 {
		return 1
	}
	stay := -math.Expm1(-2 * (w.edge - from) * (edge - to) / step)
	if w.sides == TwoSided {
		stay *= -math.Expm1(-2 * (w.edge + from) * (edge + to) / step)
	}
	return stay
}

// left is the chance that the path still goes on.
func (w *walk) left() float64 { return sum(w.weight) }

// nodes is how many Gauss-Legendre nodes integrate a normal density over a range
// of that many of its standard deviations to about 1e-11.
func nodes(width float64) int {
	return int(math.Min(28+2.5*width, 1200))
}

// Exits gives, for looks at the increasing information times t with the
// boundaries z, the chance that the path crosses for the first time at each look,
// upwards and, if two-sided, downwards (nil if not). drift is the expected z at
// t = 1. An infinite boundary is a look at which nothing can happen. Arguments
// out of their domain (unequal lengths, times that do not rise or pass 10¹², more than
// 1000 looks, NaN) give NaN.
//
// Armitage, McPherson & Rowe (1969); Jennison & Turnbull (2000), chapter 19.
func Exits(t, z []float64, drift float64, sides Sides) (up, down []float64) {
	up = make([]float64, len(t))
	if sides == TwoSided {
		down = make([]float64, len(t))
	}
	if !walkable(t, z, drift, sides) {
		fill(up, math.NaN())
		fill(down, math.NaN())
		return up, down
	}
	w := start(drift, sides)
	for k := range t {
		up[k] = w.above(t[k], z[k])
		if sides == TwoSided {
			down[k] = w.below(t[k], z[k])
		}
		if k+1 < len(t) {
			w.next(t[k], z[k], t[k+1]-t[k])
		}
	}
	return up, down
}

func walkable(t, z []float64, drift float64, sides Sides) bool {
	if len(t) != len(z) || len(t) > maxLooks || math.IsNaN(drift) || math.IsInf(drift, 0) || !sides.valid() || !rising(t) {
		return false
	}
	for _, b := range z {
		if math.IsNaN(b) || (sides == TwoSided && b < 0) {
			return false
		}
	}
	return true
}

// rising says whether information times are positive, increasing and not beyond longest.
func rising(t []float64) bool {
	last := 0.0
	for _, now := range t {
		if !(now > last) || now > longest {
			return false
		}
		last = now
	}
	return true
}

func fill(xs []float64, value float64) {
	for i := range xs {
		xs[i] = value
	}
}
