package results_test

import (
	"math"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestSmallCounts: the score intervals are shown where an outcome is rare in an arm, and
// of one phase. The ratio's figures are statsmodels' (confint_proportions_2indep, method
// score), the difference's were found with SciPy by maximising the likelihood at each.
func TestSmallCounts(t *testing.T) {
	of := func(phases int, control, treatment [2]int64) *results.SmallCounts {
		v, e := ramp()
		it := &e.Iterations[1]
		it.Phases = it.Phases[:phases]
		it.Phases[0].Shares = []float64{.5, .5}
		var cells []results.Cell
		for p := range phases {
			cells = append(cells, binary("errors", "control", uint16(p+1), control[1], control[0]), binary("errors", "treatment", uint16(p+1), treatment[1], treatment[0]))
		}
		d := results.Compute(v, e, 2, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
		results.AddDetails(e, &d)
		for _, c := range d.Comparisons {
			if c.Kind != string(experiment.Proportion) && c.Open.SmallCounts != nil {
				t.Errorf("%s is no share", c.Metric)
			}
		}
		return d.Comparisons[0].Open.SmallCounts
	}
	near := func(got results.Number, want float64) bool { return math.Abs(float64(got)-want) < 1e-5*math.Abs(want) }
	s := of(1, [2]int64{1, 34}, [2]int64{7, 34})
	if s == nil || !near(s.Absolute.Low, 0.0270416) || !near(s.Absolute.High, 0.3452912) || !near(s.Relative.Low, 0.208567975) || !near(s.Relative.High, 42.03297224) {
		t.Errorf("%+v", s)
	}
	if s := of(1, [2]int64{100, 1000}, [2]int64{101, 1000}); s != nil {
		t.Errorf("of large counts: %+v", s)
	}
	if s := of(2, [2]int64{1, 34}, [2]int64{7, 34}); s != nil {
		t.Errorf("of two phases: %+v", s)
	}
	if s := of(1, [2]int64{0, 34}, [2]int64{0, 34}); s == nil || s.Relative.Low.Known() || s.Relative.High.Known() || !(s.Absolute.Low < 0 && s.Absolute.High > 0) {
		t.Errorf("of no event: %+v", s)
	}
}
