package results_test

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/results"
)

// TestByExperiment: however the cells come, each experiment gets its own, in their order.
func TestByExperiment(t *testing.T) {
	m := moments(units("control", 1, 1), units("treatment", 1, 2), units("control", 2, 3))
	m.Cells[1].Experiment = "another"
	got := map[string][]int64{}
	for key, cells := range m.ByExperiment() {
		for _, c := range cells {
			got[key] = append(got[key], c.Open.N)
		}
	}
	if diff := cmp.Diff(map[string][]int64{"ramp": {1, 3}, "another": {2}}, got); diff != "" {
		t.Error("units by experiment:", diff)
	}
}

// TestSumsPlus: adding changes neither side.
func TestSumsPlus(t *testing.T) {
	a := results.Sums{N: 1, Sum: big.NewInt(10), SumSquares: big.NewInt(100)}
	b := results.Sums{N: 2, NonZero: 1, Sum: big.NewInt(20)}
	c := results.Sums{}.Plus(a).Plus(b).Plus(b)
	if c.N != 5 || c.NonZero != 2 || c.Sum.Int64() != 50 || c.SumSquares.Int64() != 100 {
		t.Errorf("sum %+v", c)
	}
	if a.Sum.Int64() != 10 || b.Sum.Int64() != 20 {
		t.Errorf("adding changed %v and %v", a.Sum, b.Sum)
	}
}
