package clickhouse

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// AnalysisSpec asks for the cells of an iteration under a definition that was not
// planned. Experiment and Iteration are what is analysed, with its windows, caps and
// metrics; the zero of everything else leaves it out.
type AnalysisSpec struct {
	Experiment *experiment.Experiment
	Iteration  *experiment.Iteration
	Matured    map[string]time.Time // as of results.Maturity

	Cohort experiment.Condition // attributes that a unit's first exposure must have
	From   time.Time            // of first exposures: [From, Until)
	Until  time.Time

	Slice    uint64                 // about how many events one query sums up; 0 is a good number
	Progress func(AnalysisProgress) // may be called by several goroutines, one at a time; nil: nobody asks
}

// AnalysisProgress is how far an analysis has come, in events.
type AnalysisProgress struct {
	Done, Total uint64
}

// AnalysisCells computes the metrics that moments can hold from the events below the
// positions: the same cells as the ledger has for the planned definition. A cap that
// is a percentile is cut at that percentile of the totals that are not zero, all arms
// together, of the units whose windows have passed (of all, if none has); caps has
// these numbers by metric, in whole 10^-decimals.
func (db *DB) AnalysisCells(ctx context.Context, spec AnalysisSpec, at []Position) (cells []results.Cell, caps map[string]*big.Int, err error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return nil, nil, err
	}
	slices, total, err := db.analysisSlices(ctx, at, cmp.Or(spec.Slice, analysisSlice))
	if err != nil {
		return nil, nil, err
	}
	together, alone := spec.split()
	a := &analysis{db: db, spec: spec, slices: slices, caps: map[string]*big.Int{}}
	passes := len(alone)
	var all []results.Cell
	if len(together) > 0 || len(alone) == 0 {
		passes++
	}
	a.meter.expect(total*uint64(passes), spec.Progress)
	if passes > len(alone) {
		if all, err = a.sums(ctx, together); err != nil {
			return nil, nil, err
		}
	}
	for i, m := range alone {
		more, err := a.spread(ctx, m, passes == len(alone) && i == 0)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, more...)
	}
	a.meter.finish()
	return all, a.caps, nil
}

// analysisSlice is about how many events one query of an analysis sums up: enough to
// be worth its start, few enough to stay near the processor.
const analysisSlice = 1_500_000

// split takes metrics whose cap is a percentile apart: these need every total.
func (s *AnalysisSpec) split() (together, alone []*experiment.Metric) {
	for i := range s.Iteration.Metrics {
		switch m := &s.Iteration.Metrics[i]; {
		case !m.Kind.Fast():
		case m.CapOpen() && m.Kind != experiment.Ratio:
			alone = append(alone, m)
		default:
			together = append(together, m)
		}
	}
	return together, alone
}

// analysisSliceOf is a part of a shard.
type analysisSliceOf struct {
	shard  uint16
	units  unitRange
	topics []string
	next   []int64
	events uint64 // about
}

func (s *analysisSliceOf) params() args {
	return args{"shard": s.shard, "first": s.units.first, "last": s.units.last, "topics": s.topics, "next": s.next}
}

func (db *DB) analysisSlices(ctx context.Context, at []Position, size uint64) (out []analysisSliceOf, total uint64, err error) {
	for _, p := range at {
		whole := analysisSliceOf{shard: p.Shard}
		for topic := range p.Next {
			whole.topics = append(whole.topics, topic)
		}
		if len(whole.topics) == 0 {
			continue
		}
		slices.Sort(whole.topics)
		for _, topic := range whole.topics {
			whole.next = append(whole.next, p.Next[topic])
		}
		n, _, err := one(ctx, db, "verify_size", args{"shard": p.Shard, "topics": whole.topics, "next": whole.next},
			func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
		if err != nil {
			return nil, 0, err
		}
		ranges := sliced(n, size)
		for _, r := range ranges {
			part := whole
			part.units, part.events = r, n/uint64(len(ranges))
			out = append(out, part)
		}
		total += n
	}
	return out, total, nil
}

// analysis is one under way.
type analysis struct {
	db     *DB
	spec   AnalysisSpec
	slices []analysisSliceOf
	meter  meter
	caps   map[string]*big.Int
}

// each runs a statement over every slice, as many at once as the server has threads,
// and hands the rows to scan, one at a time.
func (a *analysis) each(ctx context.Context, metrics []*experiment.Metric, spread bool, scan func(native.Rows) error) error {
	run, shape := a.spec.run(metrics, spread)
	text, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("encode what to compute: %w", err)
	}
	threads, _, err := one(ctx, a.db, "threads", nil, func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
	if err != nil {
		return err
	}
	var mine serial
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(int(min(max(threads, 1), defaultConns/2)))
	for i := range a.slices {
		group.Go(func() error { return a.slice(ctx, &a.slices[i], string(text), shape, mine.of(scan)) })
	}
	return group.Wait()
}

// slice is not repeated when it fails: some of its rows may have been handed on.
func (a *analysis) slice(ctx context.Context, s *analysisSliceOf, run string, shape analysisShape, scan func(native.Rows) error) error {
	gauge := a.meter.slice(s.events)
	again, _, err := one(gauge.watch(ctx), a.db, "analysis_again", s.params(), func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
	if err != nil {
		return err
	}
	shape.Again = again > 0
	text, err := shape.statement()
	if err != nil {
		return err
	}
	params := s.params()
	params["run"] = run
	if err := a.db.each(gauge.watch(ctx), text, params, scan); err != nil {
		return fmt.Errorf("sum up units %s to %s of shard %d: %w", s.units.first, s.units.last, s.shard, err)
	}
	gauge.finish()
	return nil
}

// analysisCell is what all slices have of a cell.
type analysisCell struct {
	phase    uint16
	settling bool
	variant  string
	barred   bool
	other    string // the variant of a crossover
}

// left tells whether the cell's units give nothing.
func (c analysisCell) left(exclude bool) bool { return c.barred || c.other != "" && exclude }

// sums computes metrics whose totals can be added up by the server.
func (a *analysis) sums(ctx context.Context, metrics []*experiment.Metric) ([]results.Cell, error) {
	found := map[string]*results.Cell{} // by cell and metric
	err := a.each(ctx, metrics, false, func(rows native.Rows) error {
		var c analysisCell
		var units int64
		var texts [][]string
		if err := rows.Scan(&c.phase, &c.settling, &c.variant, &c.barred, &c.other, &units, &texts); err != nil {
			return err
		}
		a.counters(found, c, units)
		if c.left(a.spec.excludes()) {
			return nil
		}
		for i, m := range metrics {
			numbers, err := wholes(texts[i])
			if err != nil {
				return err
			}
			cell := a.cell(found, c, m.Name)
			cell.Open.Add(sumsOf(numbers[:8], m))
			cell.Matured.Add(sumsOf(numbers[8:], m))
		}
		return nil
	})
	return listed(found), err
}

// sumsOf are the eight numbers of a metric in the statement's order.
func sumsOf(n []*big.Int, m *experiment.Metric) results.Sums {
	s := results.Sums{N: n[0].Int64(), NonZero: n[1].Int64(), Over: n[2].Int64(), Sum: n[3], SumSquares: n[4]}
	if m.Kind == experiment.Ratio {
		s.SumDenominator, s.SumSquaresDenominator, s.SumProduct = n[5], n[6], n[7]
	}
	return s
}

func (a *analysis) cell(found map[string]*results.Cell, c analysisCell, metric string) *results.Cell {
	key := fmt.Sprintf("%s/%d/%v/%s", metric, c.phase, c.settling, c.variant)
	if strings.HasPrefix(metric, "$") {
		key += "/" + c.other
	}
	cell := found[key]
	if cell == nil {
		cell = &results.Cell{
			Experiment: a.spec.Experiment.Key, Iteration: a.spec.Iteration.Number, Phase: c.phase, Settling: c.settling,
			Variant: c.variant, Metric: metric, Open: results.NewSums(), Matured: results.NewSums(),
		}
		found[key] = cell
	}
	return cell
}

func listed(found map[string]*results.Cell) []results.Cell {
	out := make([]results.Cell, 0, len(found))
	for _, c := range found {
		out = append(out, *c)
	}
	return out
}
