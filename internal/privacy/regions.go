package privacy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// newestForm is how the server writes times.
const newestForm = "2006-01-02 15:04:05.999"

// Region is what one region lets out of an experiment's iteration.
type Region struct {
	Name  string
	Cells []results.Cell
	Until time.Time // greatest event time in it
	Left  []string  // what of it is not used, since an arm is missing: its cell was too small
}

// RegionOf takes an iteration's cells out of a region's sums. Cells that some arms have
// and others lack are left out in all arms: a region whose small arm stayed at home would
// else give units to the others alone, and that is no split as planned.
func RegionOf(name string, m *Moments, e *experiment.Experiment, it *experiment.Iteration) (Region, error) {
	r := Region{Name: name}
	for _, key := range slices.Sorted(maps.Keys(m.cells)) {
		c, err := m.cells[key].asCell()
		if err != nil {
			return r, err
		}
		if c.Experiment != e.Key || c.Iteration != it.Number {
			continue
		}
		r.Cells = append(r.Cells, c)
		if c.Newest.After(r.Until) {
			r.Until = c.Newest
		}
	}
	r.balance(e.AsOf(it), it)
	return r, nil
}

// slice is what must be there in every arm.
type slice struct {
	phase             uint16
	settling          bool
	metric, dim, attr string
}

func (r *Region) balance(e *experiment.Experiment, it *experiment.Iteration) {
	arms := map[slice]map[string]bool{}
	of := func(c *results.Cell) slice { return slice{c.Phase, c.Settling, c.Metric, c.Dimension, c.Value} }
	compared := func(c *results.Cell) bool { return c.Metric == ingest.Units || it.Metric(c.Metric) != nil }
	for i := range r.Cells {
		if c := &r.Cells[i]; compared(c) {
			if arms[of(c)] == nil {
				arms[of(c)] = map[string]bool{}
			}
			arms[of(c)][c.Variant] = true
		}
	}
	lacks := func(s slice) bool {
		return slices.ContainsFunc(e.Variants, func(v experiment.Variant) bool { return !arms[s][v.Key] })
	}
	left := map[string]bool{}
	r.Cells = slices.DeleteFunc(r.Cells, func(c results.Cell) bool {
		s := of(&c)
		// Without units in every arm there is nothing to compare in that phase.
		gone := lacks(slice{s.phase, s.settling, ingest.Units, "", ""}) || compared(&c) && lacks(s)
		if gone {
			what := fmt.Sprintf("phase %d %s", s.phase, s.metric)
			if s.dim != "" {
				what += fmt.Sprintf(" of %s %s", s.dim, s.attr)
			}
			left[what] = true
		}
		return gone
	})
	r.Left = slices.Sorted(maps.Keys(left))
}

// Together are the sums over regions, which are those of one ledger with all their units.
func Together(regions []Region) []results.Cell {
	at := map[results.Cell]int{}
	var out []results.Cell
	for _, r := range regions {
		for _, c := range r.Cells {
			key := c
			key.Open, key.Matured, key.Newest = results.Sums{}, results.Sums{}, time.Time{}
			i, known := at[key]
			if !known {
				i = len(out)
				at[key] = i
				key.Open = results.NewSums()
				out = append(out, key)
			}
			out[i].Open.Add(c.Open)
			if c.Newest.After(out[i].Newest) {
				out[i].Newest = c.Newest
			}
		}
	}
	return out
}

// asCell reads a row's cell.
func (m *moments) asCell() (c results.Cell, err error) {
	for name, to := range map[string]any{
		"experiment": &c.Experiment, "iteration": &c.Iteration, "phase": &c.Phase, "settling": &c.Settling,
		"variant": &c.Variant, "metric": &c.Metric, "dimension": &c.Dimension, "value": &c.Value,
	} {
		if err := json.Unmarshal(bytes.TrimSpace(m.cell[name]), to); err != nil {
			return c, fmt.Errorf("%s of a cell: %w", name, err)
		}
	}
	for name, to := range map[string]*int64{"n": &c.Open.N, "nonzero": &c.Open.NonZero, "over": &c.Open.Over} {
		if !m.sums[name].IsInt64() {
			return c, fmt.Errorf("%s is beyond 64 bits", name)
		}
		*to = m.sums[name].Int64()
	}
	for name, to := range map[string]**big.Int{
		"sum": &c.Open.Sum, "sum_squares": &c.Open.SumSquares, "sum_denominator": &c.Open.SumDenominator,
		"sum_squares_denominator": &c.Open.SumSquaresDenominator, "sum_product": &c.Open.SumProduct,
	} {
		*to = m.sums[name]
	}
	c.Newest, err = time.Parse(newestForm, strings.TrimSuffix(m.newest, "Z"))
	return c, err
}
