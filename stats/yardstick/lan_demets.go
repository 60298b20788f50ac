package yardstick

import "math"

// LanDeMets computes two- or one-sided group-sequential boundaries the way of the
// programs after Reboussin, DeMets, Kim & Lan (2000): the density on an even grid of
// a twentieth of the step's standard deviation, integrated by trapezoids, and a
// boundary searched in steps of 1, 0.1, … until its chance is within 1e-7. The
// numbers differ from the exact ones (package stats/design) in the fourth digit,
// more where little is spent. spent is the cumulative error rate at the increasing
// information times. Arguments that are no such lists (other lengths, more than 1000
// looks, times that do not rise or pass 10¹², rates outside (0, 1)) give NaN.
func LanDeMets(times, spent []float64, twoSided bool) []float64 {
	z := make([]float64, len(times))
	if !monitored(times, spent) {
		for i := range z {
			z[i] = math.NaN()
		}
		return z
	}
	var g trapezoids
	last := 0.0
	for k, t := range times {
		step := t - last
		chance := spent[k]
		if k > 0 {
			chance -= spent[k-1]
		}
		if twoSided {
			chance /= 2
		}
		upper := g.search(chance, math.Sqrt(step), math.Sqrt(t))
		z[k] = upper / math.Sqrt(t)
		low := gridEnd * math.Sqrt(t)
		if twoSided {
			low = -upper
		}
		g = g.next(low, upper, math.Sqrt(step))
		last = t
	}
	return z
}

// monitored reports whether the lists are information times and what is spent at them.
func monitored(times, spent []float64) bool {
	if len(times) > 1000 || len(spent) < len(times) {
		return false
	}
	lastTime, lastSpent := 0.0, 0.0
	for k, t := range times {
		if !(t > lastTime && t <= 1e12) || !(spent[k] >= lastSpent && spent[k] < 1) {
			return false
		}
		lastTime, lastSpent = t, spent[k]
	}
	return true
}

// gridEnd is how many standard deviations the grid reaches, and gridStep its mesh.
const (
	gridEnd   = -8.0
	gridStep  = 0.05
	gridExact = 1e-7
	gridMost  = 8000 // cells: looks a thousandth of the last one's time apart
)

// trapezoids are a density on an even grid; none is the point zero.
type trapezoids struct {
	low, high float64
	density   []float64
}

func (g trapezoids) integrate(f func(x float64) float64) float64 {
	if g.density == nil {
		return f(0)
	}
	h := (g.high - g.low) / float64(len(g.density)-1)
	sum := 0.0
	for i, d := range g.density {
		weight := h
		if i == 0 || i == len(g.density)-1 {
			weight /= 2
		}
		sum += weight * d * f(g.low+float64(i)*h)
	}
	return sum
}

// search finds the upper boundary, from the last one in ever smaller steps.
func (g trapezoids) search(chance, sd, total float64) float64 {
	tail := func(b float64) float64 {
		return g.integrate(func(x float64) float64 { return math.Erfc((b-x)/sd/math.Sqrt2) / 2 })
	}
	if g.density == nil { // one normal tail, cut off where the grid ends
		low, high := gridEnd*sd, -gridEnd*sd
		for range 100 {
			if middle := (low + high) / 2; tail(middle) > chance {
				low = middle
			} else {
				high = middle
			}
		}
		return high
	}
	if chance < gridExact { // the search could not tell it from nothing
		return -gridEnd * total
	}
	b, q := g.high, tail(g.high)
	for step := 1.0; math.Abs(q-chance) > gridExact && step > 1e-12; step /= 10 {
		up := q > chance+gridExact
		for range 50 {
			if up {
				b += step
			} else {
				b -= step
			}
			q = tail(b)
			if (up && q <= chance+gridExact) || (!up && q >= chance-gridExact) {
				break
			}
		}
	}
	return b
}

func (g trapezoids) next(low, high, sd float64) trapezoids {
	n := 1
	if cells := math.Ceil((high - low) / (gridStep * sd)); cells > 1 {
		n = int(math.Min(cells, gridMost))
	}
	out := trapezoids{low: low, high: high, density: make([]float64, n+1)}
	for i := range out.density {
		y := low + (high-low)*float64(i)/float64(n)
		out.density[i] = g.integrate(func(x float64) float64 {
			u := (y - x) / sd
			return math.Exp(-u*u/2) / (sd * math.Sqrt(2*math.Pi))
		})
	}
	return out
}
