package clickhouse_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
)

const slotLength = time.Hour

// randomRows are deltas of several experiments, iterations, phases, metrics,
// slots and dimensions.
func randomRows(rng *rand.Rand, n int) []ingest.Row {
	rows := make([]ingest.Row, n)
	for i := range rows {
		r := &rows[i]
		r.Cell = ingest.Cell{
			Experiment: fmt.Sprint("e", rng.IntN(3)), Iteration: uint32(1 + rng.IntN(2)), Phase: uint16(1 + rng.IntN(2)),
			Settling: rng.IntN(5) == 0, Variant: []string{"c", "t"}[rng.IntN(2)],
			Metric: []string{"m1", "m2", ingest.Units}[rng.IntN(3)],
			Slot:   noon.Truncate(slotLength).Add(slotLength * time.Duration(rng.IntN(30))).UnixMilli(),
		}
		switch rng.IntN(6) {
		case 0, 1, 2:
			r.Dimension, r.Value = "country", []string{"DE", "FR", "(none)"}[rng.IntN(3)]
		case 3: // a counter whose value is another variant, and no dimension's
			r.Metric, r.Value = ingest.CrossoverUnits, []string{"c", "t"}[rng.IntN(2)]
		}
		r.Delta = ingest.Delta{
			N: rng.Int64N(5) - 2, NonZero: rng.Int64N(3) - 1, Over: rng.Int64N(2),
			Sum:        ingest.Int128{Hi: rng.Int64N(1<<40) - 1<<39, Lo: rng.Uint64()},
			SumSquares: ingest.Int128{Hi: rng.Int64N(1 << 40), Lo: rng.Uint64()},

			SumDenominator:        ingest.Int128{Hi: rng.Int64N(1<<40) - 1<<39, Lo: rng.Uint64()},
			SumSquaresDenominator: ingest.Int128{Hi: rng.Int64N(1 << 40), Lo: rng.Uint64()},
			SumProduct:            ingest.Int128{Hi: rng.Int64N(1<<40) - 1<<39, Lo: rng.Uint64()},

			Newest: noon.UnixMilli() + rng.Int64N(1e6),
		}
	}
	return rows
}

// fill writes rows in parts over shards; shard s gets s+1 parts, the last under
// configuration version 10+s.
func fill(t testing.TB, db *clickhouse.DB, shards uint16, rows []ingest.Row) (vector map[uint16]uint64, config map[uint16]uint32) {
	t.Helper()
	vector, config = map[uint16]uint64{}, map[uint16]uint32{}
	per := len(rows)/int(shards*(shards+1)/2) + 1
	for shard := range shards {
		for seq := uint64(1); seq <= uint64(shard)+1; seq++ {
			n := min(per, len(rows))
			p := part(shard, seq, rows[:n]...)
			if seq == uint64(shard)+1 {
				p.Config = 10 + uint32(shard)
			}
			mustAppend(t, db, p)
			rows = rows[n:]
			vector[shard], config[shard] = seq, p.Config
		}
	}
	if len(rows) > 0 {
		t.Fatalf("%d rows left", len(rows))
	}
	return vector, config
}

// cellsOf adds up rows the slow way.
func cellsOf(rows []ingest.Row, specs []clickhouse.MomentsSpec) []results.Cell {
	var keys []results.Cell
	found := map[string]*results.Cell{}
	for _, s := range specs {
		for _, r := range rows {
			if r.Experiment != s.Experiment || r.Iteration != s.Iteration || (r.Dimension != "" && !s.Dimensions) {
				continue
			}
			key := fmt.Sprintf("%q", []any{r.Experiment, r.Iteration, r.Phase, r.Settling, r.Variant, r.Metric, r.Dimension, r.Value})
			c := found[key]
			if c == nil {
				c = &results.Cell{
					Experiment: r.Experiment, Iteration: r.Iteration, Phase: r.Phase, Settling: r.Settling,
					Variant: r.Variant, Metric: r.Metric, Dimension: r.Dimension, Value: r.Value,
					Open: results.NewSums(), Matured: results.NewSums(),
				}
				found[key] = c
			}
			add(&c.Open, r.Delta)
			if until, ok := s.Matured[r.Metric]; ok && time.UnixMilli(r.Slot).Before(until) {
				add(&c.Matured, r.Delta)
			}
			if newest := time.UnixMilli(r.Newest).UTC(); newest.After(c.Newest) {
				c.Newest = newest
			}
		}
	}
	for _, c := range found {
		keys = append(keys, *c)
	}
	return sortedCells(keys)
}

func add(s *results.Sums, d ingest.Delta) {
	s.N += d.N
	s.NonZero += d.NonZero
	s.Over += d.Over
	s.Sum.Add(s.Sum, d.Sum.Big())
	s.SumSquares.Add(s.SumSquares, d.SumSquares.Big())
	s.SumDenominator.Add(s.SumDenominator, d.SumDenominator.Big())
	s.SumSquaresDenominator.Add(s.SumSquaresDenominator, d.SumSquaresDenominator.Big())
	s.SumProduct.Add(s.SumProduct, d.SumProduct.Big())
}

func sortedCells(cells []results.Cell) []results.Cell {
	key := func(c results.Cell) string {
		return fmt.Sprint(c.Experiment, c.Iteration, c.Phase, c.Settling, c.Variant, c.Metric, c.Dimension, c.Value)
	}
	slices.SortFunc(cells, func(a, b results.Cell) int { return cmp.Compare(key(a), key(b)) })
	return cells
}

func momentsSpecs() []clickhouse.MomentsSpec {
	start := noon.Truncate(slotLength)
	return []clickhouse.MomentsSpec{
		{Experiment: "e0", Iteration: 1, Matured: map[string]time.Time{"m1": start.Add(10 * slotLength), ingest.Units: start.Add(20 * slotLength)}},
		{Experiment: "e0", Iteration: 2, Matured: map[string]time.Time{"m1": start.Add(7*slotLength + time.Millisecond)}},
		{Experiment: "e1", Iteration: 2, Matured: map[string]time.Time{"m1": start, "m2": start.Add(1000 * slotLength)}, Dimensions: true},
	}
}

func TestMoments(t *testing.T) {
	s := newStore(t)
	rows := randomRows(rand.New(rand.NewPCG(7, 8)), 3000)
	vector, config := fill(t, s.DB, 4, rows)
	want := results.Moments{Vector: vector, Config: config, Cells: cellsOf(rows, momentsSpecs())}

	got, err := s.Moments(t.Context(), momentsSpecs())
	if err != nil {
		t.Fatal(err)
	}
	sortedCells(got.Cells)
	if diff := gocmp.Diff(want, got, bigs); diff != "" {
		t.Errorf("moments (-want +got):\n%s", diff)
	}
}

func TestMomentsOfNothing(t *testing.T) {
	s := newStore(t)
	m, err := s.Moments(t.Context(), []clickhouse.MomentsSpec{{Experiment: "e", Iteration: 1}})
	if err != nil || len(m.Cells) != 0 || len(m.Vector) != 0 {
		t.Errorf("an empty ledger has %+v, %v", m, err)
	}
	// Parts without rows move the vector all the same.
	mustAppend(t, s.DB, part(2, 1), part(2, 2))
	m, err = s.Moments(t.Context(), nil)
	if diff := gocmp.Diff(map[uint16]uint64{2: 2}, m.Vector); err != nil || diff != "" {
		t.Errorf("vector (-want +got), %v:\n%s", err, diff)
	}
}

// Whatever merges have done, a projection says what the rows say.
func TestProjectionsEqualTheRows(t *testing.T) {
	s := newStore(t)
	fill(t, s.DB, 4, randomRows(rand.New(rand.NewPCG(9, 10)), 2000))
	admin := s.raw(t, s.engine.Admin())
	for _, merged := range []bool{false, true} {
		if merged {
			if err := admin.Exec(t.Context(), "OPTIMIZE TABLE ledger FINAL"); err != nil {
				t.Fatal(err)
			}
		}
		for name, params := range projected() {
			with, without := s.lines(t, name, params, 1), s.lines(t, name, params, 0)
			if len(with) < 10 {
				t.Errorf("%s: only %d rows", name, len(with))
			}
			if diff := gocmp.Diff(without, with); diff != "" {
				t.Errorf("%s, merged %v: rows (-) and projections (+) differ:\n%s", name, merged, diff)
			}
		}
	}
}

func TestProjectionsAreUsed(t *testing.T) {
	s := newStore(t)
	fill(t, s.DB, 4, randomRows(rand.New(rand.NewPCG(11, 12)), 2000))
	conn := s.raw(t, s.engine.Writer())
	want := map[string][]string{"moments": {"(look)", "(page)"}, "tally_whole": {"(look)", "(page)"}, "slots": {"(page)"}}
	for name, params := range projected() {
		text, err := clickhouse.Statement(name)
		if err != nil {
			t.Fatal(err)
		}
		var reads []string
		for _, line := range s.query(t, conn, "EXPLAIN "+text, params, nil) {
			if _, table, ok := strings.Cut(line, "ReadFromMergeTree "); ok {
				reads = append(reads, strings.TrimSpace(table))
			}
		}
		if diff := gocmp.Diff(want[name], reads); diff != "" {
			t.Errorf("%s reads (-want +got):\n%s", name, diff)
		}
	}
}

// projected are the queries that must not read the ledger's rows.
func projected() map[string][]any {
	return map[string][]any{
		"moments": clickhouse.MomentsParams(momentsSpecs()),
		"tally_whole": {
			driver.Named("experiments", []string{"e0", "e1"}), driver.Named("with_dimensions", []string{"e1"}),
			driver.Named("cuts", []uint32{0, uint32(noon.Unix()), uint32(noon.Add(slotLength).Unix())}), driver.Named("least", uint32(noon.Unix())),
		},
		"slots": {driver.Named("experiment", "e1"), driver.Named("iteration", uint32(1))},
	}
}

// lines runs a statement of the package with or without projections; the order
// of groups, and of the shards within one, does not count.
func (s store) lines(t testing.TB, name string, params []any, projections int) []string {
	t.Helper()
	text, err := clickhouse.Statement(name)
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "groupArrayIf(", "groupArraySortedIf(100)(")
	lines := s.query(t, s.raw(t, s.engine.Writer()), text, params, driver.Settings{"optimize_use_projections": projections})
	slices.Sort(lines)
	return lines
}

// query returns each row as text.
func (s store) query(t testing.TB, conn native.Conn, text string, params []any, settings driver.Settings) []string {
	t.Helper()
	rows, err := conn.Query(driver.Context(t.Context(), driver.WithSettings(settings)), text, params...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		values := make([]any, len(rows.Columns()))
		for i, c := range rows.ColumnTypes() {
			values[i] = newOf(c)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, textOf(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestSlots(t *testing.T) {
	s := newStore(t)
	rows := randomRows(rand.New(rand.NewPCG(13, 14)), 1000)
	fill(t, s.DB, 2, rows)
	want := map[clickhouse.SlotRow]ingest.Delta{}
	for _, r := range rows {
		if r.Experiment != "e1" || r.Iteration != 1 || r.Dimension != "" {
			continue
		}
		key := clickhouse.SlotRow{Phase: r.Phase, Settling: r.Settling, Variant: r.Variant, Metric: r.Metric, Slot: time.UnixMilli(r.Slot).UTC()}
		d := want[key]
		want[key] = ingest.Delta{N: d.N + r.N, NonZero: d.NonZero + r.NonZero, Over: d.Over + r.Over,
			Sum: d.Sum.Add(r.Sum), SumSquares: d.SumSquares.Add(r.SumSquares), Newest: max(d.Newest, r.Newest),
			SumDenominator: d.SumDenominator.Add(r.SumDenominator), SumProduct: d.SumProduct.Add(r.SumProduct),
			SumSquaresDenominator: d.SumSquaresDenominator.Add(r.SumSquaresDenominator)}
	}
	got := map[clickhouse.SlotRow]ingest.Delta{}
	all, err := s.Slots(t.Context(), "e1", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		key := r
		key.Delta = ingest.Delta{}
		got[key] = r.Delta
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("slots (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(all, func(a, b clickhouse.SlotRow) int { return a.Slot.Compare(b.Slot) }) {
		t.Error("not in order of time")
	}
	var read, of uint64
	watched := clickhouse.Watched(t.Context(), func(done, total uint64) { read, of = done, total })
	if _, err := s.Slots(watched, "e1", 1); err != nil || read == 0 || of < read {
		t.Errorf("a watched query told that it read %d rows of %d, %v", read, of, err)
	}
	past := func(vector map[uint16]uint64) []clickhouse.SlotRow {
		t.Helper()
		rows, err := s.SlotsAt(t.Context(), "e1", 1, vector)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if diff := gocmp.Diff(all, past(map[uint16]uint64{0: 1 << 40, 1: 1 << 40})); diff != "" {
		t.Errorf("by the rows (-by the projection +by the rows):\n%s", diff)
	}
	if none := past(nil); len(none) > 0 {
		t.Errorf("before every part there are %d slots", len(none))
	}
	if some := past(map[uint16]uint64{0: 1}); len(some) == 0 || len(some) >= len(all) {
		t.Errorf("after one part there are %d slots of %d", len(some), len(all))
	}
}
