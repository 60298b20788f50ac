package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// jointOfPairs folds raw pairs (two passes, so that the formula under test is not repeated).
func jointOfPairs(y, x []float64) Joint {
	n := float64(len(y))
	j := Joint{N: int64(len(y)), Mean: []float64{0, 0}, Product: [][]float64{{0, 0}, {0, 0}}}
	for i := range y {
		j.Mean[0] += y[i] / n
		j.Mean[1] += x[i] / n
	}
	for i := range y {
		dy, dx := y[i]-j.Mean[0], x[i]-j.Mean[1]
		j.Product[0][0] += dy * dy
		j.Product[0][1] += dy * dx
		j.Product[1][0] += dy * dx
		j.Product[1][1] += dx * dx
	}
	return j
}

// TestAdjustAtUnequalShares: with 90/10 shares and slopes that differ between the
// arms the adjusted interval must cover the true effect as often as it says, and
// the variance must fall to that of the best single slope.
func TestAdjustAtUnequalShares(t *testing.T) {
	runs := max(800, *replicates)
	rng := rand.New(rand.NewPCG(7, 11))
	const effect, nT, nC = 0.3, 200, 1800
	const slopeT, slopeC = 2.0, 0.5
	covered, reduction, bias := 0, 0.0, 0.0
	for range runs {
		arm := func(n int, slope, shift float64) Joint {
			y, x := make([]float64, n), make([]float64, n)
			for i := range y {
				x[i] = rng.NormFloat64()
				y[i] = shift + slope*x[i] + rng.NormFloat64()
			}
			return jointOfPairs(y, x)
		}
		a := Adjust(arm(nT, slopeT, effect), arm(nC, slopeC, 0))
		e := Welch(a.Treatment, a.Control)
		if e.Student(0.05).Contains(effect) {
			covered++
		}
		reduction += a.Reduction / float64(runs)
		bias += (e.Value - effect) / float64(runs)
	}
	got := float64(covered) / float64(runs)
	if noise := 4 * math.Sqrt(0.05*0.95/float64(runs)); math.Abs(got-0.95) > noise {
		t.Errorf("coverage %.3f, want 0.95 ± %.3f (Monte Carlo)", got, noise)
	}
	// Plain variance 5/200 + 1.25/1800; the best slope's from the normal equations.
	theta := (slopeT/nT + slopeC/nC) / (1.0/nT + 1.0/nC)
	best := ((slopeT-theta)*(slopeT-theta)+1)/nT + ((slopeC-theta)*(slopeC-theta)+1)/nC
	plain := (slopeT*slopeT+1)/nT + (slopeC*slopeC+1)/nC
	if want := 1 - best/plain; math.Abs(reduction-want) > 0.02 {
		t.Errorf("variance reduced by %.3f on average, want %.3f", reduction, want)
	}
	if math.Abs(bias) > 4*math.Sqrt(best/float64(runs)) {
		t.Errorf("bias %.4f", bias)
	}
}

func TestAdjustWithoutInformation(t *testing.T) {
	constant := Joint{N: 50, NonZero: 9, Mean: []float64{3, 7}, Product: [][]float64{{40, 0}, {0, 0}}}
	for name, pair := range map[string][2]Joint{
		"a covariate without variance": {constant, constant},
		"one unit":                     {constant, {N: 1, Mean: []float64{3, 7}, Product: [][]float64{{0, 0}, {0, 0}}}},
	} {
		a := Adjust(pair[0], pair[1])
		if a.Slopes != nil || a.Reduction != 0 || a.Treatment != (Moments{N: 50, NonZero: 9, Mean: 3, M2: 40}) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestQuantileCoverage: events of one unit resemble each other; the interval of a
// 90th percentile must still cover it 95 % of the time, and without the design
// effect must not.
func TestQuantileCoverage(t *testing.T) {
	runs := max(500, *replicates)
	rng := rand.New(rand.NewPCG(3, 5))
	const p, units = 0.9, 600
	z := studentCritical(0.025, math.Inf(1))
	truth := math.Sqrt(2) * 1.2815515655446004 // of the sum of two standard normals
	covered, naive := 0, 0
	for range runs {
		q := sampleQuantile(rng, units, p, z)
		e := q.Estimate()
		if math.Abs(e.Value-truth) <= z*e.StdError {
			covered++
		}
		if math.Abs(e.Value-truth) <= (q.High-q.Low)/2 {
			naive++
		}
	}
	got := float64(covered) / float64(runs)
	if noise := 4 * math.Sqrt(0.05*0.95/float64(runs)); math.Abs(got-0.95) > noise {
		t.Errorf("coverage %.3f, want 0.95 ± %.3f (Monte Carlo)", got, noise)
	}
	if rate := float64(naive) / float64(runs); rate > 0.92 {
		t.Errorf("without the design effect coverage is %.3f: the test has no clusters", rate)
	}
}

// sampleQuantile draws units with 1 to 19 events, each a unit's own level plus noise.
func sampleQuantile(rng *rand.Rand, units int, p, z float64) Quantile {
	events := make([][]float64, units)
	var all []float64
	for i := range events {
		level := rng.NormFloat64()
		for range 1 + rng.IntN(19) {
			events[i] = append(events[i], level+rng.NormFloat64())
		}
		all = append(all, events[i]...)
	}
	slices.Sort(all)
	low, point, high, ok := QuantileRanks(int64(len(all)), p, z)
	if !ok {
		panic("too few events")
	}
	q := Quantile{P: p, Events: int64(len(all)), Z: z, Low: all[low-1], Point: all[point-1], High: all[high-1]}
	below, count := make([]float64, units), make([]float64, units)
	for i := range events {
		count[i] = float64(len(events[i]))
		for _, x := range events[i] {
			if x <= q.Point {
				below[i]++
			}
		}
	}
	q.Below = jointOfPairs(below, count)
	return q
}

func TestQuantileRanks(t *testing.T) {
	for _, c := range []struct {
		n                int64
		p, z             float64
		low, point, high int64
		ok               bool
	}{
		{100, 0.5, 1.96, 40, 50, 60, true},  // 50 ± 9.8
		{1000, 0.9, 2, 881, 900, 919, true}, // 900 ± 18.97
		{76, 0.95, 1.96, 68, 73, 76, true},  // 72.2 ± 3.72: just enough
		{60, 0.95, 1.96, 53, 57, 61, false}, // 57 ± 3.31 leaves the data
		{20, 0.05, 1.96, -1, 1, 3, false},   // below the first
		{0, 0.5, 1.96, 0, 0, 0, false},      // nothing
		{100, 1, 1.96, 0, 0, 0, false},      // no quantile
		{100, 0.5, math.NaN(), 0, 0, 0, false},
	} {
		low, point, high, ok := QuantileRanks(c.n, c.p, c.z)
		if low != c.low || point != c.point || high != c.high || ok != c.ok {
			t.Errorf("n %d p %v: %d %d %d %v, want %d %d %d %v", c.n, c.p, low, point, high, ok, c.low, c.point, c.high, c.ok)
		}
	}
	if e := (Quantile{P: 0.95, Events: 10, Z: 1.96, Point: 4}).Estimate(); e.usable() || e.Value != 4 {
		t.Errorf("ten events give an interval: %+v", e)
	}
}

// TestJointFromSums: the integers of pairs, scaled differently and far from zero,
// give what the pairs themselves give.
func TestJointFromSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const base = 1_000_000_000 // a mean 10^9 times the spread would eat the digits of floats
	var y, x []float64
	sums := []*big.Int{new(big.Int), new(big.Int)}
	products := [][]*big.Int{{new(big.Int), new(big.Int)}, {new(big.Int), new(big.Int)}}
	for range 50 {
		pair := []int64{base*100 + rng.Int64N(400), rng.Int64N(90)} // two decimals, none
		y, x = append(y, float64(pair[0]-base*100)/100), append(x, float64(pair[1]))
		for i := range pair {
			sums[i].Add(sums[i], big.NewInt(pair[i]))
			for k := range pair {
				products[i][k].Add(products[i][k], new(big.Int).Mul(big.NewInt(pair[i]), big.NewInt(pair[k])))
			}
		}
	}
	got, want := JointFromSums(50, 50, sums, products, []int{2, 0}), jointOfPairs(y, x)
	for i := range want.Product {
		for k := range want.Product {
			if math.Abs(got.Product[i][k]-want.Product[i][k]) > 1e-9*math.Abs(want.Product[i][k])+1e-9 {
				t.Errorf("product %d,%d: %v, want %v", i, k, got.Product[i][k], want.Product[i][k])
			}
		}
	}
	if math.Abs(got.Mean[0]-base-want.Mean[0]) > 1e-6 || math.Abs(got.Mean[1]-want.Mean[1]) > 1e-9 {
		t.Errorf("means %v, want %v", got.Mean, want.Mean)
	}
	if empty := JointFromSums(0, 0, sums, products, []int{2, 0}); empty.N != 0 || empty.Mean[0] != 0 || len(empty.Product) != 2 {
		t.Errorf("no units: %+v", empty)
	}
}
