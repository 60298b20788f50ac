package stats

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// values are units' totals as the ledger keeps them: integers below 2^47.
func values(t *rapid.T, least int, label string) []int64 {
	scale := rapid.SampledFrom([]int64{1, 10, 1000, 1 << 46}).Draw(t, label+" scale")
	return rapid.SliceOfN(rapid.Int64Range(-scale, scale), least, 40).Draw(t, label)
}

// sums are the exact ledger sums of values.
func sums(values []int64) (nonZero int64, sum, squares *big.Int) {
	sum, squares = new(big.Int), new(big.Int)
	for _, v := range values {
		if v != 0 {
			nonZero++
		}
		x := big.NewInt(v)
		sum.Add(sum, x)
		squares.Add(squares, new(big.Int).Mul(x, x))
	}
	return nonZero, sum, squares
}

func fromValues(values []int64, decimals int) Moments {
	nonZero, sum, squares := sums(values)
	return FromSums(int64(len(values)), nonZero, sum, squares, decimals)
}

func nearly(got, want, tolerance float64) bool {
	return got == want || math.Abs(got-want) <= tolerance*math.Max(math.Abs(got), math.Abs(want))
}

func TestFromSumsIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shift := rapid.Int64Range(0, 1<<46).Draw(t, "shift")
		decimals := rapid.IntRange(0, 12).Draw(t, "decimals")
		vs := values(t, 1, "y")
		for i := range vs {
			vs[i] += shift
		}
		got := fromValues(vs, decimals)

		// The definition, in rationals: mean = Σy/n, M2 = Σ(y−mean)².
		unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
		mean, m2 := new(big.Rat), new(big.Rat)
		for _, v := range vs {
			mean.Add(mean, new(big.Rat).Quo(new(big.Rat).SetInt64(v), unit))
		}
		mean.Quo(mean, new(big.Rat).SetInt64(int64(len(vs))))
		for _, v := range vs {
			d := new(big.Rat).Sub(new(big.Rat).Quo(new(big.Rat).SetInt64(v), unit), mean)
			m2.Add(m2, d.Mul(d, d))
		}
		wantMean, _ := mean.Float64()
		wantM2, _ := m2.Float64()
		if !nearly(got.Mean, wantMean, 1e-15) || !nearly(got.M2, wantM2, 1e-15) {
			t.Fatalf("got mean %v M2 %v, want %v %v", got.Mean, got.M2, wantMean, wantM2)
		}
	})
}

func TestMergeIsAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := values(t, 0, "a"), values(t, 0, "b"), values(t, 0, "c")
		ma, mb, mc := fromValues(a, 3), fromValues(b, 3), fromValues(c, 3)
		whole := fromValues(append(append(append([]int64{}, a...), b...), c...), 3)
		scale := math.Abs(ma.Mean) + math.Abs(mb.Mean) + math.Abs(mc.Mean) + math.Sqrt(whole.M2)
		for name, m := range map[string]Moments{
			"(a+b)+c": ma.Merge(mb).Merge(mc), "a+(b+c)": ma.Merge(mb.Merge(mc)), "c+b+a": mc.Merge(mb).Merge(ma),
		} {
			if m.N != whole.N || m.NonZero != whole.NonZero {
				t.Fatalf("%s has %d units, %d non-zero; want %d, %d", name, m.N, m.NonZero, whole.N, whole.NonZero)
			}
			if math.Abs(m.Mean-whole.Mean) > 1e-12*scale || math.Abs(m.M2-whole.M2) > 1e-12*scale*scale {
				t.Fatalf("%s = %v, want %v", name, m, whole)
			}
		}
	})
}

// arm draws plausible moments: a mean, a standard deviation and a number of units.
func arm(t *rapid.T, label string) Moments {
	n := rapid.Int64Range(2, 1_000_000).Draw(t, label+" n")
	sd := rapid.Float64Range(0.01, 100).Draw(t, label+" sd")
	return Moments{
		N: n, NonZero: rapid.Int64Range(0, n).Draw(t, label+" non-zero"),
		Mean: rapid.Float64Range(-10, 10).Draw(t, label+" mean"), M2: sd * sd * float64(n-1),
	}
}

func pairs(t *rapid.T) (strata []Stratum) {
	for k := range rapid.IntRange(1, 4).Draw(t, "phases") {
		strata = append(strata, Stratum{fmt.Sprint(k), arm(t, "treatment"), arm(t, "control")})
	}
	return strata
}

func plans(t *rapid.T) Plan {
	return Plan{
		PlannedUnits:   rapid.Float64Range(100, 1e7).Draw(t, "planned"),
		TreatmentShare: rapid.Float64Range(0.01, 0.99).Draw(t, "share"),
		Alpha:          rapid.Float64Range(0.001, 0.2).Draw(t, "alpha"),
		Strict:         rapid.Bool().Draw(t, "strict"),
	}
}

// TestIntervalsAgreeWithTests: an interval contains its estimate, p < α exactly
// when it excludes zero, and the relative interval, where it is bounded, decides
// as the absolute one does.
func TestIntervalsAgreeWithTests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pair, plan := Combine(pairs(t)), plans(t)
		for name, r := range map[string]Result{"fixed": pair.Fixed(plan.Alpha), "sequential": pair.Sequential(plan)} {
			if !r.Absolute.Contains(r.Absolute.Estimate) ||
				!r.Relative.Contains(r.Relative.Estimate) && pair.Control.Mean != 0 {
				t.Fatalf("%s: an interval misses its estimate: %+v", name, r)
			}
			if nearTie(r.Absolute.P, plan.Alpha) {
				continue
			}
			rejects := r.Absolute.P < plan.Alpha
			if excluded := !r.Absolute.Contains(0); excluded != rejects {
				t.Fatalf("%s: p = %v at α = %v but the interval is %v", name, r.Absolute.P, plan.Alpha, r.Absolute.Interval)
			}
			if math.IsInf(r.Relative.Low, 0) {
				continue
			}
			if excluded := !r.Relative.Contains(0); excluded != rejects {
				t.Fatalf("%s: p = %v at α = %v but the relative interval is %v", name, r.Absolute.P, plan.Alpha, r.Relative.Interval)
			}
		}
	})
}

// nearTie is where rounding may decide either way.
func nearTie(p, alpha float64) bool { return math.Abs(p-alpha) < 1e-9*alpha }

// TestDecisionsAgreeWithBounds: a one-sided test rejects exactly when its bound
// lies beyond the margin, and harm and non-inferiority are never both shown.
func TestDecisionsAgreeWithBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pair, plan := Combine(pairs(t)), plans(t)
		m := Margin{rapid.Float64Range(0, 2).Draw(t, "margin"), rapid.Bool().Draw(t, "relative")}
		d := rapid.SampledFrom([]Direction{IncreaseIsGood, DecreaseIsGood}).Draw(t, "direction")
		harmful, healthy := pair.TestHarm(m, d, plan), pair.TestNonInferior(m, d, plan)
		if harmful.Reject && healthy.Reject {
			t.Fatalf("both shown: %+v %+v", harmful, healthy)
		}
		for name, got := range map[string]struct {
			Decision
			beyond bool
		}{
			"harm":    {harmful, harmful.Bound > m.Value},
			"healthy": {healthy, healthy.Bound < m.Value},
		} {
			if math.IsInf(got.Bound, 0) || nearTie(got.P, plan.Alpha) || nearly(got.Bound, m.Value, 1e-9) {
				continue
			}
			if got.Reject != got.beyond || got.Reject != (got.Z > got.Threshold) {
				t.Fatalf("%s: margin %v but %+v", name, m, got.Decision)
			}
		}
	})
}

// TestOnePhaseIsTheTextbook: at planned shares the stratified machinery is the
// formula for two means with n units.
func TestOnePhaseIsTheTextbook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr, co := arm(t, "treatment"), arm(t, "control")
		n := float64(tr.N + co.N)
		plan := plans(t)
		plan.TreatmentShare, plan.Strict = float64(tr.N)/n, false
		got := Combine([]Stratum{{"1", tr, co}}).Sequential(plan)

		effect := tr.Mean - co.Mean
		se := math.Sqrt(tr.M2/float64(tr.N-1)/float64(tr.N) + co.M2/float64(co.N-1)/float64(co.N))
		l := math.Log(1 / plan.Alpha)
		rho2 := (2*l + math.Log(1+2*l)) / plan.PlannedUnits
		half := se * math.Sqrt(2*(n*rho2+1)/(n*rho2)*math.Log(math.Sqrt(n*rho2+1)/plan.Alpha))
		if !nearly(got.Absolute.StdError, se, 1e-9) || !nearly(got.Absolute.High-got.Absolute.Low, 2*half, 1e-6) ||
			math.Abs(got.Absolute.Estimate-effect) > 1e-12 {
			t.Fatalf("got %+v, want %v ± %v (error %v)", got.Absolute, effect, half, se)
		}
	})
}

// TestPhasesDoNotMakeEffects: arms with equal means within every phase have no
// effect, whatever the trend over phases and however the shares shift; pooling
// the same phases would show one (Simpson).
func TestPhasesDoNotMakeEffects(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var strata []Stratum
		var pooledT, pooledC Moments
		mean := 0.0
		for k, share := range []float64{0.01, 0.1, 0.5} {
			mean += rapid.Float64Range(1, 5).Draw(t, "trend")
			n := rapid.Float64Range(1e5, 2e5).Draw(t, "units")
			side := func(units float64) Moments {
				return Moments{N: int64(units), NonZero: int64(units), Mean: mean, M2: units}
			}
			s := Stratum{fmt.Sprint(k), side(n * share), side(n * (1 - share))}
			strata = append(strata, s)
			pooledT, pooledC = pooledT.Merge(s.Treatment), pooledC.Merge(s.Control)
		}
		if math.Abs(pooledT.Mean-pooledC.Mean) < 0.05 {
			t.Fatalf("the phases are too alike to test anything: %v %v", pooledT.Mean, pooledC.Mean)
		}
		pair := Combine(strata)
		if r := pair.Sequential(plans(t)); math.Abs(r.Absolute.Estimate) > 1e-12 || r.Absolute.P < 0.999 {
			t.Fatalf("an effect from nothing: %+v", r.Absolute)
		}
	})
}
