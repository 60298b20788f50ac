package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
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

// CellSums are exact moments; sums are decimal, because they need 128 bits. Those
// with z are of ratios, and empty for all other kinds.
type CellSums struct {
	N                     int64  `json:"n"`
	NonZero               int64  `json:"nonzero"`
	Over                  int64  `json:"over"`
	Sum                   string `json:"sum"`
	SumSquares            string `json:"sum_squares"`
	SumDenominator        string `json:"sum_denominator,omitempty"`
	SumSquaresDenominator string `json:"sum_squares_denominator,omitempty"`
	SumProduct            string `json:"sum_product,omitempty"`
}

// String writes the sums for people.
func (s CellSums) String() string {
	text := fmt.Sprintf("n %d (%d not zero), Σy %s, Σy² %s", s.N, s.NonZero, s.Sum, s.SumSquares)
	if s.SumDenominator != "" {
		text += fmt.Sprintf(", Σz %s, Σz² %s, Σyz %s", s.SumDenominator, s.SumSquaresDenominator, s.SumProduct)
	}
	if s.Over != 0 {
		text += fmt.Sprintf(", over %d", s.Over)
	}
	return text
}

// sums are moments in a form that can be compared: Σy, Σy², Σz, Σz², Σyz.
type sums struct {
	n, nonzero, over int64
	of               [5]ingest.Int128
}

func (s *sums) add(o sums) {
	s.n, s.nonzero, s.over = s.n+o.n, s.nonzero+o.nonzero, s.over+o.over
	for i := range s.of {
		s.of[i] = s.of[i].Add(o.of[i])
	}
}

func (s sums) public() CellSums {
	text := func(i int) string { return s.of[i].Big().String() }
	out := CellSums{N: s.n, NonZero: s.nonzero, Over: s.over, Sum: text(0), SumSquares: text(1)}
	if !s.of[2].IsZero() || !s.of[3].IsZero() || !s.of[4].IsZero() {
		out.SumDenominator, out.SumSquaresDenominator, out.SumProduct = text(2), text(3), text(4)
	}
	return out
}

// scanCell reads a cell with its sums, and what comes after them.
func scanCell(rows native.Rows, c *ingest.Cell, s *sums, more ...any) error {
	var wide [len(s.of)]big.Int
	targets := []any{&c.Experiment, &c.Iteration, &c.Phase, &c.Settling, &c.Variant, &c.Metric, &c.Slot, &c.Dimension, &c.Value,
		&s.n, &s.nonzero, &s.over}
	for i := range wide {
		targets = append(targets, &wide[i])
	}
	err := rows.Scan(append(targets, more...)...)
	for i := range wide {
		s.of[i] = ingest.FromBig(&wide[i])
	}
	return err
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

// open leaves the cells out that are closed.
func (c cells) open(closed func(*ingest.Cell) bool) {
	maps.DeleteFunc(c, func(cell ingest.Cell, _ *twice) bool { return closed(&cell) })
}

// differences lists the cells that disagree, in order.
func (c cells) differences(shard uint16) []CellDifference {
	var wrong []ingest.Cell
	for cell, t := range c {
		if t.expected != t.found {
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
	rows, err := collect(ctx, db, name, params, func(rows native.Rows, r *row) error { return scanCell(rows, &r.cell, &r.sums) })
	for _, r := range rows {
		fn(r.cell, r.sums)
	}
	return err
}

// closedBy tells of each cell whether it holds what was counted from events that
// are kept no longer: those of an iteration that began before the floor, or of
// exposures from before it that belong to none or are of another unit kind, whose own
// floor may be higher.
func closedBy(v *experiment.Version) func(*ingest.Cell) bool {
	highest := v.HighestFloor()
	return func(c *ingest.Cell) bool {
		if c.Iteration == 0 || c.Metric == ingest.OtherUnitKind {
			if time.UnixMilli(c.Slot).Before(highest) {
				return true
			}
			if c.Iteration == 0 {
				return false
			}
		}
		e := v.Find(c.Experiment)
		if e == nil {
			return false
		}
		i := slices.IndexFunc(e.Iterations, func(it experiment.Iteration) bool { return it.Number == c.Iteration })
		return i >= 0 && v.Closed(e, &e.Iterations[i])
	}
}

// close lists the iterations that could not be recomputed.
func (v *verifier) close() {
	closed := map[ClosedIteration]bool{}
	for _, version := range v.versions {
		for i := range version.Experiments {
			e := &version.Experiments[i]
			for k := range e.Iterations {
				if it := &e.Iterations[k]; version.Closed(e, it) && (v.spec.Experiment == "" || v.spec.Experiment == e.Key) {
					closed[ClosedIteration{e.Key, it.Number, version.FloorOf(e.AsOf(it).UnitKind).UTC()}] = true
				}
			}
		}
	}
	for c := range closed {
		v.found.Closed = append(v.found.Closed, c)
	}
	slices.SortFunc(v.found.Closed, func(a, b ClosedIteration) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Iteration, b.Iteration), a.Since.Compare(b.Since))
	})
}
