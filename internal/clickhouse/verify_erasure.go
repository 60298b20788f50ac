package clickhouse

import (
	"context"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// adjust adds what erased units left in sums that stay to what the events give. What
// was written down for a part that another one took the place of is nothing.
func (v *verifier) adjust(ctx context.Context, mark Mark, table cells) error {
	type row struct {
		cell             ingest.Cell
		sums             sums
		request          uint64
		config, previous uint32
	}
	params := args{"shard": mark.Shard, "seq": mark.Seq, "experiment": v.spec.Experiment}
	rows, err := collect(ctx, v.db, "verify_adjustments", params, func(rows native.Rows, r *row) error {
		return scanCell(rows, &r.cell, &r.sums, &r.request, &r.config, &r.previous)
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		after, err := v.version(ctx, r.config)
		if err != nil {
			return err
		}
		before, err := v.version(ctx, r.previous)
		if err != nil {
			return err
		}
		if before.Erasure < r.request && r.request <= after.Erasure {
			table.of(r.cell).expected.add(r.sums)
		}
	}
	return nil
}

// erasedFates begins the counts of what is stored with what erasure has taken.
func (v *verifier) erasedFates(ctx context.Context, mark Mark) (map[string]storedFates, error) {
	type row struct {
		topic                          string
		accepted, duplicate, misplaced int64
	}
	rows, err := collect(ctx, v.db, "verify_erased", args{"shard": mark.Shard, "seq": mark.Seq}, func(rows native.Rows, r *row) error {
		return rows.Scan(&r.topic, &r.accepted, &r.duplicate, &r.misplaced)
	})
	out := map[string]storedFates{}
	for _, r := range rows {
		out[r.topic] = storedFates{places: r.accepted + r.duplicate + r.misplaced, misplaced: r.misplaced, accepted: r.accepted}
	}
	return out, err
}

// hiddenFrom are the units whose rows, if they are still there, give nothing to the
// sums of a shard that counts under a version, and those whose places it counts as
// erased.
func (db *DB) hiddenFrom(ctx context.Context, shard uint16, v *experiment.Version) (forgotten, gone string, err error) {
	open, err := db.openErasures(ctx)
	if err != nil || len(open) == 0 {
		return hidden(nil, 0), hidden(nil, 0), err
	}
	upTo, err := db.CarriedOut(ctx, shard)
	return hidden(open, v.Erasure), hidden(open, upTo), err
}
