package design

import "math"

// Spending says how much of the error rate may be spent until the information
// fraction t: 0 at t = 0, all of it at t = 1, never less later. It may depend on
// nothing but t, so that looks may come at other times than planned.
type Spending struct {
	name  string
	spent func(t, alpha float64, sides Sides) float64
}

// String names the function.
func (s Spending) String() string { return s.name }

// Spent is the cumulative error rate at t, for an alpha over both sides. It is
// clamped to t in [0, 1] (Lan & DeMets 1983), and NaN for t or alpha outside their domain.
func (s Spending) Spent(t, alpha float64, sides Sides) float64 {
	switch {
	case s.spent == nil || math.IsNaN(t) || !probability(alpha) || !sides.valid():
		return math.NaN()
	case t <= 0:
		return 0
	case t >= 1:
		return alpha
	}
	return math.Min(alpha, math.Max(0, s.spent(t, alpha, sides)))
}

// OBrienFleming is the function of Lan & DeMets (1983) that resembles O'Brien &
// Fleming's boundary: sides·2(1−Φ(z_{1−α/(2·sides)}/√t)). Almost nothing is
// spent early, and the last look costs little. Outside their domain see Spending.Spent.
func OBrienFleming() Spending {
	return Spending{"O'Brien-Fleming type", func(t, alpha float64, sides Sides) float64 {
		return 2 * float64(sides) * upper(upperQuantile(alpha/(2*float64(sides)))/math.Sqrt(t))
	}}
}

// Pocock is the function of Lan & DeMets (1983) that resembles Pocock's constant
// boundary: α·ln(1+(e−1)t). Outside their domain see Spending.Spent.
func Pocock() Spending {
	return Spending{"Pocock type", func(t, alpha float64, _ Sides) float64 {
		return alpha * math.Log1p((math.E-1)*t)
	}}
}

// PowerFamily is Kim & DeMets' (1987) α·t^γ, γ > 0: 1 is even, 3 is close to
// O'Brien and Fleming. Another γ spends NaN, which no design accepts.
func PowerFamily(gamma float64) Spending {
	return Spending{"power family", func(t, alpha float64, _ Sides) float64 {
		if !positive(gamma) {
			return math.NaN()
		}
		return alpha * math.Pow(t, gamma)
	}}
}

// HwangShihDeCani is α(1−e^{−γt})/(1−e^{−γ}) (1990); −4 is close to O'Brien and
// Fleming, 1 to Pocock, 0 is even. A γ that is not finite spends NaN, which no design
// accepts.
func HwangShihDeCani(gamma float64) Spending {
	return Spending{"Hwang-Shih-DeCani", func(t, alpha float64, _ Sides) float64 {
		switch {
		case math.IsInf(gamma, 0):
			return math.NaN()
		case math.Abs(gamma) < 1e-12:
			return alpha * t
		}
		return alpha * hsdShare(t, gamma)
	}}
}

// hsdShare keeps e^{|γ|} from overflowing.
func hsdShare(t, gamma float64) float64 {
	if gamma < 0 { // (e^{|γ|t}−1)/(e^{|γ|}−1), divided by e^{|γ|}
		g := -gamma
		return math.Exp(g*(t-1)) * math.Expm1(-g*t) / math.Expm1(-g)
	}
	return math.Expm1(-gamma*t) / math.Expm1(-gamma)
}
