package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestArmEstimate: of one phase it is the interval of a mean from the textbook: Student's
// own ten differences of 1908 have mean 1.58 and standard deviation 1.2300.
func TestArmEstimate(t *testing.T) {
	y := []float64{1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, .8, 4.6, 1.4}
	m := Moments{}
	for _, x := range y {
		m = m.Merge(Moments{N: 1, NonZero: 1, Mean: x})
	}
	p := Combine([]Stratum{{Name: "1", Treatment: m, Control: Moments{N: 3, Mean: 1, M2: 1}}})
	got := p.Treatment.Estimate()
	// 1.58 ± 2.2621572·1.2299955/√10, the t of tables at 9 degrees of freedom
	i := got.Student(0.05)
	if math.Abs(got.Value-1.58) > 1e-12 || math.Abs(got.DoF-9) > 1e-9 || math.Abs(i.Low-0.7001142) > 1e-6 || math.Abs(i.High-2.4598858) > 1e-6 {
		t.Errorf("%+v, %+v", got, i)
	}
	if e := (Arm{}).Estimate(); !math.IsNaN(e.Value) {
		t.Errorf("of nothing: %+v", e)
	}
	flat := Combine([]Stratum{{Treatment: Moments{N: 5, Mean: 2}, Control: m}}).Treatment.Estimate().Student(0.05)
	if flat.Estimate != 2 || !math.IsInf(flat.Low, -1) || !math.IsInf(flat.High, 1) {
		t.Errorf("of equal units: %+v", flat)
	}
}

// TestArmCoverage: over a ramp of two phases with other levels and few units the
// interval holds the weighted mean in 95 % of experiments.
func TestArmCoverage(t *testing.T) {
	const replicates = 4000
	random := rand.New(rand.NewPCG(41, 1))
	draw := func(n int, level, spread float64) Moments {
		var m Moments
		for range n {
			m = m.Merge(Moments{N: 1, NonZero: 1, Mean: level + spread*random.NormFloat64()})
		}
		return m
	}
	truth := (1*9.*3/12 + 4*8.*8/16) / (9.*3/12 + 8.*8/16)
	held := 0
	for range replicates {
		p := Combine([]Stratum{
			{Name: "1", Treatment: draw(3, 1, 1), Control: draw(9, 0, 1)},
			{Name: "2", Treatment: draw(8, 4, 2), Control: draw(8, 0, 1)},
		})
		if p.Treatment.Estimate().Student(0.05).Contains(truth) {
			held++
		}
	}
	if got := float64(held) / replicates; math.Abs(got-0.95) > 3*math.Sqrt(.05*.95/replicates)+.005 {
		t.Errorf("coverage %.4f", got)
	}
}
