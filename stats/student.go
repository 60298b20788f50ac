package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// student is Student's t distribution with ν > 0 degrees of freedom, in the variable
//
//	v = √ln(1 + t²/ν)
//
// in which it is nearly normal for every ν: √(ν−½)·v is Hill's (1970) normalising
// transformation. P(|T| ≥ |t|) is the incomplete beta function I_x(ν/2, ½) at
// x = e^(−v²), and comes from one of three sums whose terms all but one have one
// sign, so that no digit is lost in either tail:
//
//   - many degrees of freedom: the uniform expansion of DiDonato & Morris (1992,
//     BGRAT) in T = ν/2 − ¼, erfc(√T·v) and corrections in T⁻²;
//   - far out: the power series of I_x in x;
//   - few degrees of freedom near the middle: one minus that of I_(1−x)(½, ν/2).
type student struct {
	nu, half float64 // ν, and T
	scale    float64 // 1/B(ν/2, ½)
	sum      float64 // of the expansion at v = 0, which makes the whole probability 1
}

const (
	leastDegrees = 1e-300 // so that half of it is a number
	manyDegrees  = 16     // from here on the expansion has 15 digits
	asNormal     = 1e20   // from here on nothing tells it from the normal
	expandWithin = 1      // v² up to which it is used
	seriesFrom   = 0.5    // v² from which few degrees use the series in x
)

// corrections are the coefficients of (sinh(s/2)/(s/2))^(−½) in powers of s².
func corrections() [14]float64 {
	return [...]float64{
		-1. / 48, 1. / 2560, -61. / 7741440, 1.6967665791721782e-07, -3.805064191721906e-09, 8.748377596315407e-11,
		-2.044523359411974e-12, 4.833351797967704e-14, -1.152434101767386e-15, 2.76605204359937e-17,
		-6.67428195089166e-19, 1.61745507718158e-20, -3.93397792009138e-22, 9.597634062586047e-24,
	}
}

func newStudent(nu float64) student {
	if nu < leastDegrees {
		nu = leastDegrees
	}
	s := student{nu: nu, half: nu/2 - 0.25}
	if nu < manyDegrees {
		a := nu / 2
		s.scale = a * math.Gamma(a+0.5) / (math.Gamma(a+1) * math.Sqrt(math.Pi))
		return s
	}
	power, moment := 1.0, 1.0
	s.sum = 1
	for i, c := range corrections() {
		k := float64(2 * i)
		moment *= (k + 0.5) * (k + 1.5)
		power /= s.half * s.half
		add := c * moment * power
		if s.sum += add; math.Abs(add) < 1e-17 {
			break
		}
	}
	s.scale = math.Sqrt(s.half/math.Pi) / s.sum
	return s
}

// at is the v of t.
func (s student) at(t float64) float64 {
	x := math.Abs(t) / math.Sqrt(s.nu)
	switch {
	case math.IsInf(x, 1):
		return math.Sqrt(2*math.Log(math.Abs(t)) - math.Log(s.nu))
	case x > 1e150:
		return math.Sqrt(2 * math.Log(x))
	}
	return math.Sqrt(math.Log1p(x * x))
}

// tail is P(|T| ≥ t) at the v of t, and by how much it falls with v.
func (s student) tail(v float64) (p, density float64) {
	u := v * v
	switch {
	case s.nu >= manyDegrees && u <= expandWithin:
		return s.expansion(v)
	case u >= seriesFrom:
		return s.series(v)
	}
	return s.middle(v)
}

func (s student) expansion(v float64) (p, density float64) {
	u, root := v*v, math.Sqrt(s.half)*v
	x := s.half * u
	e := math.Exp(-x)
	// gamma is Γ(k+½, x)/Γ(½) for k = 0, 2, 4 …, next what its recurrence adds.
	gamma, next, power := math.Erfc(root), root*e/math.Sqrt(math.Pi), 1.0
	p, shape, bend := gamma, 1.0, 1.0
	for i, c := range corrections() {
		k := float64(2 * i)
		gamma = (k+0.5)*gamma + next
		next *= x
		gamma = (k+1.5)*gamma + next
		next *= x
		power /= s.half * s.half
		bend *= u * u
		add := c * power * gamma
		p, shape = p+add, shape+c*bend
		if math.Abs(add) <= 1e-17*p {
			break
		}
	}
	return p / s.sum, 2 * s.scale * e * shape
}

func (s student) series(v float64) (p, density float64) {
	a, x := s.nu/2, math.Exp(-v*v)
	e := math.Exp(-a * v * v)
	sum, term := 1.0, 1.0
	for n := 1.0; n < 200; n++ {
		term *= (n - 0.5) / n * x
		add := term * a / (a + n)
		if sum += add; add < 1e-17*sum {
			break
		}
	}
	return math.Min(1, s.scale/a*e*sum), 2 * s.scale * v * e / math.Sqrt(1-x)
}

func (s student) middle(v float64) (p, density float64) {
	a, y := s.nu/2, -math.Expm1(-v*v)
	e := 2 * s.scale * math.Exp(-a*v*v)
	sum, term := 1.0, 1.0
	for n := 0.0; n < 400; n++ {
		term *= (a + 0.5 + n) / (1.5 + n) * y
		if sum += term; term < 1e-17*sum {
			break
		}
	}
	density = e
	if y > 0 {
		density *= v / math.Sqrt(y)
	}
	return math.Max(0, 1-e*math.Sqrt(y)*sum), density
}

// twoSided is P(|T| ≥ |t|).
func (s student) twoSided(t float64) float64 {
	if s.nu >= asNormal {
		return math.Erfc(math.Abs(t) / math.Sqrt2)
	}
	p, _ := s.tail(s.at(t))
	return p
}

// critical is the t with P(T ≥ t) = tail: Newton's method on ln P, which in v is
// concave for ν ≥ 1 and so converges from anywhere, kept between what is known to
// lie on either side. From Hill's (1970) expansion about the normal quantile one
// step of third order is enough for more than a few degrees of freedom.
func (s student) critical(tail float64) float64 {
	switch {
	case !(tail > 0 && tail <= 0.5 && s.nu > leastDegrees):
		return math.Inf(1)
	case tail == 0.5:
		return 0
	}
	z := -distuv.UnitNormal.Quantile(tail)
	if s.nu >= asNormal {
		return z
	}
	low, high, v := 0.0, math.Inf(1), s.near(z, 2*tail)
	enough := 1e-4 // then the last step's error is the third power of it
	if s.nu < manyDegrees {
		enough = 1e-7 // the density bends otherwise than the step assumes
	}
	for range 200 {
		p, density := s.tail(v)
		off := (p - 2*tail) / (2 * tail)
		if off > 0 {
			low = v
		} else {
			high = v
		}
		settled := math.Abs(off) < enough
		next := v + math.Log1p(off)*p/density
		if settled {
			step := (p - 2*tail) / density
			next = v + step + math.Max(s.half, 0)*v*step*step
		}
		if !(next >= low && next <= high) {
			next = 2*low + 1
			if !math.IsInf(high, 1) {
				next = low + (high-low)/2
			}
		}
		if v = next; settled || high <= low*(1+1e-16) {
			break
		}
	}
	u := v * v
	return math.Sqrt(s.nu) * math.Exp(u/2) * math.Sqrt(-math.Expm1(-u))
}

// near is a v from which critical starts, z being the normal quantile of p/2.
func (s student) near(z, p float64) float64 {
	if s.nu < manyDegrees {
		a := s.nu / 2
		if u := math.Log(s.scale/a/p) / a; u > seriesFrom { // the series' first term
			return math.Sqrt(u)
		}
		return z / math.Sqrt(2*math.Max(s.half, 0.1))
	}
	a := 2 * s.half
	b, y := 48*a*a, z*z
	w := z * (1 + ((((0.4*y+6.3)*y+36)*y+94.5)/(b+0.8*y*y+100)-y-3)/b)
	return w / math.Sqrt(a)
}

// studentTwoSided is P(|T| ≥ |t|) at ν degrees of freedom; ν = +Inf is the
// normal. It is computed as a tail, so it stays accurate far below 1e-16.
func studentTwoSided(t, nu float64) float64 { return newStudent(nu).twoSided(t) }

// studentUpper is P(T ≥ t).
func studentUpper(t, nu float64) float64 {
	half := studentTwoSided(t, nu) / 2
	if t < 0 {
		return 1 - half
	}
	return half
}

// studentCritical is the t with P(T ≥ t) = tail, for tail in (0, 0.5]; +Inf
// without degrees of freedom or for another tail.
func studentCritical(tail, nu float64) float64 { return newStudent(nu).critical(tail) }
