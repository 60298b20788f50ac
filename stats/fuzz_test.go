package stats

import (
	le "encoding/binary"
	"math"
	"testing"
)

// reader makes numbers out of a fuzzer's bytes; behind their end it goes on with 0.
type reader struct{ bytes []byte }

func (r *reader) bits() uint64 {
	var b [8]byte
	r.bytes = r.bytes[copy(b[:], r.bytes):]
	return le.LittleEndian.Uint64(b[:])
}

func (r *reader) float() float64 { return math.Float64frombits(r.bits()) }
func (r *reader) int() int64     { return int64(r.bits()) }

func (r *reader) moments() Moments { return Moments{r.int(), r.int(), r.float(), r.float()} }

func (r *reader) floats() []float64 {
	out := make([]float64, r.bits()%9)
	for i := range out {
		out[i] = r.float()
	}
	return out
}

// ordinary seeds: the numbers that the bytes stand for.
func seed(numbers ...any) (out []byte) {
	for _, x := range numbers {
		switch x := x.(type) {
		case int:
			out = le.LittleEndian.AppendUint64(out, uint64(x))
		case float64:
			out = le.LittleEndian.AppendUint64(out, math.Float64bits(x))
		}
	}
	return out
}

func wantProbability(t *testing.T, what string, p float64) {
	t.Helper()
	if !(p >= 0 && p <= 1) {
		t.Errorf("%s: p = %v", what, p)
	}
}

func wantInterval(t *testing.T, what string, i Interval) {
	t.Helper()
	if !(i.Low <= i.High) {
		t.Errorf("%s: interval %v", what, i)
	}
}

func wantEffect(t *testing.T, what string, e Effect) {
	t.Helper()
	wantProbability(t, what, e.P)
	wantInterval(t, what, e.Interval)
}

// FuzzPair: whatever the moments and the plan, results are ordered, p-values lie in
// [0, 1], and what is not known has a warning.
func FuzzPair(f *testing.F) {
	f.Add(seed(48211, 2417, 1.09, 4e6, 48503, 2398, 1.06, 4e6, 10000.0, 0.5, 0.05, 0.1))
	f.Add(seed(2, 0, 1e300, 1e300, 1<<62, 0, -1e300, 0.0, 5e-324, 5e-324, 5e-324, 0.0))
	f.Add(seed(2, 2, 1e-170, 1e-320, 2, 2, -1e-170, 1e-320, 1e300, 0.999, 0.4999, 1e308))
	f.Add(seed(2, 2, 1e150, 1e150, 3, 2, 1.0, 5e-324, 1e-300, 1e-300, 0.01, 1e200))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{data}
		s := []Stratum{{"1", r.moments(), r.moments()}}
		plan := Plan{PlannedUnits: r.float(), TreatmentShare: r.float(), Alpha: r.float()}
		margin := Margin{Value: r.float()}
		if r.bits()%2 == 1 {
			s = append(s, Stratum{"2", r.moments(), r.moments()})
		}
		pair := Combine(s)
		for range 2 {
			for what, got := range map[string]Result{"fixed": pair.Fixed(plan.Alpha), "sequential": pair.Sequential(plan)} {
				wantEffect(t, what, got.Absolute)
				wantEffect(t, what+" relative", got.Relative)
				if bad := math.IsNaN(got.Absolute.Estimate) || math.IsNaN(got.Relative.Estimate) || math.IsInf(got.Absolute.High, 1) || math.IsNaN(got.DoF); bad && len(got.Warnings) == 0 {
					t.Errorf("%s: no warning: %+v", what, got)
				}
				got.Implausible()
			}
			for _, d := range []Direction{0, IncreaseIsGood, DecreaseIsGood} {
				for _, got := range []Decision{pair.TestHarm(margin, d, plan), pair.TestNonInferior(margin, d, plan)} {
					wantProbability(t, "decision", got.P)
					if math.IsNaN(got.Bound) || math.IsNaN(got.Z) || math.IsNaN(got.Threshold) {
						t.Errorf("decision %+v", got)
					}
				}
			}
			plan.Strict, plan.Unfinished, margin.Relative = true, true, true
		}
		pair.Gate(plan.TreatmentShare, true)
	})
}

// FuzzEstimate: intervals and tests of any estimate, the mixtures and beliefs.
func FuzzEstimate(f *testing.F) {
	f.Add(seed(0.1, 0.05, 99.0, 0.05, 3.0, 1.0, 0.1, 50))
	f.Add(seed(1e308, 5e-324, 1e-300, 5e-324, 1e308, -1e308, 1e-320, 1<<40))
	f.Add(seed(-1.0, 1.0, 1e300, 0.999, 5e-324, 1e300, 1e300, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{data}
		e := Estimate{r.float(), r.float(), r.float()}
		alpha, a, null, sd, n := r.float(), r.float(), r.float(), r.float(), r.int()
		wantEffect(t, "student", e.Student(alpha))
		wantEffect(t, "always valid", e.AlwaysValid(a, alpha))
		wantEffect(t, "student above", e.StudentAbove(null, alpha))
		wantEffect(t, "always valid above", e.AlwaysValidAbove(null, a, alpha))
		wantEffect(t, "anytime student", e.AnytimeStudent(int(n), a, alpha))
		wantProbability(t, "mixture", MixtureP(a, null))
		wantProbability(t, "one-sided mixture", MixturePOneSided(a, null))
		wantProbability(t, "growth", GrowthP(null))
		if math.IsNaN(MixtureRadius(a, alpha)) || math.IsNaN(MixtureRadiusOneSided(a, alpha)) || math.IsNaN(MixtureLogE(a, null)) {
			t.Error("the mixture has no number")
		}
		_, _, _ = MixtureRho2(alpha, sd), OptimalRho2(alpha, sd), GrowthRadius(alpha)
		_, _ = StudentMixtureLogE(a, null, sd), StudentMixtureRadius(a, alpha, sd)
		_ = OptimalG(int(n), int(n%7), alpha)
		for _, p := range []Posterior{e.Posterior(nil), e.Posterior(&Prior{null, sd}), {null, sd}} {
			wantInterval(t, "credible", p.Credible(alpha))
			_ = p.Better()
			_, _ = p.Risk()
		}
		h := Heterogeneous([]Estimate{e, e.Negated(), {null, sd, a}})
		wantProbability(t, "heterogeneity", h.P)
		together := CombineRuns([]Estimate{e, e.Negated(), {null, sd, a}}, a)
		wantProbability(t, "runs with one effect", together.Same.P)
		wantProbability(t, "runs with effects of their own", together.Mean.P)
		_ = Tau2REML([]Estimate{e, e.Negated(), {null, sd, a}})
		lift, _ := FiellerLift(e.Value, e.StdError, null, sd, a)
		wantInterval(t, "fieller", lift)
	})
}

// FuzzCounts: shares, counts, ranks, splits and families.
func FuzzCounts(f *testing.F) {
	f.Add(seed(10, 100, 20, 100, 0.05, 0.5, 0.2, 0.1, 3, 0.01, 0.02, 0.9))
	f.Add(seed(1<<62, 1<<62, 1, 1<<62, 5e-324, 5e-324, 5e-324, 1e308, 3, 1e308, 1e308, 5e-324))
	f.Add(seed(0, 1, 1, 1, 0.999, 1e-13, 1e300, 0.5, 2, 0.5, 0.5))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{data}
		a, b := Share{r.int(), r.int()}, Share{r.int(), r.int()}
		alpha, share, ratio, x := r.float(), r.float(), r.float(), r.float()
		wantInterval(t, "wilson", a.Wilson(alpha))
		wantInterval(t, "newcombe", NewcombeDifference(a, b, alpha))
		wantInterval(t, "score difference", ScoreDifference(a, b, alpha))
		wantInterval(t, "score ratio", ScoreRatio(a, b, alpha))
		wantInterval(t, "sequence", a.Sequence(alpha, x, ratio))
		phases := []CountPhase{{"1", a.Successes, b.Successes, share}, {"2", a.Units, b.Units, x}}
		plan := CountPlan{alpha, ratio}
		c := CompareCounts(phases, plan)
		wantProbability(t, "counts", c.P)
		wantInterval(t, "counts", c.Interval)
		for _, d := range []Direction{0, IncreaseIsGood, DecreaseIsGood} {
			wantProbability(t, "count harm", TestCountHarm(phases, Margin{x, true}, d, plan).P)
			wantProbability(t, "count non-inferiority", TestCountNonInferior(phases, Margin{x, true}, d, plan).P)
		}
		low, high := ExactQuantileRanks(a.Units, x, alpha)
		if low > high {
			t.Errorf("ranks %d > %d", low, high)
		}
		_, _, _, _ = QuantileRanks(a.Units, x, ratio)
		list := r.floats()
		s := SampleRatio([]int64{a.Successes, a.Units, b.Units}[:min(3, len(list))], list[:min(3, len(list))])
		wantProbability(t, "sample ratio", s.P)
		wantProbability(t, "chi-square", s.ChiSquareP)
		wantProbability(t, "missing", s.Missing)
		for _, k := range []Correction{Bonferroni, Sidak, Holm, HolmSidak, Hochberg, Hommel, BenjaminiHochberg, BenjaminiYekutieli, ""} {
			for _, p := range k.Adjust(list) {
				wantProbability(t, string(k), p)
			}
			members := make([]Member, len(list))
			for i, p := range list {
				members[i] = Member{p, x}
			}
			for _, j := range (Family{k, alpha, nil}).Judge(members) {
				wantProbability(t, string(k)+" judged", j.P)
			}
		}
		EBH(list, alpha)
	})
}
