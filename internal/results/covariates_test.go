package results

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// TestSeveralCovariates holds an adjustment by what was before and by an attribute
// that some units lack against least squares on the rows, with slopes of each arm.
func TestSeveralCovariates(t *testing.T) {
	e := checked()
	e.Iterations[0].Metrics[2].Covariate = "pre_period + attrs.age"
	rng := rand.New(rand.NewPCG(31, 7))
	var y, before, age, missing []float64
	var treated []bool
	units := map[bool][][]int64{}
	for i := range 1200 {
		arm := i%3 == 0
		x, a, none := rng.NormFloat64(), 20+10*rng.Float64(), 0.0
		v := 3*x + 0.5*a + 2*rng.NormFloat64()
		if rng.IntN(4) == 0 { // those who do not tell their age spend less
			a, none, v = 0, 1, v-5
		}
		if arm {
			v += 1 + 0.5*x
		}
		u := []int64{int64(math.Round(100 * v)), int64(math.Round(100 * x)), int64(math.Round(1e6 * a)), int64(none)}
		units[arm] = append(units[arm], u)
		y, before, age, missing = append(y, float64(u[0])/100), append(before, float64(u[1])/100), append(age, float64(u[2])/1e6), append(missing, none)
		treated = append(treated, arm)
	}
	rows := []SlowRow{foldedRow("spend", 1, "t", 4, units[true]), foldedRow("spend", 1, "c", 4, units[false])}
	c := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], rows, nil), "spend")
	want := stats.RegressEffect(y, treated, [][]float64{before, age, missing}, stats.OwnSlopes).Coefficient(1, stats.HC2)
	if d := float64(c.Estimate.Absolute.Estimate); math.Abs(d-want.Value) > 0.05*want.StdError {
		t.Errorf("effect %v, least squares %v ± %v", d, want.Value, want.StdError)
	}
	if se := float64(c.Estimate.Absolute.StdError); math.Abs(se/want.StdError-1) > 0.02 {
		t.Errorf("error %v, least squares %v", se, want.StdError)
	}
	plain := stats.RegressEffect(y, treated, nil, stats.SharedSlopes).Coefficient(1, stats.HC2)
	if r, of := float64(c.Reduction), 1-math.Pow(want.StdError/plain.StdError, 2); math.Abs(r-of) > 0.02 {
		t.Errorf("variance reduced by %v, least squares by %v", r, of)
	}
	if len(c.Balances) != 3 || !c.Balances[2].Missing || math.Abs(float64(c.Balances[2].Control.Mean)-0.25) > 0.05 {
		t.Errorf("%+v", c.Balances)
	}
	if s := c.Estimate.Absolute; !(s.Sequential.Low < s.Fixed.Low && s.Fixed.High < s.Sequential.High) {
		t.Errorf("the interval for every look is the narrower one: %+v", s)
	}
}

// TestRatioCovariate: a ratio adjusted by itself before is the regression of units'
// linearised values.
func TestRatioCovariate(t *testing.T) {
	e := checked()
	rng := rand.New(rand.NewPCG(32, 7))
	units := map[bool][][]int64{}
	for i := range 2000 {
		arm, level := i%2 == 0, math.Exp(0.5*rng.NormFloat64())
		total := func(lift float64) (cents, orders int64) {
			for range rng.IntN(6) {
				cents, orders = cents+int64(100*lift*level*(1+rng.Float64())), orders+1
			}
			return cents, orders
		}
		x, z := total(1)
		lift := 1.0
		if arm {
			lift = 1.1
		}
		m, d := total(lift)
		units[arm] = append(units[arm], []int64{m, d, x, z})
	}
	rows := []SlowRow{foldedRow("ratio", 1, "t", 4, units[true]), foldedRow("ratio", 1, "c", 4, units[false])}
	c := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], rows, nil), "ratio")
	arms := map[bool]linear{true: linearised(units[true]), false: linearised(units[false])}
	cov := arms[true].cov()/1000 + arms[false].cov()/1000
	theta := cov / (arms[true].varX()/1000 + arms[false].varX()/1000)
	want := (arms[true].ratio - arms[false].ratio) - theta*(arms[true].before-arms[false].before)
	if d := float64(c.Estimate.Absolute.Estimate); math.Abs(d-want) > 1e-9 {
		t.Errorf("effect %v, by hand %v", d, want)
	}
	plain := (arms[true].varY() + arms[false].varY()) / 1000
	if r := float64(c.Reduction); math.Abs(r-theta*cov/plain) > 1e-6 || r < 0.2 {
		t.Errorf("variance reduced by %v, by hand %v", r, theta*cov/plain)
	}
	if se := float64(c.Estimate.Absolute.StdError); math.Abs(se-math.Sqrt(plain-theta*cov)) > 1e-6 {
		t.Errorf("error %v, by hand %v", se, math.Sqrt(plain-theta*cov))
	}
	if c.Covariate != experiment.PrePeriod || len(c.Balances) != 1 || c.Balances[0].Alarm {
		t.Errorf("%+v", c.Balances)
	}
}

// linear are units' (m − R·d)/d̄ now and before.
type linear struct {
	ratio, before float64
	y, x          []float64
}

func linearised(units [][]int64) linear {
	var sums [4]float64
	for _, u := range units {
		for i := range sums {
			sums[i] += float64(u[i])
		}
	}
	n := float64(len(units))
	out := linear{ratio: sums[0] / sums[1] / 100, before: sums[2] / sums[3] / 100}
	for _, u := range units {
		out.y = append(out.y, (float64(u[0])/100-out.ratio*float64(u[1]))/(sums[1]/n))
		out.x = append(out.x, (float64(u[2])/100-out.before*float64(u[3]))/(sums[3]/n))
	}
	return out
}

func product(a, b []float64) (sum float64) { // of values whose means are 0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum / float64(len(a)-1)
}

func (l linear) varY() float64 { return product(l.y, l.y) }
func (l linear) varX() float64 { return product(l.x, l.x) }
func (l linear) cov() float64  { return product(l.x, l.y) }
