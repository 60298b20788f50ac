package stats

import "math"

// Heterogeneity says whether an effect differs between disjoint segments, and what
// may be believed of each.
type Heterogeneity struct {
	Segments int     // that have an estimate
	Q        float64 // Cochran's Σw(Δ−Δ̄)² with w = 1/v
	DoF      int     // segments − 1
	P        float64 // of equal effects: chi-square of Q; 1 below two segments
	I2       float64 // share of the spread that chance does not explain, 0..1
	Tau2     float64 // variance of the true effects
	// Fixed is the effect if all segments share it, Random the mean of effects that
	// differ; their errors count as known.
	Fixed, Random Estimate
	// Shrunk are the segments' effects drawn towards Random, in the order given; a
	// segment without an estimate has NaN.
	Shrunk []Estimate
}

// Heterogeneous compares the effects of segments that share no units (Cochran 1954;
// DerSimonian & Laird 1986):
//
//	I² = max(0, (Q − df)/Q)     τ² = max(0, (Q − df)/(Σw − Σw²/Σw))
//
// A segment's effect is shrunk by B = τ²/(τ² + v): B·Δ + (1−B)·Random, with variance
// B·v + (1−B)²·Var(Random) (empirical Bayes; Efron & Morris 1975). While Q is not
// significant the segments are no finding, whatever their own intervals say: of
// twenty segments without a difference one looks like one.
//
// It needs errors that count as known, so a few dozen units a segment; segments
// that have none (NaN, zero variance, numbers whose squares overflow) take no part. Below two segments Q is 0 and
// P is 1, without any Random is NaN.
func Heterogeneous(effects []Estimate) Heterogeneity {
	m := weigh(effects, 0)
	h := Heterogeneity{Segments: m.n, DoF: max(m.n-1, 0), P: 1, Fixed: m.mean()}
	if m.n >= 2 {
		h.Q = m.spread(effects)
		free := float64(h.DoF)
		h.P = chiSquareUpper(h.Q, h.DoF)
		if h.Q > free {
			h.I2 = (h.Q - free) / h.Q
			if scale := m.sum - m.squares/m.sum; scale > 0 { // not when one weight leaves nothing of the others
				h.Tau2 = (h.Q - free) / scale
			}
		}
	}
	h.Random = weigh(effects, h.Tau2).mean()
	h.Shrunk = shrink(effects, h.Tau2, h.Random)
	return h
}

// Tau2REML is the variance of the true effects by restricted maximum likelihood
// (Viechtbauer 2005), the root of
//
//	Σw²(Δ−μ)² − Σw + Σw²/Σw     w = 1/(v + τ²)
//
// or 0 where that is not positive at 0. It is less noisy than DerSimonian and
// Laird's with few segments of very different sizes. 0 below two segments; those without
// an estimate (NaN, zero variance) take no part.
func Tau2REML(effects []Estimate) float64 {
	if weigh(effects, 0).n < 2 {
		return 0
	}
	slope := func(tau2 float64) float64 {
		m := weigh(effects, tau2)
		mu, sum := m.mean().Value, 0.0
		for _, e := range effects {
			if e.weighable() {
				d := (e.Value - mu) / (e.StdError*e.StdError + tau2)
				sum += d * d
			}
		}
		return sum - m.sum + m.squares/m.sum
	}
	if !(slope(0) > 0) {
		return 0
	}
	high := 1e-12
	for slope(high) > 0 && high < 1e300 {
		high *= 2
	}
	low := 0.0
	for range 200 {
		middle := (low + high) / 2
		if slope(middle) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// weights are the sums of w = 1/(v + τ²) over the segments with an estimate.
type weights struct {
	n                    int
	sum, squares, effect float64 // Σw, Σw², Σw·Δ
}

// weighable reports whether the estimate's weight, and squares of it, are numbers.
func (e Estimate) weighable() bool {
	const extreme = 1e75
	return e.usable() && e.StdError > 1/extreme && e.StdError < extreme && math.Abs(e.Value) < extreme
}

func weigh(effects []Estimate, tau2 float64) weights {
	var m weights
	for _, e := range effects {
		if !e.weighable() {
			continue
		}
		w := 1 / (e.StdError*e.StdError + tau2)
		m.n++
		m.sum += w
		m.squares += w * w
		m.effect += w * e.Value
	}
	return m
}

func (m weights) mean() Estimate {
	if m.n == 0 {
		return Estimate{math.NaN(), math.NaN(), math.Inf(1)}
	}
	return Estimate{Value: m.effect / m.sum, StdError: 1 / math.Sqrt(m.sum), DoF: math.Inf(1)}
}

func (m weights) spread(effects []Estimate) float64 {
	mean, q := m.mean().Value, 0.0
	for _, e := range effects {
		if e.weighable() {
			d := (e.Value - mean) / e.StdError
			q += d * d
		}
	}
	return q
}

func shrink(effects []Estimate, tau2 float64, towards Estimate) []Estimate {
	out := make([]Estimate, len(effects))
	for i, e := range effects {
		if !e.weighable() {
			out[i] = Estimate{math.NaN(), math.NaN(), math.Inf(1)}
			continue
		}
		v := e.StdError * e.StdError
		own := tau2 / (tau2 + v)
		rest := (1 - own) * towards.StdError
		out[i] = Estimate{
			Value:    own*e.Value + (1-own)*towards.Value,
			StdError: math.Sqrt(own*v + rest*rest),
			DoF:      math.Inf(1),
		}
	}
	return out
}
