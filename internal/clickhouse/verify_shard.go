package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// defaultSlice is how many events one query recounts.
const defaultSlice = 500_000

// shards that have a part.
func (db *DB) shards(ctx context.Context) ([]uint16, error) {
	return collect(ctx, db, "shards", nil, func(rows native.Rows, s *uint16) error { return rows.Scan(s) })
}

// String says in words what is wrong with the chain.
func (f ChainFault) String() string {
	return fmt.Sprintf("last part %d, but %d marks with %d numbers and %d attempts; %d rows of %d declared",
		f.Seq, f.Marks, f.Distinct, f.Attempts, f.Rows, f.Declared)
}

// shard verifies one shard up to its last mark.
func (v *verifier) shard(ctx context.Context, shard uint16) error {
	mark, err := v.db.LastMark(ctx, shard)
	if err != nil {
		return err
	}
	below := args{"shard": shard, "topics": []string{""}, "next": []int64{0}}
	if len(mark.Topics) > 0 { // transform() wants at least one
		var topics []string
		var next []int64
		for _, t := range mark.Topics {
			topics, next = append(topics, t.Name), append(next, t.Next)
		}
		below["topics"], below["next"] = topics, next
	}
	events, _, err := one(ctx, v.db, "verify_size", below, func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
	if err != nil {
		return err
	}
	slices := sliced(events, cmp.Or(v.spec.Slice, defaultSlice))
	v.progress.Shard, v.progress.Steps, v.progress.Events = shard, len(slices)+4, events
	version, err := v.version(ctx, mark.Config)
	if err != nil {
		return err
	}
	table, err := v.recount(ctx, mark, version, below, slices)
	if err != nil {
		return err
	}
	table.open(closedBy(version))
	v.found.Cells = append(v.found.Cells, table.differences(shard)...)
	v.found.Shards = append(v.found.Shards, VerifiedShard{
		Shard: shard, Seq: mark.Seq, Version: mark.Config, WrittenAt: mark.WrittenAt, Events: events, Cells: len(table)})
	if err := v.rows(ctx, mark); err != nil {
		return err
	}
	return v.projections(ctx, shard)
}

// recount fills a table of cells with the ledger's sums and the events', and
// compares fates on the way.
func (v *verifier) recount(ctx context.Context, mark Mark, version *experiment.Version, below args, slices []unitRange) (cells, error) {
	trials, runs, err := facts(version, v.spec.Experiment)
	if err != nil {
		return nil, fmt.Errorf("encode version %d: %w", mark.Config, err)
	}
	v.step("read the ledger")
	table := cells{}
	params := args{"shard": mark.Shard, "seq": mark.Seq, "experiment": v.spec.Experiment}
	if err := v.db.eachCell(ctx, "verify_ledger", params, func(c ingest.Cell, s sums) { table.of(c).found.add(s) }); err != nil {
		return nil, err
	}
	if err := v.adjust(ctx, mark, table); err != nil {
		return nil, err
	}
	fates, err := v.erasedFates(ctx, mark)
	if err != nil {
		return nil, err
	}
	forgotten, gone, err := v.db.hiddenFrom(ctx, mark.Shard, version)
	if err != nil {
		return nil, err
	}
	for i, r := range slices {
		v.step(fmt.Sprintf("recount slice %d of %d", i+1, len(slices)))
		params := args{"trials": trials, "runs": runs, "first": r.first, "last": r.last, "hidden": forgotten}
		for name, value := range below {
			params[name] = value
		}
		if err := v.db.eachCell(ctx, "verify_cells", params, func(c ingest.Cell, s sums) { table.of(c).expected.add(s) }); err != nil {
			return nil, err
		}
		params["hidden"] = gone
		if err := v.fates(ctx, params, fates); err != nil {
			return nil, err
		}
	}
	return table, v.compareFates(ctx, mark, fates)
}

// unitRange is a range of unit hashes, as decimal numbers, both ends included.
type unitRange struct{ first, last string }

// sliced divides all hashes so that each range has about size of the events.
// Hashes are spread evenly, so equal ranges are equal shares.
func sliced(events, size uint64) []unitRange {
	n := int64(events/size) + 1
	all := new(big.Int).Lsh(big.NewInt(1), 128)
	edge := func(i int64) *big.Int {
		e := new(big.Int).Mul(all, big.NewInt(i))
		return e.Div(e, big.NewInt(n))
	}
	out := make([]unitRange, n)
	for i := range n {
		out[i] = unitRange{edge(i).String(), edge(i+1).Sub(edge(i+1), big.NewInt(1)).String()}
	}
	return out
}

// storedFates is what the stored events of a topic say.
type storedFates struct{ places, misplaced, accepted int64 }

func (v *verifier) fates(ctx context.Context, slice args, all map[string]storedFates) error {
	params := args{}
	for _, name := range []string{"shard", "first", "last", "topics", "next", "hidden"} {
		params[name] = slice[name]
	}
	type row struct {
		topic    string
		contents int64
		storedFates
	}
	rows, err := collect(ctx, v.db, "verify_fates", params, func(rows native.Rows, r *row) error {
		return rows.Scan(&r.topic, &r.places, &r.misplaced, &r.accepted, &r.contents)
	})
	if err != nil {
		return err
	}
	clashing := false
	for _, r := range rows {
		sum := all[r.topic]
		all[r.topic] = storedFates{sum.places + r.places, sum.misplaced + r.misplaced, sum.accepted + r.accepted}
		clashing = clashing || r.contents != r.places
	}
	if !clashing {
		return nil
	}
	clashes, err := collect(ctx, v.db, "verify_clashes", params, func(rows native.Rows, c *Clash) error {
		c.Shard = params["shard"].(uint16)
		return rows.Scan(&c.Topic, &c.Offset, &c.Contents)
	})
	v.found.Clashes = append(v.found.Clashes, clashes...)
	return err
}

// compareFates holds the marks' counts against the stored events. Where retention
// has taken some of them, only the ranges that it left can be compared; see rows.
func (v *verifier) compareFates(ctx context.Context, mark Mark, stored map[string]storedFates) error {
	v.step("reconcile offsets and fates")
	all, err := v.db.reconcile(ctx, int32(mark.Shard), mark.Seq)
	if err != nil {
		return err
	}
	_, retired, err := v.db.provenUpTo(ctx, mark.Shard)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Difference != 0 || r.Breaks != 0 {
			v.found.Reconciliation = append(v.found.Reconciliation, ReconcileDifference{
				Shard: r.Shard, Topic: r.Topic, From: r.From, Next: r.Next, Difference: r.Difference, Breaks: r.Breaks})
		}
		if retired > 0 {
			continue
		}
		s := stored[r.Topic]
		for _, f := range []FateDifference{
			{Fate: "accepted", Expected: s.accepted, Found: int64(r.Accepted)},
			{Fate: "duplicate", Expected: s.places - s.misplaced - s.accepted, Found: int64(r.Duplicate)},
			{Fate: "misplaced", Expected: s.misplaced, Found: int64(r.Misplaced)},
		} {
			if f.Shard, f.Topic = r.Shard, r.Topic; f.Expected != f.Found {
				v.found.Fates = append(v.found.Fates, f)
			}
		}
	}
	return nil
}

// rows compares the marks' counts with the stored rows, range by range.
func (v *verifier) rows(ctx context.Context, mark Mark) error {
	v.step("compare marks with rows")
	lacking, err := v.db.Missing(ctx, mark.Shard, 0)
	slices.SortFunc(lacking, func(a, b Lacking) int { return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.From, b.From)) })
	for _, l := range lacking {
		v.found.Lacking = append(v.found.Lacking, LackingRows{
			Shard: mark.Shard, Topic: l.Topic, From: l.From, Next: l.Next, Seq: l.Seq, Events: l.Events, Dead: l.Dead})
	}
	return err
}
