package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// family draws estimates with error 1, so that the plain interval of a level is
// estimate ± z and its p-value two-sided normal.
func family(t *rapid.T) []Member {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Member {
		z := rapid.Float64Range(-6, 6).Draw(t, "z")
		return Member{studentTwoSided(z, math.Inf(1)), z}
	}), 1, 12).Draw(t, "family")
}

func normalInterval(x Member) func(float64) Interval {
	return func(level float64) Interval {
		half := studentCritical(level/2, math.Inf(1))
		return Interval{x.Estimate - half, x.Estimate + half}
	}
}

// excludes tells whether the adjusted interval says "not 0". A cut interval ends at
// 0 and does not hold it.
func excludes(j Judged, i Interval) bool { return j.Side != 0 || !i.Contains(0) }

func TestIntervalsAgreeWithVerdicts(t *testing.T) {
	for _, c := range []Correction{Bonferroni, Sidak, Holm, BenjaminiHochberg, BenjaminiYekutieli} {
		t.Run(string(c), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				members, alpha := family(t), rapid.Float64Range(0.001, 0.2).Draw(t, "alpha")
				f := Family{Correction: c, Alpha: alpha}
				if c == Bonferroni && rapid.Bool().Draw(t, "preferential") {
					f.Weights = Preferential(rapid.SliceOfN(rapid.Bool(), len(members), len(members)).Draw(t, "primary"),
						rapid.Float64Range(0.05, 0.95).Draw(t, "gamma"))
				}
				for i, j := range f.Judge(members) {
					interval := j.Interval(normalInterval(members[i]))
					if math.Abs(j.P-alpha) < 1e-9 {
						continue // the interval ends at the null, give or take a rounding
					}
					if (j.P <= alpha) != j.Rejected || j.Rejected != excludes(j, interval) {
						t.Fatalf("test %d: adjusted p %v, rejected %v, interval %v of %+v", i, j.P, j.Rejected, interval, j)
					}
					if !(interval.Low <= members[i].Estimate && members[i].Estimate <= interval.High) {
						t.Fatalf("test %d: interval %v without its estimate %v", i, interval, members[i].Estimate)
					}
					if j.Side != 0 && (float64(j.Side)*interval.Low < 0 && float64(j.Side)*interval.High < 0) {
						t.Fatalf("test %d: interval %v is cut on the wrong side", i, interval)
					}
				}
			})
		})
	}
}

// Holm rejects all that Bonferroni does, and with all estimates on one side it is
// the procedure of the books; so are the others.
func TestJudgeAgainstAdjust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := family(t)
		p := make([]float64, len(members))
		for i := range members {
			members[i].Estimate = math.Abs(members[i].Estimate) + 1e-9
			p[i] = members[i].P
		}
		for _, c := range []Correction{Bonferroni, Sidak, Holm, HolmSidak, Hochberg, Hommel, BenjaminiHochberg, BenjaminiYekutieli} {
			want := c.Adjust(p)
			for i, j := range (Family{Correction: c, Alpha: 0.05}).Judge(members) {
				if math.Abs(j.P-want[i]) > 1e-12 {
					t.Fatalf("%s: p %v, want %v", c, j.P, want[i])
				}
			}
		}
	})
}

// The probability that any adjusted interval misses its parameter, and that any
// true null is rejected, is at most alpha: six tests, three with an effect.
func TestSimultaneousCoverage(t *testing.T) {
	const replicates, alpha = 4000, 0.1
	truth := []float64{0, 0, 0, 3, -3, 4}
	random := rand.New(rand.NewPCG(71, 1))
	for _, c := range []Correction{Bonferroni, Sidak, Holm} {
		missed := 0
		for range replicates {
			members := make([]Member, len(truth))
			for i, m := range truth {
				z := m + random.NormFloat64()
				members[i] = Member{studentTwoSided(z, math.Inf(1)), z}
			}
			bad := false
			for i, j := range (Family{Correction: c, Alpha: alpha}).Judge(members) {
				interval := j.Interval(normalInterval(members[i]))
				bad = bad || !interval.Contains(truth[i]) || truth[i] == 0 && j.Rejected
			}
			if bad {
				missed++
			}
		}
		rate := float64(missed) / replicates
		if limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/replicates); rate > limit {
			t.Errorf("%s: %v of the families miss, at most %v", c, rate, limit)
		}
		if rate < alpha/4 {
			t.Errorf("%s: only %v of the families miss: the intervals are too wide to be these", c, rate)
		}
	}
}

// The false coverage rate of Benjamini and Yekutieli's intervals.
func TestFalseCoverageRate(t *testing.T) {
	const replicates, alpha = 4000, 0.1
	truth := []float64{0, 0, 0, 0, 2, -2, 3, 4}
	random := rand.New(rand.NewPCG(72, 1))
	var rate, plain float64
	for range replicates {
		members := make([]Member, len(truth))
		for i, m := range truth {
			z := m + random.NormFloat64()
			members[i] = Member{studentTwoSided(z, math.Inf(1)), z}
		}
		var selected, missed, missedPlain float64
		for i, j := range (Family{Correction: BenjaminiHochberg, Alpha: alpha}).Judge(members) {
			if !j.Rejected {
				continue
			}
			selected++
			if !j.Interval(normalInterval(members[i])).Contains(truth[i]) {
				missed++
			}
			if !normalInterval(members[i])(alpha).Contains(truth[i]) {
				missedPlain++
			}
		}
		if selected > 0 {
			rate += missed / selected / replicates
			plain += missedPlain / selected / replicates
		}
	}
	if limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/replicates); rate > limit {
		t.Errorf("of the selected intervals %v miss, at most %v", rate, limit)
	}
	if plain < rate {
		t.Errorf("the plain intervals miss %v, the adjusted %v: selection should cost something", plain, rate)
	}
}

// The mixture's p-value is 1/e, so that Benjamini–Hochberg of it is e-BH.
func TestMixtureFamilyIsEBH(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zs := rapid.SliceOfN(rapid.Float64Range(-6, 6), 1, 12).Draw(t, "z")
		a := rapid.Float64Range(0.1, 50).Draw(t, "a")
		members, e := make([]Member, len(zs)), make([]float64, len(zs))
		for i, z := range zs {
			members[i], e[i] = Member{MixtureP(a, z), z}, math.Exp(MixtureLogE(a, z))
		}
		rejected := EBH(e, 0.05)
		for i, j := range (Family{Correction: BenjaminiHochberg, Alpha: 0.05}).Judge(members) {
			if math.Abs(j.P-0.05) > 1e-9 && j.Rejected != rejected[i] {
				t.Fatalf("test %d: %v, e-BH says %v", i, j, rejected[i])
			}
		}
	})
}

// A pair's intervals at any level, for one look and for every look, agree with its
// p-values: what families rely on.
func TestPairIsDualAtEveryLevel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := func(name string) Moments {
			n := rapid.Int64Range(30, 5000).Draw(t, name+" n")
			return Moments{N: n, NonZero: n, Mean: rapid.Float64Range(9, 10).Draw(t, name+" mean"), M2: float64(n) * rapid.Float64Range(1, 50).Draw(t, name+" variance")}
		}
		pair := Combine([]Stratum{{"1", m("treatment"), m("control")}})
		level := math.Exp(rapid.Float64Range(-12, -1).Draw(t, "log level"))
		plan := Plan{PlannedUnits: 4000, TreatmentShare: .5, Alpha: .05, Strict: rapid.Bool().Draw(t, "strict")}
		for name, r := range map[string]Result{"fixed": pair.Fixed(level), "sequential": pair.SequentialAt(plan, level)} {
			if math.Abs(r.Absolute.P/level-1) < 1e-6 {
				continue
			}
			if (r.Absolute.P <= level) == r.Absolute.Contains(0) {
				t.Fatalf("%s: p %v at level %v, interval %v", name, r.Absolute.P, level, r.Absolute.Interval)
			}
			if r.Relative.Contains(0) != r.Absolute.Contains(0) {
				t.Fatalf("%s: lift %v, difference %v", name, r.Relative.Interval, r.Absolute.Interval)
			}
		}
		if pair.SequentialAt(plan, level).Absolute.P != pair.Sequential(plan).Absolute.P {
			t.Fatal("the p-value depends on the level of the interval")
		}
	})
}

func TestFamilyEdges(t *testing.T) {
	strange := []Member{{math.NaN(), 1}, {0, math.NaN()}, {0.5, math.Inf(1)}, {1, 0}, {0, -3}}
	for _, c := range []Correction{Bonferroni, Holm, Hommel, BenjaminiHochberg, "guess"} {
		for _, alpha := range []float64{0, 1, -1, math.NaN(), 0.05} {
			for i, j := range (Family{Correction: c, Alpha: alpha}).Judge(strange) {
				interval := j.Interval(normalInterval(strange[i]))
				if math.IsNaN(j.P) || math.IsNaN(interval.Low) || math.IsNaN(interval.High) || interval.Low > interval.High {
					t.Errorf("%s at %v, test %d: %+v %v", c, alpha, i, j, interval)
				}
				if alpha != 0.05 && j.Rejected {
					t.Errorf("%s rejects test %d at rate %v", c, i, alpha)
				}
			}
		}
	}
	if got := (Family{Correction: Holm, Alpha: .05}).Judge(nil); len(got) != 0 {
		t.Errorf("a family of nothing: %v", got)
	}
	for name, weights := range map[string][]float64{"too few": {.5}, "too much": {.9, .9, 0, 0, 0}, "negative": {-1, 1, 0, 0, 0}, "NaN": {math.NaN(), 0, 0, 0, 0}} {
		for _, j := range (Family{Correction: Bonferroni, Alpha: .05, Weights: weights}).Judge(strange) {
			if j.Rejected || j.LowLevel != 0 {
				t.Errorf("weights that are %s: %+v", name, j)
			}
		}
	}
}

func TestPreferential(t *testing.T) {
	for _, c := range []struct {
		primary []bool
		gamma   float64
		want    []float64
	}{
		{[]bool{true, false, false}, .8, []float64{.8, .1, .1}},
		{[]bool{true, true, false, false}, .5, []float64{.25, .25, .25, .25}},
		{[]bool{false, false}, .8, []float64{.5, .5}},
		{[]bool{true}, .8, []float64{1}},
		{[]bool{true, false}, 1, []float64{.5, .5}},
		{[]bool{true, false}, math.NaN(), []float64{.5, .5}},
		{nil, .5, nil},
	} {
		got := Preferential(c.primary, c.gamma)
		if len(got) != len(c.want) {
			t.Fatalf("%v: %v", c.primary, got)
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-15 {
				t.Errorf("%v with %v: %v, want %v", c.primary, c.gamma, got, c.want)
			}
		}
	}
}

// Holm finds both of two effects where Bonferroni finds one, and says only their
// sign of what only it finds.
func ExampleFamily_Judge() {
	members := []Member{{0.001, 3}, {0.03, 2}, {0.4, 1}}
	for _, j := range (Family{Correction: Holm, Alpha: 0.06}).Judge(members) {
		fmt.Printf("p %.3f rejected %v side %d levels %.3f %.3f\n", j.P, j.Rejected, j.Side, j.LowLevel, j.HighLevel)
	}
	// Output:
	// p 0.003 rejected true side 1 levels 0.000 0.020
	// p 0.060 rejected true side 1 levels 0.000 0.020
	// p 0.400 rejected false side 0 levels 0.060 0.020
}
