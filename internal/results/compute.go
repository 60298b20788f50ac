package results

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Options are what a look needs to know beside the data.
type Options struct {
	Code string // version of the program
	Kind string // KindGuard or KindFull
	// SameCounting tells whether a configuration version counts the experiment as
	// the judging one does (experiment.Counting). nil: only the judging one does.
	SameCounting func(version uint32) bool
}

// Compute turns the moments of one look into its document. It reads the cells
// of the iteration that is numbered so; an experiment without it gives a
// document without numbers. The statuses must have been read before the moments.
func Compute(v *experiment.Version, e *experiment.Experiment, number uint32, m Moments,
	statuses []ShardStatus, now time.Time, opts Options,
) Document {
	d := Document{
		Experiment: e.Key, Iteration: number, Iterations: len(e.Iterations),
		Version: v.Number, Code: opts.Code, Kind: opts.Kind, At: now, Vector: m.Vector,
	}
	d.Freshness, d.Troubles = trust(m, statuses)
	d.Troubles = append(d.Troubles, adopting(v.Number, m.Config, opts.SameCounting)...)
	it := findIteration(e, number)
	if it == nil {
		return d
	}
	c := computation{v: v, e: e.AsOf(it), it: it, doc: &d, main: map[string][]Cell{}, goals: map[int]stats.Pair{}}
	c.sort(m.Cells)
	c.frame(e)
	if v.Closed(e, it) {
		d.Limits, d.Floor = append(d.Limits, "closed"), v.FloorOf(c.e.UnitKind)
	}
	c.phases()
	c.counters()
	c.checkCrossovers()
	c.checkAssignments()
	c.checkLosses()
	c.consents()
	c.compare()
	return d
}

// computation is the work on one document.
type computation struct {
	v    *experiment.Version
	e    *experiment.Experiment
	it   *experiment.Iteration
	doc  *Document
	main map[string][]Cell // metrics and $units, without dimensions, by name
	rest []Cell            // the join's other counters

	segmented []Cell // metrics by dimension

	goals        map[int]stats.Pair // of goals, by place among the comparisons: what their family judges
	segmentTests []test             // of goals, by segment
}

// sort takes the iteration's cells apart and writes the exact sums down.
func (c *computation) sort(cells []Cell) {
	c.doc.Cells = make([]CellSums, 0, len(cells))
	for i := range cells {
		cell := &cells[i]
		if cell.Experiment != c.e.Key || (cell.Iteration != c.it.Number && cell.Metric != ingest.Outside) {
			continue
		}
		metric := c.it.Metric(cell.Metric)
		switch {
		case cell.Metric == ingest.Units && cell.Dimension == "":
			c.main[cell.Metric] = append(c.main[cell.Metric], *cell)
		case strings.HasPrefix(cell.Metric, "$"):
			c.rest = append(c.rest, *cell)
			continue
		case metric == nil:
			continue // of a version that the shards have not adopted yet
		case cell.Dimension == "":
			c.main[cell.Metric] = append(c.main[cell.Metric], *cell)
		default:
			c.segmented = append(c.segmented, *cell)
		}
		if cell.Newest.After(c.doc.Newest) {
			c.doc.Newest = cell.Newest
		}
		var scale Scale
		if metric != nil {
			scale = ScaleOf(metric)
		}
		c.doc.Cells = append(c.doc.Cells, CellSums{
			Phase: cell.Phase, Settling: cell.Settling, Variant: cell.Variant, Metric: cell.Metric,
			Decimals: scale.Decimals, DenominatorDecimals: scale.Denominator,
			Dimension: cell.Dimension, Value: cell.Value, Open: scale.exact(cell.Open), Matured: scale.exact(cell.Matured),
		})
	}
	slices.SortFunc(c.doc.Cells, compareCells)
}

func compareCells(a, b CellSums) int {
	return cmp.Or(
		cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Value, b.Value),
		cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Variant, b.Variant), compareBool(a.Settling, b.Settling))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// frame fills in what the configuration says.
func (c *computation) frame(e *experiment.Experiment) {
	d, it := c.doc, c.it
	d.Control, d.Start, d.EnrolUntil, d.End = c.e.Control, it.Start, it.EnrolUntil, it.End
	if it.Killed != nil {
		d.Killed = &Killed{At: it.Killed.At, Decision: it.Killed.Decision, Reason: it.Killed.Reason}
	}
	if it.Retrospective {
		d.Limits = append(d.Limits, "retrospective")
	}
	if it.NotifyOnly {
		d.Limits = append(d.Limits, "notify_only")
	}
	d.Budget = c.budget(e)
}

func (c *computation) arms(p *experiment.Phase, settling bool) []PhaseArm {
	arms := make([]PhaseArm, len(c.e.Variants))
	for v := range c.e.Variants {
		key := c.e.Variants[v].Key
		arms[v] = PhaseArm{
			Variant: key, Units: c.units(p.Number, settling, key),
			Excluded:  c.counted(ingest.Excluded, p.Number, settling, key),
			LeftOut:   c.sampled(ingest.LeftOut, p.Number, settling, key),
			ShortKept: c.sampled(shortKept, p.Number, settling, key),
		}
		if v < len(p.Shares) {
			arms[v].Share = p.Shares[v]
		}
		arms[v].Left = c.left(p.Number, settling, key, arms[v].Units)
	}
	return arms
}

func (c *computation) units(phase uint16, settling bool, variant string) int64 {
	var n int64
	for _, cell := range c.main[ingest.Units] {
		if cell.Phase == phase && cell.Settling == settling && cell.Variant == variant {
			n += cell.Open.N
		}
	}
	return n
}

// left is the number of units that the metrics are computed from: every metric
// has a row for each. Without metrics it is what the crossovers leave.
func (c *computation) left(phase uint16, settling bool, variant string, units int64) int64 {
	if i := slices.IndexFunc(c.it.Metrics, func(m experiment.Metric) bool { return m.Kind.Fast() }); i >= 0 {
		s := c.sums(c.it.Metrics[i].Name, phase, settling, variant, openSums)
		return s.N + s.Over
	}
	if c.e.Crossovers == experiment.First {
		return units
	}
	return units - c.counted(ingest.CrossoverUnits, phase, settling, variant)
}

// counted adds up one of the join's counters of units.
func (c *computation) counted(counter string, phase uint16, settling bool, variant string) int64 {
	var n int64
	for _, cell := range c.rest {
		if cell.Metric == counter && cell.Phase == phase && cell.Settling == settling && cell.Variant == variant {
			n += cell.Open.N
		}
	}
	return n
}

func findIteration(e *experiment.Experiment, number uint32) *experiment.Iteration {
	for i := range e.Iterations {
		if e.Iterations[i].Number == number {
			return &e.Iterations[i]
		}
	}
	return nil
}
