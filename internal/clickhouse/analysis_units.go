package clickhouse

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sync"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// counters counts the units themselves, and those that are left out.
func (a *analysis) counters(found map[string]*results.Cell, c analysisCell, units int64) {
	count := func(metric, value string) {
		of := c
		of.other = value
		cell := a.cell(found, of, metric)
		cell.Value = value
		cell.Open.N += units
	}
	if c.barred {
		count(ingest.Excluded, "")
		return
	}
	count(ingest.Units, "")
	if c.other != "" && a.spec.excludes() {
		count(ingest.CrossoverUnits, c.other)
	}
}

// total is how many units of a cell have the same y.
type total struct {
	y     int64
	units int64
}

// spread computes a metric from its units' totals, which are cut at a percentile of
// their own, and the units if nothing else did.
func (a *analysis) spread(ctx context.Context, m *experiment.Metric, units bool) ([]results.Cell, error) {
	type group struct {
		analysisCell
		mature bool
	}
	totals := map[group][]total{}
	found := map[string]*results.Cell{}
	err := a.each(ctx, []*experiment.Metric{m}, true, func(rows native.Rows) error {
		var g group
		var t total
		if err := rows.Scan(&g.phase, &g.settling, &g.variant, &g.barred, &g.other, &t.units, &g.mature, &t.y); err != nil {
			return err
		}
		if units {
			a.counters(found, g.analysisCell, t.units)
		}
		if !g.left(a.spec.excludes()) {
			totals[g] = append(totals[g], t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var mature, all []total
	for g, list := range totals {
		all = append(all, list...)
		if g.mature {
			mature = append(mature, list...)
		}
	}
	limit := percentileOf(mature, m.Cap.Percentile)
	if limit == nil {
		limit = percentileOf(all, m.Cap.Percentile)
	}
	if limit == nil || *limit <= 0 {
		return nil, fmt.Errorf("percentile %g of the units' totals of %s gives no cap above 0", m.Cap.Percentile, m.Name)
	}
	a.caps[m.Name] = big.NewInt(*limit)
	for g, list := range totals {
		sums := capped(list, *limit)
		cell := a.cell(found, g.analysisCell, m.Name)
		cell.Open.Add(sums)
		if g.mature {
			cell.Matured.Add(sums)
		}
	}
	return listed(found), nil
}

// beyond is where a total is too large for the sums.
const beyond = 1 << 47

// percentileOf is the percentile of totals that are not zero, as cap.sql has it; nil
// without any.
func percentileOf(list []total, percentile float64) *int64 {
	list = slices.DeleteFunc(slices.Clone(list), func(t total) bool { return t.y == 0 })
	slices.SortFunc(list, func(a, b total) int {
		if a.y < b.y {
			return -1
		}
		if a.y > b.y {
			return 1
		}
		return 0
	})
	var n int64
	for _, t := range list {
		n += t.units
	}
	rank := max(int64(math.Ceil(float64(n)*percentile/100)), 1)
	for _, t := range list {
		if rank -= t.units; rank <= 0 {
			return &t.y
		}
	}
	return nil
}

// capped sums totals up that are cut at a limit.
func capped(list []total, limit int64) results.Sums {
	s := results.NewSums()
	for _, t := range list {
		y := min(t.y, limit)
		if y >= beyond || y <= -beyond {
			s.Over += t.units
			continue
		}
		s.N += t.units
		if y != 0 {
			s.NonZero += t.units
		}
		units, wide := big.NewInt(t.units), big.NewInt(y)
		part := new(big.Int).Mul(wide, units)
		s.Sum.Add(s.Sum, part)
		s.SumSquares.Add(s.SumSquares, part.Mul(part, wide))
	}
	return s
}

// serial lets one row in at a time.
type serial struct{ mu sync.Mutex }

func (s *serial) of(scan func(native.Rows) error) func(native.Rows) error {
	return func(rows native.Rows) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return scan(rows)
	}
}

// meter turns the rows that the server says it has read into events of the whole.
type meter struct {
	mu          sync.Mutex
	done, total uint64
	tell        func(AnalysisProgress)
}

func (m *meter) expect(total uint64, tell func(AnalysisProgress)) {
	m.total, m.tell = total, tell
	m.add(0)
}

func (m *meter) add(events uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = min(m.done+events, m.total)
	if m.tell != nil {
		m.tell(AnalysisProgress{m.done, m.total})
	}
}

func (m *meter) finish() { m.add(m.total) }

// readings are about how often a slice's rows are read: for duplicates, for exposures,
// for outcomes.
const readings = 3

// gauge is the part of a meter that a slice fills.
type gauge struct {
	meter  *meter
	mu     sync.Mutex
	events uint64
	rows   uint64 // read so far
	filled uint64 // of events
}

func (m *meter) slice(events uint64) *gauge { return &gauge{meter: m, events: events} }

// watch listens to the server's progress.
func (g *gauge) watch(ctx context.Context) context.Context {
	return driver.Context(ctx, driver.WithProgress(func(p *driver.Progress) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.rows += p.Rows
		g.fill(min(g.rows/readings, g.events))
	}))
}

func (g *gauge) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fill(g.events)
}

func (g *gauge) fill(to uint64) {
	if to > g.filled {
		g.meter.add(to - g.filled)
		g.filled = to
	}
}
