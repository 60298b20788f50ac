package stats

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestJointMerge: however the units are divided, joined they are what their exact sums
// give: means and products of three columns.
func TestJointMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.Int64Range(-1000, 1000), 3, 3), 2, 40).Draw(t, "rows")
		cut := rapid.IntRange(0, len(rows)).Draw(t, "cut")
		want, a, b := jointOfRows(rows), jointOfRows(rows[:cut]), jointOfRows(rows[cut:])
		for name, got := range map[string]Joint{"a+b": a.Merge(b), "b+a": b.Merge(a)} {
			if got.N != want.N || got.NonZero != want.NonZero {
				t.Fatalf("%s: %d units, %d non-zero, want %d and %d", name, got.N, got.NonZero, want.N, want.NonZero)
			}
			for i := range want.Mean {
				if math.Abs(got.Mean[i]-want.Mean[i]) > 1e-9 {
					t.Fatalf("%s: mean %d is %v, want %v", name, i, got.Mean[i], want.Mean[i])
				}
				for k := range want.Mean {
					if math.Abs(got.Product[i][k]-want.Product[i][k]) > 1e-6 {
						t.Fatalf("%s: product %d, %d is %v, want %v", name, i, k, got.Product[i][k], want.Product[i][k])
					}
				}
			}
		}
	})
	two, three := flat(5, 5, 2, 1), flat(5, 5, 3, 1)
	if got := two.Merge(three); !math.IsNaN(got.Mean[0]) {
		t.Errorf("of two and of three columns: %+v", got)
	}
}

// jointOfRows is the state of rows, from their sums; the first column tells which are non-zero.
func jointOfRows(rows [][]int64) Joint {
	var nonZero int64
	sums, products := make([]*big.Int, 3), make([][]*big.Int, 3)
	for i := range sums {
		sums[i], products[i] = new(big.Int), make([]*big.Int, 3)
		for k := range products[i] {
			products[i][k] = new(big.Int)
		}
	}
	for _, r := range rows {
		if r[0] != 0 {
			nonZero++
		}
		for i := range r {
			sums[i].Add(sums[i], big.NewInt(r[i]))
			for k := range r {
				products[i][k].Add(products[i][k], big.NewInt(r[i]*r[k]))
			}
		}
	}
	return JointFromSums(int64(len(rows)), nonZero, sums, products, []int{0, 0, 0})
}
