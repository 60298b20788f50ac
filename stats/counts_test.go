package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func anyCountPhases() *rapid.Generator[[]CountPhase] {
	phase := rapid.Custom(func(t *rapid.T) CountPhase {
		most := rapid.SampledFrom([]int64{3, 200, 1_000_000}).Draw(t, "most")
		return CountPhase{
			Name: "1", Treatment: rapid.Int64Range(0, most).Draw(t, "treatment"), Control: rapid.Int64Range(0, most).Draw(t, "control"),
			Share: rapid.SampledFrom([]float64{.5, .1, .9, .01, .999}).Draw(t, "share"),
		}
	})
	return rapid.SliceOfN(phase, 1, 3)
}

// TestCountProperties: the interval, the p-value and the estimate tell one story,
// and exchanging the arms turns it round.
func TestCountProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phases := anyCountPhases().Draw(t, "phases")
		plan := CountPlan{Alpha: rapid.SampledFrom([]float64{.05, .001, .3}).Draw(t, "alpha"), Ratio: rapid.SampledFrom([]float64{0, .05, 1}).Draw(t, "ratio")}
		e := CompareCounts(phases, plan)
		if e.Treatment+e.Control == 0 {
			if e.P != 1 || e.Interval != everything() || !math.IsNaN(e.LogRatio) {
				t.Fatalf("without an event: %+v", e)
			}
			return
		}
		if math.IsNaN(e.LogE) || !(e.P >= 0 && e.P <= 1) || !(e.Low <= e.High) {
			t.Fatalf("%+v", e)
		}
		if e.Low < e.High && !(e.Low <= e.LogRatio && e.LogRatio <= e.High) {
			t.Fatalf("the estimate %v lies outside %v", e.LogRatio, e.Interval)
		}
		clear := math.Abs(e.P-plan.Alpha) > 1e-6*plan.Alpha // of the bisection's last digits
		if excludes := e.Low > 0 || e.High < 0; clear && e.Low < e.High && excludes != (e.P < plan.Alpha) {
			t.Fatalf("p = %v and the interval %v disagree", e.P, e.Interval)
		}
		turned := make([]CountPhase, len(phases))
		for i, p := range phases {
			turned[i] = CountPhase{p.Name, p.Control, p.Treatment, 1 - p.Share}
		}
		o := CompareCounts(turned, plan)
		if math.Abs(o.LogE-e.LogE) > 1e-6*(1+math.Abs(e.LogE)) || !near(o.Low, -e.High) {
			t.Fatalf("turned round %+v becomes %+v", e, o)
		}
	})
}

func near(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-6*(1+math.Abs(a)) }

// TestCountDecisionProperties: a test rejects exactly when its bound lies beyond
// the margin, harm is never both shown and refuted, and a larger margin is harder
// to exceed.
func TestCountDecisionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phases := anyCountPhases().Draw(t, "phases")
		plan := CountPlan{Alpha: rapid.SampledFrom([]float64{.05, .001, .3}).Draw(t, "alpha")}
		d := rapid.SampledFrom([]Direction{IncreaseIsGood, DecreaseIsGood}).Draw(t, "direction")
		m := Margin{Value: rapid.SampledFrom([]float64{0, .1, .5, .9}).Draw(t, "margin"), Relative: true}
		harm, safe := TestCountHarm(phases, m, d, plan), TestCountNonInferior(phases, m, d, plan)
		if harm.Reject && safe.Reject {
			t.Fatalf("harm is shown and refuted: %+v %+v", harm, safe)
		}
		for _, x := range []CountDecision{harm, safe} {
			if math.IsNaN(x.P) || math.IsNaN(x.LogE) || math.IsNaN(x.Bound) {
				t.Fatalf("%+v", x)
			}
		}
		far := func(b float64) bool { return math.Abs(b-m.Value) > 1e-6 }
		if far(harm.Bound) && harm.Reject != (harm.Bound > m.Value) || far(safe.Bound) && safe.Reject != (safe.Bound < m.Value) {
			t.Fatalf("bounds %v and %v of margin %v, rejected %v and %v", harm.Bound, safe.Bound, m.Value, harm.Reject, safe.Reject)
		}
		wider := TestCountHarm(phases, Margin{Value: m.Value + .05, Relative: true}, d, plan)
		if wider.Reject && !harm.Reject {
			t.Fatalf("harm beyond %v is shown and beyond %v is not", m.Value+.05, m.Value)
		}
	})
}

// TestCountDecisionUndecided names what can't be decided.
func TestCountDecisionUndecided(t *testing.T) {
	phases := []CountPhase{{Name: "1", Treatment: 500, Control: 100, Share: .5}}
	plan := CountPlan{Alpha: .05}
	tests := map[string]struct {
		phases []CountPhase
		margin Margin
		d      Direction
		plan   CountPlan
		code   Code
	}{
		"no direction":          {phases, Margin{}, 0, plan, InvalidPlan},
		"an absolute margin":    {phases, Margin{Value: .1}, DecreaseIsGood, plan, InvalidPlan},
		"a negative margin":     {phases, Margin{Value: -1, Relative: true}, DecreaseIsGood, plan, InvalidPlan},
		"a NaN margin":          {phases, Margin{Value: math.NaN(), Relative: true}, DecreaseIsGood, plan, InvalidPlan},
		"more than everything":  {phases, Margin{Value: 1, Relative: true}, IncreaseIsGood, plan, InvalidPlan},
		"no error rate":         {phases, Margin{}, DecreaseIsGood, CountPlan{}, InvalidPlan},
		"no event":              {nil, Margin{}, DecreaseIsGood, plan, NoBasis},
		"a share that is none":  {[]CountPhase{{"1", 500, 100, 1}}, Margin{}, DecreaseIsGood, plan, PhaseLeftOut},
		"a count that is none":  {[]CountPhase{{"1", -5, 100, .5}}, Margin{}, DecreaseIsGood, plan, PhaseLeftOut},
		"a share that is a NaN": {[]CountPhase{{"1", 5, 100, math.NaN()}}, Margin{}, DecreaseIsGood, plan, PhaseLeftOut},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, got := range []CountDecision{
				TestCountHarm(tt.phases, tt.margin, tt.d, tt.plan), TestCountNonInferior(tt.phases, tt.margin, tt.d, tt.plan),
			} {
				if got.Reject || got.P != 1 || len(got.Warnings) == 0 || got.Warnings[0].Code != tt.code {
					t.Errorf("%+v, want code %s", got, tt.code)
				}
			}
		})
	}
}

// TestCountsAreNotPooled: a ramp with a rate that trebles makes an effect of
// nothing when phases are pooled.
func TestCountsAreNotPooled(t *testing.T) {
	apart := []CountPhase{{"1", 10, 990, .01}, {"2", 1500, 1500, .5}}
	if e := CompareCounts(apart, CountPlan{Alpha: .05}); e.P < .5 || math.Abs(e.LogRatio) > 1e-9 {
		t.Errorf("equal rates in two phases: %+v", e)
	}
	pooled := []CountPhase{{"", 1510, 2490, .2}}
	if e := CompareCounts(pooled, CountPlan{Alpha: .05}); e.P > 1e-6 {
		t.Errorf("pooling should mislead, or this test shows nothing: %+v", e)
	}
}

// TestFarBetaTail holds the tail's logarithm against numerical integration.
func TestFarBetaTail(t *testing.T) {
	for _, c := range [][3]float64{{3, 4, .2}, {100, 120, .5}, {5, 3000, .02}, {20, 20_000, .1}, {3, 1e6, .5}} {
		a, b, x := c[0], c[1], c[2]
		// ∫ of the density over [x, 1] relative to its greatest value there, in
		// the variable u = ln(1−t)·b near the edge.
		const steps = 200_000
		peak := math.Max(x, (a-1)/(a+b-2))
		density := func(v float64) float64 {
			return (a-1)*(math.Log(v)-math.Log(peak)) + (b-1)*(math.Log1p(-v)-math.Log1p(-peak))
		}
		width := math.Min(1-x, 60*math.Sqrt(peak/(a+b))+60/(a+b))
		var sum float64
		for i := range steps {
			sum += math.Exp(density(x+(float64(i)+.5)/steps*width)) * width / steps
		}
		la, _ := math.Lgamma(a)
		lb, _ := math.Lgamma(b)
		lab, _ := math.Lgamma(a + b)
		want := math.Log(sum) + (a-1)*math.Log(peak) + (b-1)*math.Log1p(-peak) - (la + lb - lab)
		if got := logBetaUpper(a, b, x); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("ln P(Beta(%v, %v) > %v) = %v, want %v", a, b, x, got, want)
		}
	}
}

// TestCountCalibration: units of a rare event enter at 50/50 and 90/10 and after a
// ramp, and every event is a look. The bound on the error rate is exact; the
// simulation's own error is printed, √(α(1−α)/n).
func TestCountCalibration(t *testing.T) {
	n := 400
	if *replicates > 0 {
		n = *replicates
	}
	tests := []struct {
		name    string
		shares  []float64 // of the phases, equally long
		ratio   float64   // rate of treatment ÷ rate of control
		margin  float64
		atMost  float64 // chance of harm shown
		atLeast float64
	}{
		{"50/50", []float64{.5}, 1, 0, .05, 0},
		{"90/10", []float64{.1}, 1, 0, .05, 0},
		{"ramp", []float64{.01, .1, .5}, 1, 0, .05, 0},
		{"at a margin of 50 %", []float64{.1}, 1.5, .5, .05, 0},
		{"within the margin", []float64{.5}, 1.3, .5, .05, 0},
		{"twice the errors", []float64{.5}, 2, 0, 1, .9},
		{"twice the errors, 90/10", []float64{.1}, 2, 0, 1, .5},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(i)))
			var missed, harmful int
			for range n {
				miss, harm := rareRun(rng, tt.shares, tt.ratio, tt.margin)
				missed, harmful = missed+count(miss), harmful+count(harm)
			}
			slack := 3 * math.Sqrt(.05*.95/float64(n))
			miss, harm := float64(missed)/float64(n), float64(harmful)/float64(n)
			t.Logf("%s: interval misses %.4f, harm shown %.4f (± %.4f, %d runs)", tt.name, miss, harm, slack/3, n)
			if miss > .05+slack || harm > tt.atMost+slack || harm < tt.atLeast {
				t.Errorf("missed in %.4f, harm shown in %.4f of %d runs", miss, harm, n)
			}
		})
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rareRun lets 400,000 units enter, of which 0.1 % of the control's have an event;
// units without one are skipped, they change nothing.
func rareRun(rng *rand.Rand, shares []float64, ratio, margin float64) (missed, harmful bool) {
	const units, rate = 400_000, .001
	phases := make([]CountPhase, len(shares))
	plan, truth := CountPlan{Alpha: .05}, math.Log(ratio)
	for i, share := range shares {
		phases[i] = CountPhase{Name: "1", Share: share}
		perUnit := rate * (share*ratio + 1 - share)
		for at := rng.ExpFloat64() / perUnit; at < units/float64(len(shares)); at += rng.ExpFloat64() / perUnit {
			if rng.Float64() < share*ratio*rate/perUnit {
				phases[i].Treatment++
			} else {
				phases[i].Control++
			}
			// The interval is asked for its truth alone: that is faster than its ends.
			s, _ := newStreams(phases, plan)
			missed = missed || s.logE(truth) >= -math.Log(plan.Alpha)
			harmful = harmful || showsHarm(phases, margin, plan)
		}
	}
	return missed, harmful
}

// showsHarm is TestCountHarm's rejection without its bound.
func showsHarm(phases []CountPhase, margin float64, plan CountPlan) bool {
	s, _ := newStreams(phases, plan)
	return s.evidenceAbove(math.Log1p(margin)) > -math.Log(plan.Alpha)
}

// TestCountReplacementsAreSaid: a phase that is dropped and a ratio that is replaced have
// a warning with the numbers in it.
func TestCountReplacementsAreSaid(t *testing.T) {
	good := CountPhase{"1", 10, 12, 0.5}
	cases := []struct {
		name    string
		phase   CountPhase
		ratio   float64
		want    []Code
		mention string
	}{
		{"nothing", good, 0.3, nil, ""},
		{"no ratio", good, 0, nil, ""},
		{"negative ratio", good, -0.3, []Code{DefaultPlan}, "-0.3"},
		{"NaN for a ratio", good, math.NaN(), []Code{DefaultPlan}, "NaN"},
		{"tiny ratio", good, 1e-9, []Code{DefaultPlan}, "1e-09"},
		{"huge ratio", good, 1e9, []Code{DefaultPlan}, "1e+09"},
		{"more events than there are units", CountPhase{"2", 1<<53 + 1, 1, 0.5}, 0.3, []Code{PhaseLeftOut}, "9007199254740993"},
		{"a share of next to nothing", CountPhase{"2", 1, 1, 1e-13}, 0.3, []Code{PhaseLeftOut}, "1e-13"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := CompareCounts([]CountPhase{good, c.phase}, CountPlan{0.05, c.ratio})
			if !slices.Equal(codes(got.Warnings), c.want) {
				t.Errorf("warnings %v, want %v", got.Warnings, c.want)
			}
			for _, w := range got.Warnings {
				if !strings.Contains(w.Message, c.mention) {
					t.Errorf("%q does not name %s", w.Message, c.mention)
				}
			}
			if left := slices.Contains(c.want, PhaseLeftOut); left != slices.Equal(got.LeftOut, []string{"2"}) {
				t.Errorf("left out: %v", got.LeftOut)
			}
		})
	}
}

// TestLogGammaRatio against the sum ln x + ln(x+1) + … that it stands for. A difference of two logarithms of gamma functions has an
// error of 10⁸ at x = 10²⁴.
func TestLogGammaRatio(t *testing.T) {
	for _, x := range []float64{0.3, 5, 127, 129, 2500, 1e6, 1e12, 1e18, 1e24} {
		for _, n := range []int{0, 1, 2, 7, 1000} {
			want := 0.0
			for i := range n {
				want += math.Log(x) + math.Log1p(float64(i)/x)
			}
			if got := logGammaRatio(x, float64(n)); math.Abs(got-want) > 1e-11*(1+math.Abs(want)) {
				t.Errorf("x = %v, n = %d: %v, want %v", x, n, got, want)
			}
		}
	}
}
