package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The calibration tests run whole experiments through Combine, Gate, Sequential
// and the one-sided tests, judge them at every look, and hold the share that
// was ever wrong against its promise. With -v they print what docs/statistics.md
// quotes; -args -replicates N sharpens them.

func constant(x float64) func(bool, int) float64 { return func(bool, int) float64 { return x } }

func onePhase(units int, share float64) []phase { return []phase{{units, share}} }

func plan(units int, share float64) Plan {
	return Plan{PlannedUnits: float64(units), TreatmentShare: share, Alpha: 0.05}
}

// gated is a rule that counts only once the event gate is open.
func gated(r rule) rule {
	return rule{r.name + ", gate", func(s scenario, p Pair) bool {
		return p.Gate(s.plan.TreatmentShare, s.binary).Passes && r.errs(s, p)
	}}
}

// The ways to be wrong.
var (
	missesAbsolute = rule{"interval", func(s scenario, p Pair) bool {
		return !p.Sequential(s.plan).Absolute.Contains(s.absolute)
	}}
	missesRelative = rule{"relative interval", func(s scenario, p Pair) bool {
		return !p.Sequential(s.plan).Relative.Contains(s.relative)
	}}
	missesStrict = rule{"strict interval", func(s scenario, p Pair) bool {
		s.plan.Strict = true
		return !p.Sequential(s.plan).Absolute.Contains(s.absolute)
	}}
	killsDecrease = rule{"kill, increase is good", harm(Margin{}, IncreaseIsGood)}
	killsIncrease = rule{"kill, decrease is good", harm(Margin{}, DecreaseIsGood)}
)

func harm(m Margin, d Direction) func(scenario, Pair) bool {
	return func(s scenario, p Pair) bool { return p.TestHarm(m, d, s.plan).Reject }
}

func nonInferior(m Margin, d Direction) func(scenario, Pair) bool {
	return func(s scenario, p Pair) bool { return p.TestNonInferior(m, d, s.plan).Reject }
}

// allowed is the largest count that a true rate of alpha explains: 3 standard
// errors above it.
func allowed(alpha float64, n int) float64 {
	return alpha*float64(n) + 3*math.Sqrt(alpha*(1-alpha)*float64(n))
}

// TestCalibration: whatever is promised not to happen with probability 0.05 over
// all looks does not happen more often.
func TestCalibration(t *testing.T) {
	kill := []rule{gated(killsDecrease), gated(killsIncrease)}
	all := []rule{missesAbsolute, missesRelative, killsDecrease, killsIncrease}
	ramp := []phase{{4_000, 0.01}, {6_000, 0.1}, {10_000, 0.5}}
	trend := func(base ...float64) func(bool, int) float64 {
		return func(_ bool, k int) float64 { return base[k] }
	}
	cases := []struct {
		scenario
		rules []rule
	}{
		{scenario{name: "normal 50/50", phases: onePhase(10_000, 0.5), plan: plan(10_000, 0.5), draw: normal(constant(1))}, all},
		{scenario{name: "normal 90/10", phases: onePhase(10_000, 0.1), plan: plan(10_000, 0.1), draw: normal(constant(1))},
			[]rule{missesAbsolute, killsDecrease, killsIncrease}},
		{scenario{name: "binary 5% 50/50", phases: onePhase(100_000, 0.5), plan: plan(100_000, 0.5), binary: true, draw: binary(constant(0.05))}, all},
		{scenario{name: "binary 5% 90/10", phases: onePhase(100_000, 0.1), plan: plan(100_000, 0.1), binary: true, draw: binary(constant(0.05))}, kill},
		{scenario{name: "binary 0.1% 90/10", phases: onePhase(400_000, 0.1), plan: plan(400_000, 0.1), binary: true, draw: binary(constant(0.001))}, kill},
		{scenario{name: "lognormal 90/10", phases: onePhase(100_000, 0.1), plan: plan(100_000, 0.1), draw: revenue(math.Inf(1))}, kill},
		{scenario{name: "ramp with a trend", phases: ramp, plan: plan(20_000, 0.5), draw: normal(trend(0, 3, 10))},
			[]rule{missesAbsolute, killsDecrease, killsIncrease}},
		{scenario{name: "ramp with a trend, binary", phases: ramp, plan: plan(20_000, 0.5), binary: true, draw: binary(trend(0.05, 0.1, 0.3))}, kill},
		{scenario{name: "binary 5% against 6%", phases: onePhase(50_000, 0.5), plan: plan(50_000, 0.5), binary: true,
			draw: binary(armRates(0.06, 0.05)), absolute: 0.01, relative: 0.2}, []rule{gated(missesAbsolute), gated(missesRelative)}},
		{scenario{name: "20% fewer at a margin of 20%", phases: onePhase(50_000, 0.5), plan: plan(50_000, 0.5), binary: true,
			draw: binary(armRates(0.04, 0.05))}, []rule{
			gated(rule{"kill", harm(Margin{0.2, true}, IncreaseIsGood)}),
			gated(rule{"healthy", nonInferior(Margin{0.2, true}, IncreaseIsGood)})}},
		{scenario{name: "0.1 more at a margin of 0.1", phases: onePhase(10_000, 0.3), plan: plan(10_000, 0.3),
			draw: normal(armRates(1.1, 1))}, []rule{
			{"kill", harm(Margin{Value: 0.1}, DecreaseIsGood)},
			{"healthy", nonInferior(Margin{Value: 0.1}, DecreaseIsGood)}}},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := runs(500)
			for k, count := range c.everErrs(uint64(i), n, c.rules) {
				t.Logf("%s: %-30s %6.4f ± %.4f (%d runs)", c.name, c.rules[k].name, rate(count, n), standardError(count, n), n)
				if float64(count) > allowed(c.plan.Alpha, n) {
					t.Errorf("%s: wrong in %d of %d runs, at most %.0f are explained by %v",
						c.rules[k].name, count, n, allowed(c.plan.Alpha, n), c.plan.Alpha)
				}
			}
		})
	}
}

// TestPower: an effect that a fixed test of 3140 units finds with probability
// 0.8 is found by continuous looks at one, two and three times as many units
// with 0.547, 0.889 and 0.979. Those figures were obtained with 20 000 runs of
// an independent implementation.
func TestPower(t *testing.T) {
	finds := rule{"found", func(s scenario, p Pair) bool { return p.Sequential(s.plan).Absolute.P < s.plan.Alpha }}
	for i, want := range []float64{0.547, 0.889, 0.979} {
		t.Run(fmt.Sprintf("horizon %d", i+1), func(t *testing.T) {
			t.Parallel()
			s := scenario{phases: onePhase(3140*(i+1), 0.5), plan: plan(3140, 0.5), every: 4, draw: normal(armRates(0.1, 0))}
			n := runs(500)
			got := rate(s.everErrs(uint64(50+i), n, []rule{finds})[0], n)
			t.Logf("found in %.4f ± %.4f (%d runs), want %v", got, math.Sqrt(want*(1-want)/float64(n)), n, want)
			// Three standard errors, and one point for looks every 4 units instead of every one.
			if math.Abs(got-want) > 3*math.Sqrt(want*(1-want)/float64(n))+0.01 {
				t.Errorf("found in %.4f, want %v", got, want)
			}
		})
	}
}

// TestSplitCalibration: the sample-ratio test alarms no more often than its
// level, judged by the current Bayes factor at every look; and a broken split
// of 50.5/49.5 is found.
func TestSplitCalibration(t *testing.T) {
	cases := []struct {
		name     string
		intended []float64
		actual   float64 // share of the first arm
		broken   bool
	}{
		{"50/50", []float64{1, 1}, 0.5, false},
		{"90/10", []float64{9, 1}, 0.9, false},
		{"50.5/49.5", []float64{1, 1}, 0.505, true},
	}
	const alpha, units = 0.05, 500_000
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, alarms := runs(300), 0
			for k := range n {
				if splitAlarms(rand.New(rand.NewPCG(uint64(70+i), uint64(k))), c.intended, c.actual, units, alpha) {
					alarms++
				}
			}
			t.Logf("alarms %.4f ± %.4f (%d runs)", rate(alarms, n), standardError(alarms, n), n)
			if !c.broken && float64(alarms) > allowed(alpha, n) {
				t.Errorf("%d false alarms of %d", alarms, n)
			}
			if c.broken && rate(alarms, n) < 0.99 {
				t.Errorf("found only %d of %d", alarms, n)
			}
		})
	}
}

// splitAlarms runs one phase and looks every 2500 units.
func splitAlarms(r *rand.Rand, intended []float64, actual float64, units int, alpha float64) bool {
	counts := make([]int64, 2)
	for n := 0; n < units; n += 2500 {
		// The normal stands in for the binomial: its skewness at 2500 units is below 0.06.
		mean, sd := 2500*actual, math.Sqrt(2500*actual*(1-actual))
		first := math.Round(mean + sd*r.NormFloat64())
		counts[0] += int64(first)
		counts[1] += int64(2500 - first)
		if SampleRatio(counts, intended).P < alpha {
			return true
		}
	}
	return false
}

// TestGateFigures measures what the gate and the strict error are for. It only
// prints: the unsafe rows are meant to be unsafe.
func TestGateFigures(t *testing.T) {
	if *replicates == 0 {
		t.Skip("figures for the documentation: run with -args -replicates 4000")
	}
	rules := []rule{missesAbsolute, missesStrict, gated(missesAbsolute), gated(missesStrict),
		killsDecrease, killsIncrease, gated(killsDecrease), gated(killsIncrease)}
	for i, s := range []scenario{
		{name: "binary 0.1% 90/10", phases: onePhase(400_000, 0.1), plan: plan(400_000, 0.1), binary: true, draw: binary(constant(0.001))},
		{name: "binary 0.1% 90/10, N* 5000", phases: onePhase(400_000, 0.1), plan: plan(5_000, 0.1), binary: true, draw: binary(constant(0.001))},
		{name: "lognormal 90/10", phases: onePhase(100_000, 0.1), plan: plan(100_000, 0.1), draw: revenue(math.Inf(1))},
		{name: "lognormal 90/10, N* 5000", phases: onePhase(100_000, 0.1), plan: plan(5_000, 0.1), draw: revenue(math.Inf(1))},
		{name: "lognormal 90/10, P99 cap, N* 5000", phases: onePhase(100_000, 0.1), plan: plan(5_000, 0.1), draw: revenue(2.3263)},
		{name: "lognormal 50/50, N* 5000", phases: onePhase(100_000, 0.5), plan: plan(5_000, 0.5), draw: revenue(math.Inf(1))},
		{name: "lognormal 60/40, N* 5000", phases: onePhase(100_000, 0.4), plan: plan(5_000, 0.4), draw: revenue(math.Inf(1))},
		{name: "lognormal 60/40", phases: onePhase(100_000, 0.4), plan: plan(100_000, 0.4), draw: revenue(math.Inf(1))},
		{name: "lognormal 10/90, N* 5000", phases: onePhase(100_000, 0.9), plan: plan(5_000, 0.9), draw: revenue(math.Inf(1))},
		{name: "binary 0.1% 10/90, N* 5000", phases: onePhase(400_000, 0.9), plan: plan(5_000, 0.9), binary: true, draw: binary(constant(0.001))},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for k, count := range s.everErrs(uint64(100+i), *replicates, rules) {
				t.Logf("%s: %-30s %6.4f ± %.4f", s.name, rules[k].name, rate(count, *replicates), standardError(count, *replicates))
			}
		})
	}
}
