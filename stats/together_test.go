package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCombineRuns: numbers of testdata/together.py, which knows the formulas and not this
// package. Of the thirteen trials metafor prints τ² = 0.3088 and −0.7141 too.
func TestCombineRuns(t *testing.T) {
	for _, c := range []struct {
		name   string
		runs   []Estimate
		alpha  float64
		expect [10]float64 // Q, τ², same: effect, low, high, p; mean: the same
	}{
		{"two that agree", estimates(.02, .008, .024, .01), .05, [10]float64{0.0975609756098, 0.0, 0.0215609756098, 0.00931717766448, 0.033804773555, 0.000557603435422, 0.0215609756098, -0.0578140561092, 0.100936007329, 0.179534515929}},
		{"two that differ", estimates(.05, .008, -.01, .01), .05, [10]float64{21.9512195122, 0.001718, 0.0265853658537, 0.0143415679084, 0.0388291637989, 2.08363370783e-05, 0.0203, -0.360867082302, 0.401467082302, 0.621264091342}},
		{"three", estimates(.031, .012, .012, .009, .055, .02), .1, [10]float64{4.49826880705, 0.0002031872, 0.0229886685552, 0.0118457896371, 0.0341315474734, 0.000690138063104, 0.0276403329228, -0.00596477969593, 0.0612454455415, 0.138293118811}},
		{"thirteen trials of BCG", estimates(-.8893, .5706, -1.5854, .4411, -1.3481, .6445, -1.4416, .1415, -.2175, .2263, -.7861, .0831, -1.6209, .4722, .012, .0629, -.4694, .2376, -1.3713, .2702, -.3394, .1114, .4459, .7297, -.0173, .2673), .05,
			[10]float64{152.282362518, 0.308794876832, -0.429988847917, -0.509345220164, -0.35063247567, 2.40626650896e-26, -0.714123743452, -1.1078389564, -0.320408530502, 0.00192102718504}},
	} {
		got := CombineRuns(c.runs, c.alpha)
		numbers := [10]float64{got.Q, got.Tau2, got.Same.Estimate, got.Same.Low, got.Same.High, got.Same.P, got.Mean.Estimate, got.Mean.Low, got.Mean.High, got.Mean.P}
		for i, want := range c.expect {
			if math.Abs(numbers[i]-want) > 2e-9*math.Max(math.Abs(want), 1e-3) && math.Abs(numbers[i]-want) > 1e-20 {
				t.Errorf("%s: number %d is %.12g, want %.12g", c.name, i, numbers[i], want)
			}
		}
	}
}

// estimates are values and their errors by turns.
func estimates(numbers ...float64) []Estimate {
	var out []Estimate
	for i := 0; i < len(numbers); i += 2 {
		out = append(out, Estimate{numbers[i], numbers[i+1], math.Inf(1)})
	}
	return out
}

// TestCombineFew: one run is that run and no mean; none is nothing; what has no error
// takes no part.
func TestCombineFew(t *testing.T) {
	one := CombineRuns(estimates(.02, .01, math.NaN(), .01, .5, 0), .05)
	if one.Segments != 1 || one.Same.Estimate != .02 || math.Abs(one.Same.High-(.02+.01*1.959963984540054)) > 1e-12 {
		t.Errorf("one run: %+v", one.Same)
	}
	if !math.IsInf(one.Mean.High, 1) || one.Mean.P != 1 {
		t.Errorf("one run has a mean of many: %+v", one.Mean)
	}
	if none := CombineRuns(nil, .05); !math.IsNaN(none.Same.Estimate) || none.Same.P != 1 || none.Mean.P != 1 {
		t.Errorf("no run: %+v", none)
	}
}

// TestCombineCoverage: with effects that differ from run to run, the interval of their
// mean holds it about as often as it says, where that of one effect does not.
func TestCombineCoverage(t *testing.T) {
	const runs, replicates = 4, 20_000
	rng := rand.New(rand.NewPCG(11, 4))
	var mean, same int
	for range replicates {
		var effects []Estimate
		for i := range runs {
			se := []float64{.8, 1, 1.2, 1.5}[i]
			effects = append(effects, Estimate{.5 + 1.5*rng.NormFloat64() + se*rng.NormFloat64(), se, math.Inf(1)})
		}
		got := CombineRuns(effects, .05)
		if got.Mean.Contains(.5) {
			mean++
		}
		if got.Same.Contains(.5) {
			same++
		}
	}
	t.Logf("mean %.4f, same %.4f", float64(mean)/replicates, float64(same)/replicates)
	if c := float64(mean) / replicates; c < .94 || c > .98 {
		t.Errorf("the mean's interval holds it in %.3f", c)
	}
	if c := float64(same) / replicates; c > .85 {
		t.Errorf("the interval of one effect held in %.3f although there were several", c)
	}
}
