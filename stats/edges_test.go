package stats

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

var usual = Plan{PlannedUnits: 10_000, TreatmentShare: 0.5, Alpha: 0.05}

// conversions is an arm of zeros and ones.
func conversions(n, ones int64) Moments {
	return FromSums(n, ones, big.NewInt(ones), big.NewInt(ones), 0)
}

// same is an arm whose units all have one value.
func same(n int64, value float64) Moments {
	return Moments{N: n, NonZero: n, Mean: value}
}

func single(treatment, control Moments) Pair { return Combine([]Stratum{{"1", treatment, control}}) }

func codes(warnings []Warning) (out []Code) {
	for _, w := range warnings {
		out = append(out, w.Code)
	}
	return out
}

func wantCodes(t *testing.T, warnings []Warning, want ...Code) {
	t.Helper()
	for _, c := range want {
		if !slices.Contains(codes(warnings), c) {
			t.Errorf("warnings are %v, want %v among them", codes(warnings), c)
		}
	}
	for _, w := range warnings {
		if w.Message == "" {
			t.Errorf("warning %v says nothing", w.Code)
		}
	}
}

// TestNoBasis: where nothing can be known nothing is claimed, and it is said why.
func TestNoBasis(t *testing.T) {
	broken := Moments{N: 10, Mean: math.NaN(), M2: 1}
	negative := Moments{N: 10, Mean: 1, M2: -1}
	cases := []struct {
		name     string
		pair     Pair
		plan     Plan
		estimate bool // is there a point estimate?
		code     Code
	}{
		{"zero value", Pair{}, usual, false, NoBasis},
		{"no phases", Combine(nil), usual, false, NoBasis},
		{"no units", single(Moments{}, Moments{}), usual, false, PhaseLeftOut},
		{"one unit in an arm", single(conversions(1, 1), conversions(100, 10)), usual, false, PhaseLeftOut},
		{"NaN in the moments", single(broken, conversions(100, 10)), usual, false, InvalidMoments},
		{"negative variance", single(conversions(100, 10), negative), usual, false, InvalidMoments},
		{"no variance, no effect", single(same(100, 0), same(100, 0)), usual, true, ZeroVariance},
		{"no error rate", single(conversions(100, 10), conversions(100, 50)), Plan{}, true, InvalidPlan},
		{"absurd error rate", single(conversions(100, 10), conversions(100, 50)), Plan{Alpha: math.NaN()}, true, InvalidPlan},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for name, r := range map[string]Result{"fixed": c.pair.Fixed(c.plan.Alpha), "sequential": c.pair.Sequential(c.plan)} {
				wantCodes(t, r.Warnings, c.code)
				for _, e := range []Effect{r.Absolute, r.Relative} {
					if e.P != 1 || !math.IsInf(e.Low, -1) || !math.IsInf(e.High, 1) {
						t.Errorf("%s claims %+v", name, e)
					}
				}
				if math.IsNaN(r.Absolute.Estimate) == c.estimate {
					t.Errorf("%s: estimate is %v", name, r.Absolute.Estimate)
				}
			}
			for _, m := range []Margin{{}, {Value: 0.1}, {Value: 0.1, Relative: true}} {
				for _, d := range []Direction{IncreaseIsGood, DecreaseIsGood} {
					for _, got := range []Decision{c.pair.TestHarm(m, d, c.plan), c.pair.TestNonInferior(m, d, c.plan)} {
						if got.Reject || got.P != 1 || !math.IsInf(got.Bound, 0) || math.IsNaN(got.Z) {
							t.Errorf("margin %v: %+v", m, got)
						}
						wantCodes(t, got.Warnings, c.code)
					}
				}
			}
		})
	}
}

// TestRefusals: a direction or margin that makes no sense decides nothing, even
// where the harm is plain.
func TestRefusals(t *testing.T) {
	harmed := single(conversions(10_000, 100), conversions(10_000, 1000))
	if !harmed.TestHarm(Margin{}, IncreaseIsGood, usual).Reject {
		t.Fatal("the harm is not plain")
	}
	for name, got := range map[string]Decision{
		"no direction":    harmed.TestHarm(Margin{}, 0, usual),
		"negative margin": harmed.TestHarm(Margin{Value: -0.1}, IncreaseIsGood, usual),
		"NaN margin":      harmed.TestHarm(Margin{Value: math.NaN()}, IncreaseIsGood, usual),
		"infinite margin": harmed.TestNonInferior(Margin{Value: math.Inf(1)}, IncreaseIsGood, usual),
	} {
		if got.Reject || got.P != 1 {
			t.Errorf("%s: %+v", name, got)
		}
		wantCodes(t, got.Warnings, InvalidPlan)
	}
}

// TestTotalLoss: a treatment that lost everything has no variance of its own and
// no non-zero unit, and still can breach, absolute or relative, with the gate
// open; a control that lost everything can show a rise in a metric that should not.
func TestTotalLoss(t *testing.T) {
	lost := single(conversions(2_000, 0), conversions(2_000, 200))
	if g := lost.Gate(0.5, true); !g.Passes || g.Have != 100 || g.Need != 30 {
		t.Errorf("gate: %+v", g)
	}
	for _, m := range []Margin{{}, {Value: 0.02}, {Value: 0.3, Relative: true}} {
		if got := lost.TestHarm(m, IncreaseIsGood, usual); !got.Reject {
			t.Errorf("margin %v is not breached: %+v", m, got)
		}
		if got := lost.TestNonInferior(m, IncreaseIsGood, usual); got.Reject {
			t.Errorf("margin %v is called healthy: %+v", m, got)
		}
	}
	risen := single(conversions(2_000, 200), conversions(2_000, 0))
	got := risen.TestHarm(Margin{Value: 0.3, Relative: true}, DecreaseIsGood, usual)
	if !got.Reject || !math.IsNaN(got.Estimate) || !math.IsInf(got.Bound, -1) {
		t.Errorf("errors out of nothing: %+v", got)
	}
	wantCodes(t, got.Warnings, BaselineNearZero)
}

// TestRelativeBaselines: lifts are fractions of |control mean|.
func TestRelativeBaselines(t *testing.T) {
	around := func(mean float64) Moments { return Moments{N: 5_000, NonZero: 5_000, Mean: mean, M2: 5_000} }

	t.Run("negative", func(t *testing.T) {
		// From −2 to −1.5: half a unit better, a quarter of 2.
		got := single(around(-1.5), around(-2)).Sequential(usual).Relative
		mirrored := single(around(1.5), around(2)).Sequential(usual).Relative
		if !nearly(got.Estimate, 0.25, 1e-12) || !got.Contains(0.25) || got.Contains(0) {
			t.Errorf("lift %+v, want 0.25", got)
		}
		if !nearly(got.Low, -mirrored.High, 1e-9) || !nearly(got.High, -mirrored.Low, 1e-9) {
			t.Errorf("%v is not the mirror image of %v", got.Interval, mirrored.Interval)
		}
		worse := single(around(-2.5), around(-2))
		if d := worse.TestHarm(Margin{0.1, true}, IncreaseIsGood, usual); !d.Reject || !nearly(d.Estimate, 0.25, 1e-12) {
			t.Errorf("25%% worse is not beyond 10%%: %+v", d)
		}
		if d := worse.TestHarm(Margin{0.4, true}, IncreaseIsGood, usual); d.Reject {
			t.Errorf("25%% worse is beyond 40%%: %+v", d)
		}
		if d := worse.TestNonInferior(Margin{0.4, true}, IncreaseIsGood, usual); !d.Reject {
			t.Errorf("25%% worse is not within 40%%: %+v", d)
		}
	})
	t.Run("near zero", func(t *testing.T) {
		got := single(around(0.5), around(0.001)).Sequential(usual)
		if !math.IsInf(got.Relative.Low, -1) || !math.IsInf(got.Relative.High, 1) || math.IsInf(got.Absolute.Low, 0) {
			t.Errorf("got %+v", got)
		}
		wantCodes(t, got.Warnings, BaselineNearZero)
	})
	t.Run("zero", func(t *testing.T) {
		got := single(around(0.5), around(0)).Fixed(0.05)
		if !math.IsNaN(got.Relative.Estimate) || !math.IsInf(got.Relative.Low, -1) {
			t.Errorf("got %+v", got.Relative)
		}
		wantCodes(t, got.Warnings, BaselineNearZero)
	})
}

// TestLeftOutPhases: a phase without two units in each arm changes nothing but
// the list of those left out.
func TestLeftOutPhases(t *testing.T) {
	whole := Stratum{"main", conversions(500, 50), conversions(500, 60)}
	thin := Stratum{"1 %", conversions(1, 1), conversions(99, 9)}
	with, without := Combine([]Stratum{thin, whole}), Combine([]Stratum{whole})
	if with.Treatment != without.Treatment || with.Weight != without.Weight {
		t.Errorf("the thin phase counts: %+v, %+v", with, without)
	}
	if !slices.Equal(with.LeftOut, []string{"1 %"}) {
		t.Errorf("left out: %v", with.LeftOut)
	}
	wantCodes(t, with.Sequential(usual).Warnings, PhaseLeftOut)
}

func TestDefaultsAreSaid(t *testing.T) {
	pair := single(conversions(5_000, 500), conversions(5_000, 600))
	bare := pair.Sequential(Plan{Alpha: 0.05})
	wantCodes(t, bare.Warnings, DefaultPlan)
	if full := pair.Sequential(usual); bare.Absolute != full.Absolute || len(full.Warnings) != 0 {
		t.Errorf("the defaults are not %+v: %+v, %+v", usual, bare, full)
	}
	wantCodes(t, single(conversions(20, 5), conversions(2000, 500)).Fixed(0.05).Warnings, FewUnits)
}

func TestGate(t *testing.T) {
	pair := single(conversions(100_000, 100), conversions(900_000, 399))
	cases := []struct {
		share  float64
		binary bool
		passes bool
		have   float64
	}{
		{0.1, false, false, 49.9},
		{0.1, true, true, 49.9},
		{0.9, true, true, 49.9}, // either arm's share will do
		{0.5, false, true, 249.5},
		{0, false, false, 0},
		{1, true, false, 0},
		{math.NaN(), true, false, 0},
	}
	for _, c := range cases {
		g := pair.Gate(c.share, c.binary)
		if g.Passes != c.passes || math.Abs(g.Have-c.have) > 1e-9 {
			t.Errorf("share %v, binary %v: %+v", c.share, c.binary, g)
		}
		if g.Passes != (len(g.Warnings) == 0) {
			t.Errorf("share %v: passes %v with warnings %v", c.share, g.Passes, g.Warnings)
		}
	}
}

func TestSampleRatioEdges(t *testing.T) {
	cases := []struct {
		name   string
		counts []int64
		shares []float64
		code   Code
		logBF  float64
	}{
		{"nothing", nil, nil, InvalidPlan, 0},
		{"no units", []int64{0, 0}, []float64{1, 1}, NoBasis, 0},
		{"unequal lengths", []int64{1}, []float64{1, 1}, InvalidPlan, 0},
		{"negative share", []int64{1, 1}, []float64{1, -1}, InvalidPlan, 0},
		{"NaN share", []int64{1, 1}, []float64{1, math.NaN()}, InvalidPlan, 0},
		{"negative count", []int64{1, -1}, []float64{1, 1}, InvalidPlan, 0},
		{"one arm", []int64{100, 5}, []float64{1, 0}, UnplannedArm, 0},
		{"few", []int64{3, 4}, []float64{1, 1}, SmallExpected, math.NaN()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := SampleRatio(c.counts, c.shares)
			wantCodes(t, s.Warnings, c.code)
			if !math.IsNaN(c.logBF) && (s.LogBF != c.logBF || s.P != 1 || s.ChiSquareP != 1) {
				t.Errorf("claims %+v", s)
			}
			if math.IsNaN(s.P) || math.IsNaN(s.ChiSquareP) || math.IsNaN(s.LogBF) {
				t.Errorf("NaN escapes: %+v", s)
			}
		})
	}
	if s := SampleRatio([]int64{600_000, 400_000}, []float64{1, 1}); s.P != 0 && s.P > 1e-300 || s.ChiSquareP > 1e-300 {
		t.Errorf("a plain break: %+v", s)
	}
	stragglers := SampleRatio([]int64{50_000, 50_000, 7}, []float64{1, 1, 0})
	if stragglers.P != SampleRatio([]int64{50_000, 50_000}, []float64{1, 1}).P {
		t.Errorf("stragglers count: %+v", stragglers)
	}
}

func TestSRMThreshold(t *testing.T) {
	total := 0.0
	for phase := 1; phase <= 60; phase++ {
		total += SRMThreshold(phase)
	}
	if SRMThreshold(1) != 0.005 || SRMThreshold(2) != 0.0025 || math.Abs(total-0.01) > 1e-12 {
		t.Errorf("thresholds: %v, %v, in total %v", SRMThreshold(1), SRMThreshold(2), total)
	}
	if SRMThreshold(0) != SRMThreshold(1) || SRMThreshold(-5) != SRMThreshold(1) {
		t.Error("a phase below one is not the first")
	}
}

func TestFromSumsEdges(t *testing.T) {
	if got := FromSums(0, 0, big.NewInt(5), big.NewInt(25), 2); got != (Moments{}) {
		t.Errorf("no units: %+v", got)
	}
	// 2^46 ± 1 millionth of a unit: raw sums in float64 would see no variance.
	vs := []int64{1<<46 - 1, 1<<46 + 1}
	if got := fromValues(vs, 6); got.M2 != 2e-12 {
		t.Errorf("M2 = %v, want 2e-12", got.M2)
	}
	if got := FromSums(2, 2, big.NewInt(10), big.NewInt(1), 0); got.M2 >= 0 {
		t.Errorf("impossible sums give M2 = %v", got.M2)
	}
	if v := (Moments{N: 1, Mean: 3}).Variance(); !math.IsNaN(v) {
		t.Errorf("the variance of one unit is %v", v)
	}
}

func BenchmarkCombineSequential(b *testing.B) {
	strata := []Stratum{
		{"1 %", conversions(100, 10), conversions(9_900, 1_000)},
		{"50 %", conversions(50_000, 5_000), conversions(50_000, 5_100)},
	}
	for b.Loop() {
		Combine(strata).Sequential(usual)
	}
}

func BenchmarkGuard(b *testing.B) {
	sum, squares := big.NewInt(123_456_789_012), new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil)
	for b.Loop() {
		arm := FromSums(50_000, 5_000, sum, squares, 6)
		pair := Combine([]Stratum{{"1", arm, arm}})
		pair.Gate(0.5, false)
		pair.TestHarm(Margin{0.05, true}, IncreaseIsGood, usual)
		pair.TestNonInferior(Margin{0.05, true}, IncreaseIsGood, usual)
	}
}

func BenchmarkFixed(b *testing.B) {
	pair := single(conversions(50_000, 5_000), conversions(50_000, 5_100))
	for b.Loop() {
		pair.Fixed(0.05)
	}
}

// TestFiellerKeepsSmallLifts: a lift far below the digits of the means' ratio.
func TestFiellerKeepsSmallLifts(t *testing.T) {
	const tiny = 0x1p-45
	got, ok := FiellerLift(1+tiny, 1e-40, 1, 1e-40, 2)
	half := 2 * math.Sqrt(2e-40)
	if !ok || !nearly(got.Low, tiny-half, 1e-9) || !nearly(got.High, tiny+half, 1e-9) {
		t.Errorf("%v, want %v ± %v", got, tiny, half)
	}
	got, ok = FiellerLift(-1-tiny, 1e-40, -1, 1e-40, 2)
	if !ok || !nearly(got.Low, -tiny-half, 1e-9) || !nearly(got.High, -tiny+half, 1e-9) {
		t.Errorf("negative means: %v, want %v ± %v", got, -tiny, half)
	}
}

// TestEffectSlopeEdges: without two times, with impossible moments or few units there
// is no slope; without variance no error.
func TestEffectSlopeEdges(t *testing.T) {
	at := func(when, effect, m2 float64, n int64) TimedStratum {
		return TimedStratum{Stratum: Stratum{Treatment: Moments{N: n, Mean: 1 + effect, M2: m2}, Control: Moments{N: n, Mean: 1, M2: m2}}, Group: "1", At: when}
	}
	for name, strata := range map[string][]TimedStratum{
		"nothing":         nil,
		"one time":        {at(1, 1, 5, 100), at(1, 2, 5, 100)},
		"few units":       {at(1, 1, 5, 100), at(2, 2, 5, 29)},
		"no data's":       {at(1, 1, 5, 100), at(2, 2, -1, 100)},
		"not a number":    {at(1, 1, 5, 100), at(2, math.NaN(), 5, 100)},
		"no finite value": {at(1, 1, 5, 100), at(2, 2, math.Inf(1), 100)},
	} {
		if e := EffectSlope(strata); !math.IsNaN(e.Value) || e.Student(0.05).P != 1 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	// One day, counted from 1970: rounded, the weighted mean of a day alone lies beside it.
	alone := at(13958, 1, 5, 21307)
	alone.Control.N = 21306
	if e := EffectSlope([]TimedStratum{alone}); !math.IsNaN(e.Value) {
		t.Errorf("one day alone: %+v", e)
	}
	if e := EffectSlope([]TimedStratum{at(1, 1, 0, 100), at(3, 2, 0, 100)}); e.Value != 0.5 || e.StdError != 0 || e.Student(0.05).P != 1 {
		t.Errorf("without variance: %+v", e)
	}
	// By hand: effects 1 and 2 at times 1 and 3, v = 2·(99/99)/100 each, so slope ½ ± √(2v)/2.
	if e := EffectSlope([]TimedStratum{at(1, 1, 99, 100), at(3, 2, 99, 100)}); !nearly(e.Value, 0.5, 1e-12) || !nearly(e.StdError, math.Sqrt(0.04)/2, 1e-12) {
		t.Errorf("two times: %+v", e)
	}
}

// TestLeftOutForTheirSize: phases that nothing can be computed with are named, and the
// others count as if they were not there.
func TestLeftOutForTheirSize(t *testing.T) {
	good := Stratum{"good", conversions(1000, 120), conversions(1000, 100)}
	many, large := conversions(1<<53, 1<<20), Moments{N: 100, NonZero: 100, Mean: 1e200, M2: 1e300}
	for name, bad := range map[string]Stratum{
		"more than 2⁵³ units": {"bad", Moments{N: 1<<53 + 1, Mean: 1, M2: 1}, many},
		"squares overflow":    {"bad", large, large.Merge(Moments{N: 1, Mean: -1e200})},
	} {
		for _, order := range [][]Stratum{{good, bad}, {bad, good}} {
			got := Combine(order)
			wantCodes(t, got.Warnings, InvalidMoments)
			if !slices.Equal(got.LeftOut, []string{"bad"}) || got.Difference() != Combine([]Stratum{good}).Difference() {
				t.Errorf("%s: left out %v, difference %v", name, got.LeftOut, got.Difference())
			}
			for _, r := range []Result{got.Fixed(0.05), got.Sequential(usual)} {
				wantCodes(t, r.Warnings, InvalidMoments)
			}
			wantCodes(t, got.TestHarm(Margin{}, IncreaseIsGood, usual).Warnings, InvalidMoments)
		}
	}
}

// TestSequenceOfNoPlan: without a finite plan nothing is claimed, and one for more units
// than there will ever be claims little.
func TestSequenceOfNoPlan(t *testing.T) {
	seen := Share{50, 100}
	if got := seen.Sequence(0.05, math.Inf(1), 0.05); got != (Interval{0, 1}) {
		t.Errorf("planned for ever: %v", got)
	}
	near, far := seen.Sequence(0.05, 100, 0.05), seen.Sequence(0.05, 1e15, 0.05)
	if !(far.Low < near.Low && far.High > near.High) {
		t.Errorf("planned for 10¹⁵ units %v, for 100 %v", far, near)
	}
}

// TestIrregularSums: lists that do not fit together are refused by name.
func TestIrregularSums(t *testing.T) {
	one := big.NewInt(1)
	ragged := Joint{N: 10, Mean: []float64{1, 2}, Product: [][]float64{{1}, {1, 2}}}
	good := conversions(100, 50)
	for name, m := range map[string]Moments{
		"no products":           JointFromSums(10, 5, []*big.Int{one, one}, nil, []int{0, 0}).Ratio(),
		"a missing sum":         JointFromSums(10, 5, []*big.Int{one, nil}, [][]*big.Int{{one, one}, {one, one}}, []int{0, 0}).Ratio(),
		"a missing product":     JointFromSums(10, 5, []*big.Int{one, one}, [][]*big.Int{{one, nil}, {one, one}}, []int{0, 0}).Ratio(),
		"a billion of decimals": JointFromSums(10, 5, []*big.Int{one, one}, [][]*big.Int{{one, one}, {one, one}}, []int{0, 1e9}).Ratio(),
		"ragged":                ragged.Ratio(),
		"ragged, adjusted":      Adjust(ragged, ragged).Treatment,
		"nothing to adjust":     Adjust(Joint{N: 10}, Joint{N: 10}).Control,
		"two sums for a ratio":  AdjustRatio(Joint{N: 10, Mean: []float64{1, 2}, Product: [][]float64{{1, 0}, {0, 1}}}, Joint{}).Control,
	} {
		if got := Combine([]Stratum{{name, m, good}}); !slices.Equal(got.LeftOut, []string{name}) {
			t.Errorf("%s: %+v is believed", name, m)
		}
	}
	if e := LinEffect(ragged, ragged).Student(0.05); e.P != 1 || !math.IsInf(e.High, 1) {
		t.Errorf("an effect of ragged sums: %+v", e)
	}
}
