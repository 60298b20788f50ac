package kafka

import (
	"testing"

	"pgregory.net/rapid"
)

func TestBudget(t *testing.T) {
	b := newBudget(1000)
	if got := b.share(0, 300); got != 1000 {
		t.Errorf("alone it may use %d", got)
	}
	if got := b.share(1, 100); got != 700 {
		t.Errorf("%d are left for it", got)
	}
	if got := b.share(0, 1200); got != 900 {
		t.Errorf("the other one needs 100, so %d is too little or too much", got)
	}
	b.share(2, 1500)
	if got := b.share(0, 1200); got != 450 {
		t.Errorf("two share what the third leaves: %d", got)
	}
	b.forget(2)
	if got := b.share(0, 850); got != 900 {
		t.Errorf("a shard that went still uses something: %d", got)
	}
	if got := newBudget(0).share(0, 1<<50); got != 1<<50 {
		t.Errorf("there is no limit, and yet %d", got)
	}
}

// TestBudgetHolds: whoever shrinks to its share leaves all within the limit, and
// an equal part is everybody's.
func TestBudgetHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBudget(rapid.Int64Range(1_000, 100_000).Draw(t, "limit"))
		needs := rapid.SliceOfN(rapid.Int64Range(0, 50_000), 1, 20).Draw(t, "needs")
		for i, n := range needs {
			b.share(uint16(i), n)
		}
		total := int64(0)
		for i, n := range needs {
			share := b.share(uint16(i), n)
			if n > share && share < b.limit/int64(len(needs)) {
				t.Fatalf("shard %d may use %d of %d", i, share, b.limit)
			}
			total += min(n, share)
			b.share(uint16(i), min(n, share))
		}
		if total > b.limit {
			t.Fatalf("%d bytes in all, the limit is %d", total, b.limit)
		}
	})
}
