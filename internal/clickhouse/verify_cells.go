package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// CellDifference is a cell whose sums the events do not give.
type CellDifference struct {
	Shard      uint16    `json:"shard"`
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"`
	Phase      uint16    `json:"phase"`
	Settling   bool      `json:"settling"`
	Variant    string    `json:"variant"`
	Metric     string    `json:"metric"`
	Slot       time.Time `json:"slot"`
	Dimension  string    `json:"dimension"`
	Value      string    `json:"value"`
	Expected   CellSums  `json:"expected"` // recounted from events
	Found      CellSums  `json:"found"`    // in the ledger
}

// CellSums are exact moments; sums are decimal, because they need 128 bits.
type CellSums struct {
	N          int64  `json:"n"`
	NonZero    int64  `json:"nonzero"`
	Over       int64  `json:"over"`
	Sum        string `json:"sum"`
	SumSquares string `json:"sum_squares"`
}

// String writes the sums for people.
func (s CellSums) String() string {
	text := fmt.Sprintf("n %d (%d not zero), Σy %s, Σy² %s", s.N, s.NonZero, s.Sum, s.SumSquares)
	if s.Over != 0 {
		text += fmt.Sprintf(", over %d", s.Over)
	}
	return text
}

// sums are moments in a form that can be compared.
type sums struct {
	n, nonzero, over int64
	sum, squares     ingest.Int128
}

func (s *sums) add(o sums) {
	s.n, s.nonzero, s.over = s.n+o.n, s.nonzero+o.nonzero, s.over+o.over
	s.sum, s.squares = s.sum.Add(o.sum), s.squares.Add(o.squares)
}

func (s sums) public() CellSums {
	return CellSums{s.n, s.nonzero, s.over, s.sum.Big().String(), s.squares.Big().String()}
}

// cells are the sums of a shard by their cell, twice.
type cells map[ingest.Cell]*twice

type twice struct{ expected, found sums }

func (c cells) of(cell ingest.Cell) *twice {
	t := c[cell]
	if t == nil {
		t = &twice{}
		c[cell] = t
	}
	return t
}

// differences lists the cells that disagree, in order, without those that a closed
// stretch of time explains.
func (c cells) differences(shard uint16, closed func(*ingest.Cell) bool) []CellDifference {
	var wrong []ingest.Cell
	for cell, t := range c {
		if t.expected != t.found && !closed(&cell) {
			wrong = append(wrong, cell)
		}
	}
	slices.SortFunc(wrong, func(a, b ingest.Cell) int { return a.Compare(&b) })
	out := make([]CellDifference, len(wrong))
	for i, cell := range wrong {
		t := c[cell]
		out[i] = CellDifference{
			Shard: shard, Experiment: cell.Experiment, Iteration: cell.Iteration, Phase: cell.Phase, Settling: cell.Settling,
			Variant: cell.Variant, Metric: cell.Metric, Slot: time.UnixMilli(cell.Slot).UTC(), Dimension: cell.Dimension,
			Value: cell.Value, Expected: t.expected.public(), Found: t.found.public(),
		}
	}
	return out
}

// eachCell runs one of the two queries that return cells.
func (db *DB) eachCell(ctx context.Context, name string, params args, fn func(ingest.Cell, sums)) error {
	type row struct {
		cell ingest.Cell
		sums sums
	}
	rows, err := collect(ctx, db, name, params, func(rows native.Rows, r *row) error {
		var sum, squares big.Int
		c := &r.cell
		err := rows.Scan(&c.Experiment, &c.Iteration, &c.Phase, &c.Settling, &c.Variant, &c.Metric, &c.Slot, &c.Dimension, &c.Value,
			&r.sums.n, &r.sums.nonzero, &r.sums.over, &sum, &squares)
		r.sums.sum, r.sums.squares = ingest.FromBig(&sum), ingest.FromBig(&squares)
		return err
	})
	for _, r := range rows {
		fn(r.cell, r.sums)
	}
	return err
}

// closed tells whether a cell holds what was counted from events that are kept no
// longer: an iteration that began before the floor, or exposures of before it that
// belong to none.
func (v *verifier) closed(c *ingest.Cell) bool {
	if v.spec.Floor.IsZero() {
		return false
	}
	if c.Iteration == 0 {
		return c.Slot < v.spec.Floor.UnixMilli()
	}
	for _, version := range v.versions {
		if e := version.Find(c.Experiment); e != nil {
			for i := range e.Iterations {
				if it := &e.Iterations[i]; it.Number == c.Iteration {
					return it.Start.Before(v.spec.Floor)
				}
			}
		}
	}
	return false
}

// close lists the iterations that could not be recomputed.
func (v *verifier) close() {
	if v.spec.Floor.IsZero() {
		return
	}
	closed := map[ClosedIteration]bool{}
	for _, version := range v.versions {
		for i := range version.Experiments {
			e := &version.Experiments[i]
			if v.spec.Experiment != "" && e.Key != v.spec.Experiment {
				continue
			}
			for k := range e.Iterations {
				if it := &e.Iterations[k]; it.Start.Before(v.spec.Floor) {
					closed[ClosedIteration{e.Key, it.Number, v.spec.Floor.UTC()}] = true
				}
			}
		}
	}
	for c := range closed {
		v.found.Closed = append(v.found.Closed, c)
	}
	slices.SortFunc(v.found.Closed, func(a, b ClosedIteration) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Iteration, b.Iteration))
	})
}
