package yardstick

import "math"

// The functions of this file take values in [0, 1] in their order of arrival and
// return one result per value. From a value outside (or NaN) on they claim
// nothing: the interval is [0, 1], the wealth zero.

// predictable keeps the mean and the variance of the values seen so far, with one
// made-up value of mean ½ and variance ¼ (Waudby-Smith & Ramdas 2023, eq. 15).
type predictable struct{ n, sum, squares float64 }

func (p *predictable) add(x float64) {
	p.n++
	p.sum += x
	mean := p.mean()
	p.squares += (x - mean) * (x - mean)
}

func (p *predictable) mean() float64 { return (0.5 + p.sum) / (p.n + 1) }

// bet is λ_t = √(2·ln(1/alpha)/(t·ln(1+t)·σ̂²_{t−1})) for the next value.
func (p *predictable) bet(alpha float64) float64 {
	t := p.n + 1
	variance := (0.25 + p.squares) / (p.n + 1)
	return math.Sqrt(-2 * math.Log(alpha) / (t * math.Log1p(t) * variance))
}

func inUnit(x float64) bool { return x >= 0 && x <= 1 }

// Betting are the parameters of the hedged capital process: the error rate that
// the bets aim at, the part of the stake that bets on a greater mean, and the
// part of the ruinous bet that is never exceeded (½ and ½ are usual).
type Betting struct{ Alpha, Theta, Truncation float64 }

func (b Betting) valid() bool {
	return b.Alpha > 0 && b.Alpha < 1 && inUnit(b.Theta) && b.Truncation > 0 && b.Truncation <= 1
}

// Wealth of a gambler who bets that the mean is not m, max(θK⁺, (1−θ)K⁻) with
// K± = Π(1 ± λ_t(x_t − m)): an e-process (Waudby-Smith & Ramdas 2023, eq. 26). Zero from a
// value outside [0, 1] on, and for parameters outside their range.
func (b Betting) Wealth(x []float64, m float64) []float64 {
	out := make([]float64, len(x))
	if !b.valid() || !inUnit(m) {
		return out
	}
	var seen predictable
	up, down := b.Theta, 1-b.Theta
	for i, v := range x {
		if !inUnit(v) {
			break
		}
		bet := seen.bet(b.Alpha / 2)
		// A mean of 0 or 1 leaves no bound on one of the bets, and nothing to win
		// by it while the values agree.
		up *= 1 + stake(math.Min(bet, b.Truncation/m), v-m)
		down *= 1 - stake(math.Min(bet, b.Truncation/(1-m)), v-m)
		out[i] = math.Max(up, down)
		seen.add(v)
	}
	return out
}

func stake(bet, gain float64) float64 {
	if gain == 0 {
		return 0
	}
	return bet * gain
}

// Sequence is the confidence sequence of the mean: from the least to the greatest
// of the grid points 0, 1/cells, …, 1 whose wealth is at most 1/α, widened by one
// cell; [0, 1] at a time when no point is left, from a value outside [0, 1] on, and for
// parameters outside their range or more than 10⁵ cells (Waudby-Smith & Ramdas 2023).
func (b Betting) Sequence(x []float64, cells int) []Bounds {
	out := whole(len(x))
	if !b.valid() || cells < 1 || cells > mostCells {
		return out
	}
	kept := make([]bool, len(x))
	for g := range cells + 1 {
		for t, w := range b.Wealth(x, float64(g)/float64(cells)) {
			if w > 1/b.Alpha {
				continue
			}
			if !kept[t] {
				kept[t] = true
				out[t].Low = clip(float64(g-1) / float64(cells))
			}
			out[t].High = clip(float64(g+1) / float64(cells))
		}
	}
	return out
}

// mostCells bounds the work of a sequence.
const mostCells = 100_000

func whole(n int) []Bounds {
	out := make([]Bounds, n)
	for i := range out {
		out[i] = Bounds{0, 1}
	}
	return out
}

// PredictableHoeffding is the confidence sequence of the mean from bets
// λ_t = min(1, √(8·ln(2/α)/(t·ln(1+t)))): Σλx/Σλ ± (ln(2/α) + Σλ²/8)/Σλ
// (Waudby-Smith & Ramdas 2023, prop. 1). [0, 1] from a value outside of it on, and for an
// alpha outside (0, 1).
func PredictableHoeffding(x []float64, alpha float64) []Bounds {
	out := whole(len(x))
	if !(alpha > 0 && alpha < 1) {
		return out
	}
	l := math.Log(2 / alpha)
	var weight, sum, cost float64
	for i, v := range x {
		if !inUnit(v) {
			break
		}
		t := float64(i + 1)
		bet := math.Min(1, math.Sqrt(8*l/(t*math.Log1p(t))))
		weight, sum, cost = weight+bet, sum+bet*v, cost+bet*bet/8
		out[i] = clipped(sum/weight, (l+cost)/weight)
	}
	return out
}

// PredictableBernstein is the confidence sequence of the mean whose width follows
// the variance: Σλx/Σλ ± (ln(2/α) + Σ(x_t − μ̂_{t−1})²·ψ(λ_t))/Σλ with
// ψ(λ) = −ln(1−λ) − λ and bets of at most truncation (Waudby-Smith & Ramdas
// 2023, thm 2). μ̂ is the running mean and starts at 0 for each side. [0, 1] from a value
// outside of it on, and for parameters outside (0, 1).
func PredictableBernstein(x []float64, alpha, truncation float64) []Bounds {
	out := whole(len(x))
	if !(alpha > 0 && alpha < 1) || !(truncation > 0 && truncation < 1) {
		return out
	}
	l := math.Log(2 / alpha)
	var seen predictable
	var weight, sum, low, high float64
	for i, v := range x {
		if !inUnit(v) {
			break
		}
		bet := math.Min(truncation, seen.bet(alpha/2))
		before, rest := seen.before()
		psi := -math.Log1p(-bet) - bet
		weight, sum = weight+bet, sum+bet*v
		low += (v - before) * (v - before) * psi
		high += (1 - v - rest) * (1 - v - rest) * psi
		out[i] = Bounds{clip(sum/weight - (l+low)/weight), clip(sum/weight + (l+high)/weight)}
		seen.add(v)
	}
	return out
}

// before is the running mean of the values and of one minus the values.
func (p *predictable) before() (mean, rest float64) {
	if p.n == 0 {
		return 0, 0
	}
	return p.sum / p.n, 1 - p.sum/p.n
}

// ConjugateBernstein is the confidence sequence of the mean from the
// gamma-exponential mixture at the variance Σ(x_t − μ̂_{t−1})², with half of alpha
// on each side and tuned to the variance vOpt (Howard et al. 2021, thm 4). [0, 1] from a
// value outside of it on, and for parameters outside their range.
func ConjugateBernstein(x []float64, vOpt, alpha float64) []Bounds {
	out := whole(len(x))
	if !(alpha > 0 && alpha < 1) || !(vOpt > 0) {
		return out
	}
	mixture := NewGammaExponential(vOpt, alpha/2, 1)
	mean, sum, variance := 0.5, 0.0, 0.0
	for i, v := range x {
		if !inUnit(v) {
			break
		}
		variance += (v - mean) * (v - mean)
		sum += v
		mean = sum / float64(i+1)
		out[i] = clipped(mean, mixture.Boundary(variance, alpha/2)/float64(i+1))
	}
	return out
}

func clipped(middle, half float64) Bounds { return Bounds{clip(middle - half), clip(middle + half)} }

func clip(x float64) float64 { return math.Min(1, math.Max(0, x)) }
