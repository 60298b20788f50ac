package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// joint is the moments of columns, by their definition.
func joint(columns ...[]float64) Joint {
	j := Joint{N: int64(len(columns[0]))}
	for _, c := range columns {
		sum := 0.0
		for _, v := range c {
			sum += v
		}
		j.Mean = append(j.Mean, sum/float64(len(c)))
	}
	for i, a := range columns {
		row := make([]float64, len(columns))
		for k, b := range columns {
			for r := range a {
				row[k] += (a[r] - j.Mean[i]) * (b[r] - j.Mean[k])
			}
		}
		j.Product = append(j.Product, row)
	}
	return j
}

// twoArms draws an outcome with two covariates, whose slopes differ by arm.
func twoArms(rng *rand.Rand, nT, nC int, effect float64) (y []float64, treated []bool, x [][]float64) {
	x = make([][]float64, 2)
	for i := range nT + nC {
		a, b := rng.NormFloat64(), rng.ExpFloat64()
		slope := 0.5
		if i < nT {
			slope = 1.5
		}
		value := slope*a + 0.7*b + rng.NormFloat64()
		if i < nT {
			value += effect
		}
		y, treated = append(y, value), append(treated, i < nT)
		x[0], x[1] = append(x[0], a), append(x[1], b)
	}
	return y, treated, x
}

// TestLinEffectIsTheRegression: what streams is what the rows give.
func TestLinEffectIsTheRegression(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 2))
	for _, n := range [][2]int{{40, 60}, {300, 300}, {5000, 400}} {
		y, treated, x := twoArms(rng, n[0], n[1], 0.4)
		want := RegressEffect(y, treated, x, OwnSlopes).Coefficient(1, HC2)
		m := n[0]
		got := LinEffect(joint(y[:m], x[0][:m], x[1][:m]), joint(y[m:], x[0][m:], x[1][m:]))
		if !nearly(got.Value, want.Value, 1e-9) {
			t.Errorf("%v: effect %.12g, the regression's is %.12g", n, got.Value, want.Value)
		}
		if !nearly(got.StdError, want.StdError, 3/math.Sqrt(float64(min(n[0], n[1])))) {
			t.Errorf("%v: error %.4g, HC2 gives %.4g", n, got.StdError, want.StdError)
		}
	}
}

// TestAdjustedCoverage: with two covariates, 85 : 15 and slopes that differ by arm,
// every adjusted interval covers, and is much shorter than the plain one.
func TestAdjustedCoverage(t *testing.T) {
	const nT, nC, effect = 340, 60, 0.2
	runs := max(1500, *replicates)
	rng := rand.New(rand.NewPCG(5, 8))
	covered, width := map[string]int{}, map[string]float64{}
	for range runs {
		y, treated, x := twoArms(rng, nT, nC, effect)
		treatment, control := joint(y[:nT], x[0][:nT], x[1][:nT]), joint(y[nT:], x[0][nT:], x[1][nT:])
		a := Adjust(treatment, control)
		for name, e := range map[string]Estimate{
			"plain":     Welch(treatment.outcome(), control.outcome()),
			"adjusted":  Welch(a.Treatment, a.Control),
			"own":       LinEffect(treatment, control),
			"HC3, rows": RegressEffect(y, treated, x, OwnSlopes).Coefficient(1, HC3),
		} {
			s := e.Student(0.05)
			if s.Contains(effect) {
				covered[name]++
			}
			width[name] += e.StdError * e.StdError / float64(runs)
		}
	}
	noise := 4 * math.Sqrt(0.05*0.95/float64(runs))
	for name, n := range covered {
		// Two slopes estimated from 60 units cost up to a point of coverage.
		if got := float64(n) / float64(runs); got < 0.94-noise || got > 0.955+noise {
			t.Errorf("%s: coverage %.3f ± %.3f (Monte Carlo)", name, got, noise)
		}
		t.Logf("%s: coverage %.3f, variance %.4f of the plain one", name, float64(n)/float64(runs), width[name]/width["plain"])
		if name != "plain" && width[name] > 0.8*width["plain"] {
			t.Errorf("%s: variance %.4f, plain %.4f", name, width[name], width["plain"])
		}
	}
}

// TestAdjustRatio: the adjusted ratio covers and is better known than the plain one.
func TestAdjustRatio(t *testing.T) {
	const n, lift = 800, 0.05
	runs := max(600, *replicates)
	rng := rand.New(rand.NewPCG(6, 6))
	arm := func(rate float64) Joint {
		columns := make([][]float64, 4)
		for range n {
			own := rate + 0.1*rng.NormFloat64() // a unit's lasting habit
			for part := range 2 {
				events := 1 + math.Floor(rng.ExpFloat64()*5)
				sum := own*events + 0.1*math.Sqrt(events)*rng.NormFloat64()
				if part == 1 {
					sum -= (rate - 0.5) * events // no treatment before
				}
				columns[2*part] = append(columns[2*part], sum)
				columns[2*part+1] = append(columns[2*part+1], events)
			}
		}
		return joint(columns...)
	}
	covered, reduction := 0, 0.0
	for range runs {
		a := AdjustRatio(arm(0.5+lift), arm(0.5))
		if Welch(a.Treatment, a.Control).Student(0.05).Contains(lift) {
			covered++
		}
		reduction += a.Reduction / float64(runs)
	}
	if got, noise := float64(covered)/float64(runs), 4*math.Sqrt(0.05*0.95/float64(runs)); math.Abs(got-0.95) > noise {
		t.Errorf("coverage %.3f, want 0.95 ± %.3f (Monte Carlo)", got, noise)
	}
	// Events are 1 + a geometric number with mean 4.517 and variance 24.92: the
	// linearised sums correlate by 0.01·5.517²/(0.01·55.35 + 0.01·5.517) = 0.5.
	if math.Abs(reduction-0.25) > 0.03 {
		t.Errorf("the variance fell by %.2f on average, want 0.25", reduction)
	}
}

// TestDependentCovariates: a covariate twice, and one that is constant, change nothing.
func TestDependentCovariates(t *testing.T) {
	y, treated, x := twoArms(rand.New(rand.NewPCG(1, 9)), 50, 50, 1)
	sevens := make([]float64, len(y))
	for i := range sevens {
		sevens[i] = 7
	}
	once := Adjust(joint(y[:50], x[0][:50]), joint(y[50:], x[0][50:]))
	again := Adjust(joint(y[:50], x[0][:50], sevens[:50], x[0][:50]), joint(y[50:], x[0][50:], sevens[50:], x[0][50:]))
	if again.Slopes[1] != 0 || again.Slopes[2] != 0 || !nearly(again.Reduction, once.Reduction, 1e-12) {
		t.Errorf("%+v, with one covariate %+v", again, once)
	}
	want := RegressEffect(y, treated, x[:1], OwnSlopes).Coefficient(1, HC2)
	got := RegressEffect(y, treated, [][]float64{x[0], sevens, x[0]}, OwnSlopes).Coefficient(1, HC2)
	if !nearly(got.Value, want.Value, 1e-9) || !nearly(got.StdError, want.StdError, 1e-9) || got.DoF != want.DoF {
		t.Errorf("%+v, with one covariate %+v", got, want)
	}
}

// TestRegressionWithoutBasis: what cannot be fitted claims nothing.
func TestRegressionWithoutBasis(t *testing.T) {
	for name, r := range map[string]Regression{
		"no rows":         Regress(nil, nil),
		"lengths":         RegressEffect([]float64{1, 2, 3}, []bool{true}, nil, SharedSlopes),
		"short covariate": RegressEffect([]float64{1, 2, 3}, []bool{true, false, true}, [][]float64{{1}}, OwnSlopes),
		"a NaN":           RegressEffect([]float64{1, math.NaN(), 3}, []bool{true, false, true}, nil, SharedSlopes),
		"one arm":         RegressEffect([]float64{1, 2, 3}, []bool{true, true, true}, nil, SharedSlopes),
		"no freedom":      RegressEffect([]float64{1, 2}, []bool{true, false}, nil, SharedSlopes),
	} {
		for _, errors := range []Errors{Classic, HC0, HC1, HC2, HC3, "other"} {
			if e := r.Coefficient(1, errors).Student(0.05); e.Interval != everything() || e.P != 1 {
				t.Errorf("%s, %s: %+v", name, errors, e)
			}
		}
	}
}

// TestAnytimeStudentAgrees: the interval excludes zero exactly when p is below alpha,
// and never has a lower end above its upper one.
func TestAnytimeStudentAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Estimate{
			Value:    rapid.Float64Range(-100, 100).Draw(t, "value"),
			StdError: rapid.Float64Range(0, 10).Draw(t, "error"),
			DoF:      rapid.SampledFrom([]float64{0.5, 1, 3, 30, 1e4, 1e9, math.Inf(1)}).Draw(t, "dof"),
		}
		n := rapid.IntRange(0, 1e6).Draw(t, "n")
		alpha := rapid.Float64Range(0.001, 0.4).Draw(t, "alpha")
		got := e.AnytimeStudent(n, rapid.Float64Range(0, 1e4).Draw(t, "g"), alpha)
		if math.IsNaN(got.P) || got.P < 0 || got.P > 1 || !(got.Low <= got.High) {
			t.Fatalf("%+v", got)
		}
		if math.Abs(got.P/alpha-1) > 1e-6 && got.Contains(0) == (got.P < alpha) {
			t.Fatalf("p %g at alpha %g, and the interval is %+v", got.P, alpha, got.Interval)
		}
	})
}

// TestAnytimeStudentHoldsAtEveryLook: normal data without an effect, looked at after
// every unit from the fourth on.
func TestAnytimeStudentHoldsAtEveryLook(t *testing.T) {
	runs := max(1000, *replicates)
	rng := rand.New(rand.NewPCG(4, 4))
	const alpha, units, g = 0.1, 400, 10
	alarms := 0
	for range runs {
		var arms [2]Moments
		for i := range units {
			arms[i%2] = arms[i%2].Merge(one(rng.NormFloat64()))
			if i < 4 {
				continue
			}
			n := float64(i + 1)
			s2 := (arms[0].M2 + arms[1].M2) / (n - 2)
			e := Estimate{arms[1].Mean - arms[0].Mean, math.Sqrt(s2 * (1/float64(arms[0].N) + 1/float64(arms[1].N))), n - 2}
			if e.AnytimeStudent(i+1, g, alpha).P < alpha {
				alarms++
				break
			}
		}
	}
	got, noise := float64(alarms)/float64(runs), 3*math.Sqrt(alpha*(1-alpha)/float64(runs))
	t.Logf("false alarms %.3f", got)
	if got > alpha+noise || got < alpha/10 {
		t.Errorf("false alarms %.3f, allowed %.2f + %.3f (Monte Carlo)", got, alpha, noise)
	}
}
