package yardstick

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Bounds are the ends of an interval.
type Bounds struct{ Low, High float64 }

// TunedRho is the ρ of a mixture whose boundary is narrowest near the variance v
// at error rate alpha, v/(l + ln(1+l)) with l = −2·ln alpha (Howard, Ramdas,
// McAuliffe & Sekhon 2021, prop. 3). One-sided boundaries pass 2·alpha. NaN for a v not
// above 0 or an alpha outside (0, 1).
func TunedRho(v, alpha float64) float64 {
	if !(v > 0) || !(alpha > 0 && alpha < 1) {
		return math.NaN()
	}
	l := -2 * math.Log(alpha)
	return v / (l + math.Log1p(l))
}

// BetaBinomial is the mixture for sums whose increments lie in [−G, H] and are
// sub-Bernoulli: coin tosses minus their mean have G = p, H = 1−p.
type BetaBinomial struct {
	G, H, R  float64
	OneSided bool
}

// NewBetaBinomial tunes it to the variance vOpt at error rate alphaOpt (TunedRho). Where
// that is NaN the mixture is no evidence of anything.
func NewBetaBinomial(vOpt, alphaOpt, g, h float64, oneSided bool) BetaBinomial {
	if oneSided {
		alphaOpt *= 2
	}
	return BetaBinomial{g, h, math.Max(TunedRho(vOpt, alphaOpt)-g*h, 1e-3*g*h), oneSided}
}

// LogE is the log of the mixture at the sum s with variance v: an e-process
// (Howard et al. 2021, prop. 7). Sums that no data have and a mixture without parameters
// are no evidence: −Inf.
func (m BetaBinomial) LogE(s, v float64) float64 {
	width := m.G + m.H
	a, b := (v-m.G*s)/(m.G*width), (v+m.H*s)/(m.H*width)
	a0, b0 := m.R/(m.G*width), m.R/(m.H*width)
	if !(m.G > 0) || !(m.H > 0) || !(v >= 0) || !positive(a0, b0, a0+a, b0+b) {
		return math.Inf(-1)
	}
	e := v/(m.G*m.H)*math.Log(width) - b*math.Log(m.G) - a*math.Log(m.H)
	e += mathext.Lbeta(a0+a, b0+b) - mathext.Lbeta(a0, b0)
	if m.OneSided {
		x := m.H / width
		e += math.Log(mathext.RegIncBeta(a0+a, b0+b, x)) - math.Log(mathext.RegIncBeta(a0, b0, x))
	}
	return evidence(e)
}

// evidence is a log e-value, or none where numbers overflowed.
func evidence(logE float64) float64 {
	if math.IsNaN(logE) {
		return math.Inf(-1)
	}
	return logE
}

// positive reports whether all are above 0 and not so large that nothing can be
// computed with them.
func positive(xs ...float64) bool {
	for _, x := range xs {
		if !(x > 0 && x < 1e100) {
			return false
		}
	}
	return true
}

// Boundary is the sum that the mixture refutes at variance v; at most v/G, which
// no sum can exceed; +Inf where LogE is no evidence.
func (m BetaBinomial) Boundary(v, alpha float64) float64 {
	if !(v > 0) || !(m.G > 0) || !(m.H > 0) || !(m.R > 0) {
		return math.Inf(1)
	}
	return known(boundary(func(s float64) float64 { return m.LogE(s, v) }, alpha, v/m.G))
}

// GammaExponential is the mixture for sub-exponential sums with scale C.
type GammaExponential struct{ Rho, C float64 }

// NewGammaExponential tunes it to the variance vOpt at error rate alphaOpt (TunedRho). Where
// that is NaN the mixture is no evidence of anything.
func NewGammaExponential(vOpt, alphaOpt, c float64) GammaExponential {
	return GammaExponential{TunedRho(vOpt, 2*alphaOpt), c}
}

// LogE is the log of the mixture at the sum s with variance v (Howard et al.
// 2021, prop. 9). Sums that no data have and a mixture without parameters are no evidence:
// −Inf.
func (m GammaExponential) LogE(s, v float64) float64 {
	r := m.Rho / (m.C * m.C)
	shape, x := v/(m.C*m.C)+r, s/m.C+v/(m.C*m.C)
	if !(m.C > 0) || !(v >= 0) || !positive(r, shape, x+r) {
		return math.Inf(-1)
	}
	prior, _ := math.Lgamma(r)
	posterior, _ := math.Lgamma(shape)
	return evidence(r*math.Log(r) - prior - math.Log(mathext.GammaIncReg(r, r)) +
		posterior + math.Log(mathext.GammaIncReg(shape, x+r)) - shape*math.Log(x+r) + x)
}

// Boundary is the sum that the mixture refutes at variance v ≥ 0; +Inf where LogE is no
// evidence.
func (m GammaExponential) Boundary(v, alpha float64) float64 {
	if !(v >= 0) || !(m.Rho > 0) || !(m.C > 0) {
		return math.Inf(1)
	}
	return boundary(func(s float64) float64 { return m.LogE(s, v) }, alpha, math.Inf(1))
}

// GammaPoisson is the mixture for sums that are sub-Poisson with scale C.
type GammaPoisson struct{ Rho, C float64 }

// NewGammaPoisson tunes it to the variance vOpt at error rate alphaOpt (TunedRho). Where
// that is NaN the mixture is no evidence of anything.
func NewGammaPoisson(vOpt, alphaOpt, c float64) GammaPoisson {
	return GammaPoisson{TunedRho(vOpt, 2*alphaOpt), c}
}

// LogE is the log of the mixture at the sum s with variance v (Howard et al.
// 2021, prop. 8). Sums that no data have and a mixture without parameters are no evidence:
// −Inf.
func (m GammaPoisson) LogE(s, v float64) float64 {
	r := m.Rho / (m.C * m.C)
	rate := v/(m.C*m.C) + r
	shape := s/m.C + rate
	if !(m.C > 0) || !(v >= 0) || !positive(r, rate, shape) {
		return math.Inf(-1)
	}
	prior, _ := math.Lgamma(r)
	posterior, _ := math.Lgamma(shape)
	return evidence(r*math.Log(r) - prior - math.Log(mathext.GammaIncRegComp(r, r)) +
		posterior + math.Log(mathext.GammaIncRegComp(shape, rate)) - shape*math.Log(rate) + v/(m.C*m.C))
}

// Boundary is the sum that the mixture refutes at variance v ≥ 0; +Inf where LogE is no
// evidence.
func (m GammaPoisson) Boundary(v, alpha float64) float64 {
	if !(v >= 0) || !(m.Rho > 0) || !(m.C > 0) {
		return math.Inf(1)
	}
	return boundary(func(s float64) float64 { return m.LogE(s, v) }, alpha, math.Inf(1))
}

// boundary is the least sum in [0, most] whose log e-value reaches −ln alpha, or
// most. An invalid alpha, or a mixture that never gets there, gives +Inf.
func boundary(logE func(float64) float64, alpha, most float64) float64 {
	if !(alpha > 0 && alpha < 1) {
		return math.Inf(1)
	}
	limit := -math.Log(alpha)
	high := most
	if math.IsInf(most, 1) {
		for high = 1; !(logE(high) > limit); high *= 2 {
			if high > 1e15 {
				return math.Inf(1)
			}
		}
	} else if !(logE(most) >= limit) {
		return most
	}
	return bisect(0, high, func(s float64) bool { return logE(s) >= limit })
}

// bisect is where a monotone condition turns true.
func bisect(low, high float64, holds func(float64) bool) float64 {
	for range 100 {
		middle := low + (high-low)/2
		if holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low + (high-low)/2
}

// Stitching are the parameters of a polynomially stitched boundary: epochs grow
// by Eta, the errors of the epochs like k^−S, from the variance VMin on; C is
// the scale of the increments (0 for sub-Gaussian sums).
type Stitching struct{ VMin, C, S, Eta float64 }

// Boundary at the variance v (Howard et al. 2021, thm 1 and eq. 10):
// √(k₁²·v·ℓ + k₂²C²ℓ²) + k₂Cℓ with ℓ = S·ln ln(ηv/VMin) + ln(ζ(S)/(α·ln^S η)),
// k₁ = (η^¼ + η^−¼)/√2, k₂ = (√η + 1)/2. It grows like √(v·ln ln v). +Inf for arguments
// outside their domain.
func (s Stitching) Boundary(v, alpha float64) float64 {
	if !(s.VMin > 0) || !(s.S > 1) || !(s.Eta > 1) || !(s.C >= 0) || !(v >= 0) || !(alpha > 0 && alpha < 1) {
		return math.Inf(1)
	}
	v = math.Max(v, s.VMin)
	k1, k2 := stitchConstants(s.Eta)
	l := s.S*math.Log(math.Log(s.Eta*v/s.VMin)) + math.Log(mathext.Zeta(s.S, 1)/(alpha*math.Pow(math.Log(s.Eta), s.S)))
	linear := k2 * s.C * l
	return known(math.Sqrt(k1*k1*v*l+linear*linear) + linear)
}

// known is a boundary, or +Inf where numbers overflowed.
func known(boundary float64) float64 {
	if math.IsNaN(boundary) {
		return math.Inf(1)
	}
	return boundary
}

func stitchConstants(eta float64) (k1, k2 float64) {
	return (math.Pow(eta, 0.25) + math.Pow(eta, -0.25)) / math.Sqrt2, (math.Sqrt(eta) + 1) / 2
}
