package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/results"
)

// errTorn says that the two halves of the moments query read different parts.
var errTorn = errors.New("the server read two snapshots of the ledger in one query")

// Moments reads the cells of several iterations and the position of every shard
// in one query: the sums stand for exactly that vector. Cells come in no
// particular order.
func (db *DB) Moments(ctx context.Context, specs []MomentsSpec) (results.Moments, error) {
	return db.moments(ctx, "moments", specs, momentsParams(specs))
}

func (db *DB) moments(ctx context.Context, query string, specs []MomentsSpec, params args) (results.Moments, error) {
	wanted := map[string]map[uint32]bool{}
	for _, s := range specs {
		if wanted[s.Experiment] == nil {
			wanted[s.Experiment] = map[uint32]bool{}
		}
		wanted[s.Experiment][s.Iteration] = true
	}
	read := func(ctx context.Context, db *DB) (results.Moments, error) {
		return untorn(func() (results.Moments, error) { return db.momentsOnce(ctx, query, params, wanted) })
	}
	if !db.spread() {
		return read(ctx, db)
	}
	all, err := settled(ctx, db, read)
	if err != nil {
		return results.Moments{}, fmt.Errorf("read moments: %w", err)
	}
	return together(db.nodes, all)
}

// untorn reads until both halves are of one snapshot. A server that gives each branch
// of a query its own makes torn answers now and then. Nothing follows from one; ask again.
func untorn[T any](read func() (T, error)) (T, error) {
	for range 5 {
		if v, err := read(); !errors.Is(err, errTorn) {
			return v, err
		}
	}
	var none T
	return none, fmt.Errorf("read moments: %w", errTorn)
}

// momentsParams binds the specs. A metric's cutoff is found by the name
// "experiment/iteration/metric".
func momentsParams(specs []MomentsSpec) args {
	experiments, dimensions := map[string]bool{}, map[string]bool{}
	var keys []string
	var cutoffs []uint32
	for _, s := range specs {
		experiments[s.Experiment] = true
		if s.Dimensions {
			dimensions[s.Experiment] = true
		}
		for _, metric := range slices.Sorted(maps.Keys(s.Matured)) {
			keys = append(keys, fmt.Sprintf("%s/%d/%s", s.Experiment, s.Iteration, metric))
			cutoffs = append(cutoffs, cutoff(s.Matured[metric]))
		}
	}
	if len(keys) == 0 { // transform() wants at least one
		keys, cutoffs = []string{""}, []uint32{0}
	}
	return args{
		"experiments":     slices.Sorted(maps.Keys(experiments)),
		"with_dimensions": slices.Sorted(maps.Keys(dimensions)),
		"keys":            keys,
		"cutoffs":         cutoffs,
	}
}

// cutoff is the first whole second that is not before t: slots start at whole
// seconds.
func cutoff(t time.Time) uint32 {
	s := t.Add(time.Second - 1).Unix()
	return uint32(min(max(s, 0), 1<<32-1))
}

func (db *DB) momentsOnce(ctx context.Context, query string, params args, wanted map[string]map[uint32]bool) (results.Moments, error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return results.Moments{}, err
	}
	var m results.Moments
	begin := func() { m = results.Moments{Vector: map[uint16]uint64{}, Config: map[uint16]uint32{}} }
	err := db.query(ctx, query, params, begin, func(rows native.Rows) error {
		var r momentsRow
		if err := r.scan(rows); err != nil {
			return err
		}
		if r.cell.Experiment == "" {
			return r.place(&m)
		}
		if wanted[r.cell.Experiment][r.cell.Iteration] {
			m.Cells = append(m.Cells, r.cell)
		}
		return nil
	})
	return m, err
}

// momentsRow is one group: a cell, or with an empty experiment the marks.
type momentsRow struct {
	cell               results.Cell
	young              results.Sums
	hasCutoff          bool
	positions, younger [][]any
}

func (r *momentsRow) scan(rows native.Rows) error {
	c := &r.cell
	c.Open, r.young = results.NewSums(), results.NewSums()
	err := rows.Scan(&c.Experiment, &c.Iteration, &c.Phase, &c.Settling, &c.Variant, &c.Metric, &c.Dimension, &c.Value,
		&c.Open.N, &c.Open.NonZero, &c.Open.Over, c.Open.Sum, c.Open.SumSquares,
		c.Open.SumDenominator, c.Open.SumSquaresDenominator, c.Open.SumProduct,
		&r.young.N, &r.young.NonZero, &r.young.Over, r.young.Sum, r.young.SumSquares,
		r.young.SumDenominator, r.young.SumSquaresDenominator, r.young.SumProduct,
		&r.hasCutoff, &c.Newest, &r.positions, &r.younger)
	if err != nil {
		return err
	}
	c.Matured = results.NewSums()
	if r.hasCutoff {
		c.Matured.Add(c.Open)
		c.Matured.Sub(r.young)
	}
	return nil
}

// place takes the positions of the shards, which both halves must agree on.
func (r *momentsRow) place(m *results.Moments) error {
	for _, p := range r.positions {
		shard := p[0].(uint16)
		m.Vector[shard], m.Config[shard] = p[1].(uint64), p[2].(uint32)
	}
	if len(r.younger) != len(r.positions) {
		return errTorn
	}
	for _, p := range r.younger {
		shard := p[0].(uint16)
		if m.Vector[shard] != p[1].(uint64) || m.Config[shard] != p[2].(uint32) {
			return errTorn
		}
	}
	return nil
}

// Slots is an iteration by slot, without dimensions, in order of time.
func (db *DB) Slots(ctx context.Context, experiment string, iteration uint32) ([]SlotRow, error) {
	return db.slots(ctx, "slots", args{"experiment": experiment, "iteration": iteration})
}

// SlotsAt is [DB.Slots] as the ledger stood when the shards had come to these parts.
func (db *DB) SlotsAt(ctx context.Context, experiment string, iteration uint32, vector map[uint16]uint64) ([]SlotRow, error) {
	params := args{"experiment": experiment, "iteration": iteration}
	params["shards"], params["seqs"] = bounds(vector)
	return db.slots(ctx, "slots_past", params)
}

func (db *DB) slots(ctx context.Context, query string, params args) ([]SlotRow, error) {
	return collect(ctx, db, query, params, func(rows native.Rows, r *SlotRow) error {
		var sum, squares, below, belowSquares, product big.Int
		var newest time.Time
		err := rows.Scan(&r.Phase, &r.Settling, &r.Variant, &r.Metric, &r.Slot,
			&r.N, &r.NonZero, &r.Over, &sum, &squares, &below, &belowSquares, &product, &newest)
		r.Sum, r.SumSquares, r.Newest = ingest.FromBig(&sum), ingest.FromBig(&squares), newest.UnixMilli()
		r.SumDenominator, r.SumSquaresDenominator, r.SumProduct = ingest.FromBig(&below), ingest.FromBig(&belowSquares), ingest.FromBig(&product)
		return err
	})
}
