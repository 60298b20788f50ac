package stats

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

// TestLogBayesFactorOfManyUnits: up to 10¹² units the evidence keeps its digits, where
// lgamma(10¹²) itself is only known to 0.004. Computed with 60 digits by mpmath.
func TestLogBayesFactorOfManyUnits(t *testing.T) {
	for _, c := range []struct {
		counts []int64
		shares []float64
		want   float64
	}{
		{[]int64{500_000_000_000, 500_000_000_000}, []float64{1, 1}, -9.210365376975891},
		{[]int64{500_001_000_000, 499_999_000_000}, []float64{1, 1}, -7.2103653969725575},
		{[]int64{500_003_000_000, 499_997_000_000}, []float64{1, 1}, 8.7896344431501108},
		{[]int64{900_000_000_000, 100_000_500_000}, []float64{9, 1}, -8.0854289599703661},
		{[]int64{333_333_333_333, 333_333_333_333, 333_333_333_333}, []float64{1, 1, 1}, -18.420747420617143},
	} {
		got := SampleRatio(c.counts, c.shares).LogBF
		if math.Abs(got-c.want) > 1e-4 {
			t.Errorf("%v: %v, want %v (off by %.1e)", c.counts, got, c.want, got-c.want)
		}
	}
}

// TestSplitExactP against all counts of few units, added up in rational numbers.
func TestSplitExactP(t *testing.T) {
	for _, shares := range [][]int64{{1, 1}, {9, 1}, {1, 3}, {1, 1, 2}, {5, 3, 1, 1}} {
		for total := int64(1); total <= 9; total++ {
			spread(make([]int64, len(shares)), 0, total, func(counts []int64) {
				floats := make([]float64, len(shares))
				for i, s := range shares {
					floats[i] = float64(s)
				}
				want, _ := exactly(counts, shares, total).Float64()
				got, ok := SplitExactP(counts, floats)
				if !ok || math.Abs(got-want) > 1e-12 {
					t.Errorf("%v of %v: %v (%t), want %v", counts, shares, got, ok, want)
				}
			})
		}
	}
}

// exactly adds up the probabilities of all counts that are no likelier than these.
func exactly(counts, shares []int64, total int64) *big.Rat {
	limit, sum := chance(counts, shares), new(big.Rat)
	spread(make([]int64, len(shares)), 0, total, func(other []int64) {
		if p := chance(other, shares); p.Cmp(limit) <= 0 {
			sum.Add(sum, p)
		}
	})
	return sum
}

func chance(counts, shares []int64) *big.Rat {
	var weight, units int64
	for i := range counts {
		weight, units = weight+shares[i], units+counts[i]
	}
	p := new(big.Rat).SetInt(new(big.Int).MulRange(1, units))
	for i, n := range counts {
		p.Quo(p, new(big.Rat).SetInt(new(big.Int).MulRange(1, n)))
		for range n {
			p.Mul(p, big.NewRat(shares[i], weight))
		}
	}
	return p
}

func spread(counts []int64, arm int, left int64, visit func([]int64)) {
	if arm == len(counts)-1 {
		counts[arm] = left
		visit(counts)
		return
	}
	for n := range left + 1 {
		counts[arm] = n
		spread(counts, arm+1, left-n, visit)
	}
}

// TestSplitExactPOfMany: at many units it is what χ² says, and where it would be slow
// it says that it does not know.
func TestSplitExactPOfMany(t *testing.T) {
	counts, shares := []int64{500_900, 499_100}, []float64{1, 1}
	exact, ok := SplitExactP(counts, shares)
	if chi := SampleRatio(counts, shares).ChiSquareP; !ok || math.Abs(exact-chi) > 0.01*chi {
		t.Errorf("exact %v (%t), χ² %v", exact, ok, chi)
	}
	for _, c := range []struct {
		counts []int64
		shares []float64
	}{
		{nil, nil}, {[]int64{0, 0}, shares}, {[]int64{1_000_000, 1}, shares}, {[]int64{5, -1}, shares},
		{[]int64{5, 1}, []float64{1, 0}}, {[]int64{300, 300, 300}, []float64{1, 1, 1}},
	} {
		if p, ok := SplitExactP(c.counts, c.shares); ok || p != 1 {
			t.Errorf("%v of %v: %v, %t", c.counts, c.shares, p, ok)
		}
	}
}

// TestMissing: the least part of an arm that must be missing, by hand.
func TestMissing(t *testing.T) {
	for _, c := range []struct {
		counts  []int64
		shares  []float64
		missing float64
		trivial bool
		leaked  int64
	}{
		{[]int64{5000, 5000}, []float64{1, 1}, 0, false, 0},
		{[]int64{5000, 4000}, []float64{1, 1}, 0.2, false, 0},
		{[]int64{9000, 950}, []float64{9, 1}, 0.05, false, 0},
		{[]int64{9000, 1100}, []float64{9, 1}, 1. / 11, false, 0},
		{[]int64{40_000_000, 39_940_000}, []float64{1, 1}, 0.0015, true, 0},
		{[]int64{40_000, 39_940}, []float64{1, 1}, 0.0015, false, 0}, // nothing is shown of it
		{[]int64{5000, 0, 7}, []float64{1, 1, 0}, 1, false, 7},
		{[]int64{0, 0}, []float64{1, 1}, 0, false, 0},
	} {
		t.Run(fmt.Sprint(c.counts), func(t *testing.T) {
			s := SampleRatio(c.counts, c.shares)
			if math.Abs(s.Missing-c.missing) > 1e-12 || s.Leaked != c.leaked {
				t.Errorf("missing %v, leaked %d; want %v, %d", s.Missing, s.Leaked, c.missing, c.leaked)
			}
			if got := s.Trivial(SRMThreshold(1)); got != c.trivial {
				t.Errorf("trivial %t at p %v, want %t", got, s.P, c.trivial)
			}
		})
	}
}

// TestBinomialAbove: sums of binomial probabilities by hand.
func TestBinomialAbove(t *testing.T) {
	for _, c := range []struct {
		k, n int64
		p    float64
		want float64
	}{
		{0, 20, .05, 1}, {21, 20, .05, 0}, {1, 20, .05, 1 - math.Pow(.95, 20)}, {20, 20, .5, math.Pow(.5, 20)},
		{2, 3, .25, 3*.0625*.75 + .015625}, {1, 5, math.NaN(), 1}, {1, 5, 0, 0}, {5, 5, 1, 1},
	} {
		if got := BinomialAbove(c.k, c.n, c.p); math.Abs(got-c.want) > 1e-14 {
			t.Errorf("%d of %d at %v: %v, want %v", c.k, c.n, c.p, got, c.want)
		}
	}
}
