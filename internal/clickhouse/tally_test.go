package clickhouse_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-dev/assay/internal/clickhouse"
)

var bigs = gocmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

// tallied is a tally beside the full query.
type tallied struct {
	store
	*clickhouse.Tally
	rng     *rand.Rand
	seqs    map[uint16]uint64
	config  uint32
	horizon map[string]time.Time // by metric
}

func newTallied(t *testing.T, seed uint64) *tallied {
	s := newStore(t)
	start := noon.Truncate(slotLength)
	return &tallied{store: s, Tally: s.NewTally(), rng: rand.New(rand.NewPCG(seed, 1)), seqs: map[uint16]uint64{}, config: 1,
		horizon: map[string]time.Time{"m1": start.Add(slotLength - time.Millisecond), "m2": start.Add(20*slotLength + time.Second)}}
}

func (x *tallied) grow(t *testing.T, shard uint16, rows int) {
	t.Helper()
	x.seqs[shard]++
	p := part(shard, x.seqs[shard], randomRows(x.rng, rows)...)
	p.Config = x.config
	mustAppend(t, x.store.DB, p)
}

func (x *tallied) specs(dimensions bool, experiments ...string) []clickhouse.MomentsSpec {
	var specs []clickhouse.MomentsSpec
	for i, e := range experiments {
		m := map[string]time.Time{"m1": x.horizon["m1"]}
		if i > 0 {
			m["m2"] = x.horizon["m2"]
		}
		specs = append(specs, clickhouse.MomentsSpec{Experiment: e, Iteration: uint32(1 + i%2), Matured: m, Dimensions: dimensions})
	}
	return specs
}

// agrees holds the tally's answer against the full query's, to the bit.
func (x *tallied) agrees(t *testing.T, what string, specs []clickhouse.MomentsSpec) {
	t.Helper()
	got, err := x.Tally.Moments(t.Context(), specs)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	want, err := x.store.DB.Moments(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	sortedCells(want.Cells)
	sortedCells(got.Cells)
	if diff := gocmp.Diff(want, got, bigs, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s: the full query (-) and the tally (+) differ:\n%s", what, diff)
	}
}

// TestTallyIsTheFullQuery does what happens to a guard's ledger in any order: parts
// with rows of old and new slots, horizons that go on and back, iterations that begin
// and end, full looks, new shards, new versions, merges and restarts.
func TestTallyIsTheFullQuery(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	x := newTallied(t, seed)
	admin := x.raw(t, x.engine.Admin())
	experiments := []string{"e0", "e1"}
	for step := range 60 {
		what := "parts"
		switch x.rng.IntN(12) {
		case 0:
			what = "a full look"
			x.grow(t, uint16(x.rng.IntN(3)), 20)
			x.agrees(t, what, x.specs(true, experiments...))
			continue
		case 1:
			what = "a restart"
			x.Tally = x.NewTally()
		case 2:
			what = "another iteration"
			experiments = []string{"e2", "e0", "e1"}[:1+x.rng.IntN(3)]
		case 3:
			what = "a new version"
			x.config++
		case 4:
			what = "a merge"
			if err := admin.Exec(t.Context(), "OPTIMIZE TABLE ledger FINAL"); err != nil {
				t.Fatal(err)
			}
		case 5:
			what = "a horizon that goes back"
			x.horizon["m2"] = x.horizon["m2"].Add(-90 * time.Minute)
		case 6:
			what = "a horizon that is not known"
			x.agrees(t, what, []clickhouse.MomentsSpec{{Experiment: "e0", Iteration: 1}})
		case 7, 8:
			what = "horizons that go on"
			x.horizon["m1"] = x.horizon["m1"].Add(time.Duration(x.rng.IntN(70)) * time.Second)
			x.horizon["m2"] = x.horizon["m2"].Add(time.Duration(x.rng.IntN(40)) * time.Minute)
		}
		for range x.rng.IntN(4) {
			x.grow(t, uint16(x.rng.IntN(4)), x.rng.IntN(60))
		}
		x.agrees(t, fmt.Sprintf("step %d, %s", step, what), x.specs(false, experiments...))
	}
}

// What comes in, and what matures within a minute, needs no reading whole; what the
// kept sums cannot answer does.
func TestTallyReadsWholeWhereItMust(t *testing.T) {
	x := newTallied(t, 3)
	for shard := range uint16(3) {
		x.grow(t, shard, 50)
	}
	experiments := []string{"e0", "e1"}
	wholes := func(what string, want uint64) {
		t.Helper()
		before := x.Wholes()
		x.agrees(t, what, x.specs(false, experiments...))
		if got := x.Wholes() - before; got != want {
			t.Errorf("%s: read whole %d times, want %d", what, got, want)
		}
	}
	wholes("the first", 1)
	wholes("nothing new", 0)
	x.grow(t, 1, 30)
	x.grow(t, 1, 30)
	x.grow(t, 2, 0)
	wholes("new parts", 0)
	x.horizon["m1"] = x.horizon["m1"].Add(time.Minute) // a slot matures
	x.grow(t, 0, 60)
	wholes("a minute later", 0)
	x.grow(t, 0, 60) // also into the slot that has just matured
	wholes("after it", 0)
	x.horizon["m1"] = x.horizon["m1"].Add(time.Minute)
	wholes("two minutes later", 1)
	x.horizon["m2"] = x.horizon["m2"].Add(-time.Hour)
	wholes("a horizon that goes back", 1)
	x.grow(t, 3, 10)
	wholes("a new shard", 1)
	x.config = 2
	x.grow(t, 3, 10)
	wholes("a new version", 0)
	x.grow(t, 0, 10)
	x.config = 4
	x.grow(t, 0, 10)
	x.grow(t, 3, 10)
	wholes("two versions at once", 0)
	x.config = 3
	x.grow(t, 3, 10)
	wholes("an older version", 1)
	x.config = 4
	x.grow(t, 3, 10)
	experiments = []string{"e0"}
	wholes("an iteration less", 1)
	x.agrees(t, "a full look", x.specs(true, experiments...))
	x.grow(t, 3, 10)
	wholes("after a full look", 0)
}

// Shards that are far apart are read apart, and it makes no difference.
func TestTallyOfShardsFarApart(t *testing.T) {
	x := newTallied(t, 9)
	x.ReadApart(1)
	for shard := range uint16(4) {
		for range 1 + 2*shard {
			x.grow(t, shard, 10)
		}
	}
	x.agrees(t, "the first", x.specs(false, "e0", "e1"))
	for shard := range uint16(4) {
		x.grow(t, shard, 30)
	}
	before := x.Wholes()
	x.agrees(t, "the second", x.specs(false, "e0", "e1"))
	if x.Wholes() != before {
		t.Error("it was read whole")
	}
}

// Whoever changes the ledger below a tally is found out: by the next look where parts
// are gone or others, else when the sums are read whole.
func TestTallyFindsAnotherLedger(t *testing.T) {
	const wait = " SETTINGS mutations_sync = 2"
	for name, tt := range map[string]struct {
		do     func(t *testing.T, x *tallied)
		wholes uint64 // at the next look
	}{
		"parts are gone": {wholes: 1, do: func(t *testing.T, x *tallied) {
			x.alter(t, "DELETE WHERE shard = 1 AND seq = 2"+wait)
		}},
		"the last part is another one": {wholes: 1, do: func(t *testing.T, x *tallied) {
			x.alter(t, "DELETE WHERE shard = 1 AND seq = 2"+wait)
			x.seqs[1]--
			x.grow(t, 1, 20)
			x.grow(t, 1, 20)
		}},
		"a shard begins anew": {wholes: 1, do: func(t *testing.T, x *tallied) {
			x.alter(t, "DROP PARTITION 1")
			delete(x.seqs, 1)
			x.grow(t, 1, 20)
		}},
		"a row is another one": {do: func(t *testing.T, x *tallied) {
			x.alter(t, "UPDATE n = n + 1 WHERE shard = 0 AND mark = 0 AND experiment = 'e0' AND iteration = 1 AND dimension = ''"+wait)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTallied(t, 5)
			x.grow(t, 0, 200)
			x.grow(t, 1, 20)
			x.agrees(t, "the first", x.specs(false, "e0", "e1"))
			x.grow(t, 1, 20)
			x.agrees(t, "the second", x.specs(false, "e0", "e1"))
			tt.do(t, x)
			before := x.Wholes()
			got, err := x.Tally.Moments(t.Context(), x.specs(false, "e0", "e1"))
			if err != nil || len(got.Cells) == 0 || x.Wholes()-before != tt.wholes {
				t.Errorf("%d cells, %v, read whole %d times, want %d", len(got.Cells), err, x.Wholes()-before, tt.wholes)
			}
			if tt.wholes == 0 {
				if _, err := x.Tally.Moments(t.Context(), x.specs(true, "e0", "e1")); !errors.Is(err, clickhouse.ErrTallyDiffers) {
					t.Errorf("read whole: %v", err)
				}
			}
			x.agrees(t, "from then on", x.specs(false, "e0", "e1"))
		})
	}
}

func (x *tallied) alter(t *testing.T, change string) {
	t.Helper()
	if err := x.raw(t, x.engine.Admin()).Exec(t.Context(), "ALTER TABLE ledger "+change); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkTallyOfMany is BenchmarkMomentsOfMany, by a tally: a part in each shard
// between two looks, with something for every cell.
func BenchmarkTallyOfMany(b *testing.B) {
	s := newStore(b)
	specs, rows := manySpecs()
	seq := uint64(0)
	grow := func() {
		seq++
		for shard := range uint16(4) {
			mustAppend(b, s.DB, part(shard, seq, rows...))
		}
	}
	grow()
	tally := s.NewTally()
	if _, err := tally.Moments(b.Context(), specs); err != nil {
		b.Fatal(err)
	}
	var total spent
	for b.Loop() {
		b.StopTimer()
		grow()
		began := s.spent(b)
		b.StartTimer()
		m, err := tally.Moments(b.Context(), specs)
		if err != nil || len(m.Cells) != len(rows) || tally.Wholes() != 1 {
			b.Fatal(len(m.Cells), err, tally.Wholes())
		}
		end := s.spent(b)
		total.client += end.client - began.client
		total.engine += end.engine - began.engine
	}
	b.ReportMetric(float64(total.client)/float64(b.N), "client-ns/look")
	b.ReportMetric(float64(total.engine)/float64(b.N), "engine-ns/look")
}
