package design

import (
	"errors"
	"fmt"
	"math"
)

// Design is a group-sequential test: looks at information fractions, and the z
// that must be exceeded (in absolute value, if two-sided) at each.
type Design struct {
	Alpha float64
	Sides Sides
	Times []float64 // information at the looks; 1 is the plan's end
	Z     []float64 // boundaries; +Inf where next to nothing may be spent
	Spent []float64 // cumulative error rate over the looks
}

// maxLooks bounds the work of a design.
const maxLooks = 1000

// unseen is the error rate per side below which a look's boundary is +Inf: half
// the distance from 1 to the next number. The rate is spent at the next look.
const unseen = 0x1p-53

// ErrDesign says that a design's arguments are out of their domain.
var ErrDesign = errors.New("no group-sequential design")

// New computes the boundaries of a spending function at looks with these
// information fractions: in (0, 1], increasing. A last one below 1 leaves the
// rest of alpha unspent for later looks; Overrun makes it spend everything.
//
// Each boundary solves P(first crossing at look k) = f(t_k) − f(t_{k−1}) by
// bisection in the recursion; equal steps give nine digits (Lan & DeMets 1983). It assumes
// increments that do not depend on the past, as those of means of independent units.
// Arguments outside their domain (NaN, infinite or falling times, more than 1000 looks)
// are ErrDesign.
func New(spending Spending, alpha float64, sides Sides, times []float64) (Design, error) {
	if err := check(alpha, sides, times); err != nil {
		return Design{}, err
	}
	if end := times[len(times)-1]; end > 1 {
		return Design{}, fmt.Errorf("%w: information %v exceeds 1 (see Overrun)", ErrDesign, end)
	}
	spent := make([]float64, len(times))
	for k, t := range times {
		spent[k] = spending.Spent(t, alpha, sides)
		if math.IsNaN(spent[k]) || (k > 0 && spent[k] < spent[k-1]) {
			return Design{}, fmt.Errorf("%w: the spending function %q is not increasing at %v", ErrDesign, spending, t)
		}
	}
	return solve(alpha, sides, times, spent), nil
}

// Overrun is New for looks as they came: information, in units of the planned
// maximum, that may pass 1 (more units than planned, or a smaller variance), and
// the last look spends what is left, however early it is. Times must not have
// been chosen by looking at the effect (Lan & DeMets 1983). Arguments outside their domain
// are ErrDesign.
func Overrun(spending Spending, alpha float64, sides Sides, times []float64) (Design, error) {
	if err := check(alpha, sides, times); err != nil {
		return Design{}, err
	}
	spent := make([]float64, len(times))
	for k, t := range times {
		spent[k] = spending.Spent(t, alpha, sides)
		if math.IsNaN(spent[k]) {
			return Design{}, fmt.Errorf("%w: the spending function %q has no value at %v", ErrDesign, spending, t)
		}
	}
	spent[len(spent)-1] = alpha
	return solve(alpha, sides, times, spent), nil
}

func check(alpha float64, sides Sides, times []float64) error {
	switch {
	case !probability(alpha):
		return fmt.Errorf("%w: the error rate is %v, it must lie between 0 and 1", ErrDesign, alpha)
	case !sides.valid():
		return fmt.Errorf("%w: %d sides", ErrDesign, sides)
	case len(times) == 0 || len(times) > maxLooks:
		return fmt.Errorf("%w: %d looks, it takes 1 to %d", ErrDesign, len(times), maxLooks)
	case !rising(times):
		return fmt.Errorf("%w: information must be positive and increase: %v", ErrDesign, times)
	}
	return nil
}

// solve finds the boundaries of given cumulative error rates.
func solve(alpha float64, sides Sides, times, spent []float64) Design {
	d := Design{Alpha: alpha, Sides: sides, Times: append([]float64(nil), times...), Spent: spent, Z: make([]float64, len(times))}
	w, used := start(0, sides), 0.0
	for k, t := range times {
		target := (spent[k] - used) / float64(sides)
		if target < unseen {
			d.Z[k] = math.Inf(1)
		} else {
			d.Z[k] = w.boundary(t, target, sides)
			used = spent[k]
		}
		if k+1 < len(times) {
			w.next(t, d.Z[k], times[k+1]-t)
		}
	}
	return d
}

// boundary is the z that the surviving paths exceed with this chance. Two-sided
// boundaries cannot be negative.
func (w *walk) boundary(t, target float64, sides Sides) float64 {
	low := -far
	if sides == TwoSided {
		low = 0
	}
	// Logarithms make tiny targets as exact as large ones.
	return root(func(z float64) float64 { return math.Log(w.above(t, z) / target) }, low, 40)
}

// Classical boundaries are of the shape z_k = C·t_k^(Δ−1/2) at equally spaced
// looks (Wang & Tsiatis 1987), C such that all looks together err with alpha:
// Δ = 0 is O'Brien & Fleming (1979), Δ = ½ Pocock (1977).
const (
	ShapeOBrienFleming = 0.0
	ShapePocock        = 0.5
)

// Classical computes such a boundary (Wang & Tsiatis 1987) for a number of equally spaced
// looks; a shape outside [−1, 1] and what New refuses are ErrDesign.
func Classical(shape, alpha float64, sides Sides, looks int) (Design, error) {
	if looks < 1 || looks > maxLooks {
		return Design{}, fmt.Errorf("%w: %d looks, it takes 1 to %d", ErrDesign, looks, maxLooks)
	}
	times := Equal(looks)
	if err := check(alpha, sides, times); err != nil {
		return Design{}, err
	}
	if !(math.Abs(shape) <= 1) {
		return Design{}, fmt.Errorf("%w: the shape is %v, it must lie between -1 and 1", ErrDesign, shape)
	}
	if sides == OneSided && alpha >= 0.5 {
		return Design{}, fmt.Errorf("%w: a one-sided error rate of %v has no boundary of this shape", ErrDesign, alpha)
	}
	d := Design{Alpha: alpha, Sides: sides, Times: times}
	at := func(c float64) []float64 {
		z := make([]float64, looks)
		for k, t := range times {
			z[k] = c * math.Pow(t, shape-0.5)
		}
		return z
	}
	total := func(c float64) float64 {
		up, down := Exits(times, at(c), 0, sides)
		return sum(up) + sum(down)
	}
	// The relation is smooth in C, so that bisection to 1e-12 is exact enough.
	d.Z = at(root(func(c float64) float64 { return math.Log(total(c) / alpha) }, 0, 10))
	up, down := Exits(times, d.Z, 0, sides)
	for k := range up {
		if down != nil {
			up[k] += down[k]
		}
		if k > 0 {
			up[k] += up[k-1]
		}
	}
	d.Spent = up
	return d, nil
}

// Equal gives k equally spaced information fractions, none for k < 1 or more than the
// 1000 looks that a design may have.
func Equal(k int) []float64 {
	if k < 1 || k > maxLooks {
		return nil
	}
	t := make([]float64, k)
	for i := range t {
		t[i] = float64(i+1) / float64(k)
	}
	return t
}

func sum(xs []float64) float64 {
	s := 0.0
	for _, x := range xs {
		s += x
	}
	return s
}
