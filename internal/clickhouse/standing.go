package clickhouse

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// standing is the sums of some iterations at one position of every shard. It is a
// value of the ledger alone: whoever reads them whole at that position gets the same.
type standing struct {
	vector   map[uint16]uint64
	config   map[uint16]uint32
	attempts map[uint16]uint64 // who wrote the part at that position, where it is known
	edges    map[iterationOf]map[string]edge
	cuts     []uint32 // every edge, rising, after a 0
	cells    []standingCell
	at       map[cellOf]int
}

// iterationOf is one iteration of an experiment.
type iterationOf struct {
	experiment string
	iteration  uint32
}

// cellOf is what a cell is known by.
type cellOf struct {
	iterationOf
	phase            uint16
	settling         bool
	variant, metric  string
	dimension, value string
}

// edge is where the slots of a metric that have not matured begin, and where they
// begin a minute later.
type edge struct{ now, next uint32 }

// standingCell is a cell, and the sums of the slots between the metric's edges: they
// mature next.
type standingCell struct {
	results.Cell
	ripening results.Sums
}

func keyOf(c *results.Cell) cellOf {
	return cellOf{iterationOf{c.Experiment, c.Iteration}, c.Phase, c.Settling, c.Variant, c.Metric, c.Dimension, c.Value}
}

// minuteOf is a cutoff to the minute: every slot starts at one.
func minuteOf(t time.Time) uint32 {
	const minute = 60
	return (cutoff(t) + minute - 1) / minute * minute
}

// newStanding is empty, for specs whose cells are to be put into it.
func newStanding(specs []MomentsSpec) *standing {
	s := &standing{
		vector: map[uint16]uint64{}, config: map[uint16]uint32{}, attempts: map[uint16]uint64{},
		edges: map[iterationOf]map[string]edge{}, cuts: []uint32{0}, at: map[cellOf]int{},
	}
	for _, spec := range specs {
		edges := make(map[string]edge, len(spec.Matured))
		for metric, until := range spec.Matured {
			now := minuteOf(until)
			edges[metric] = edge{now, now + 60}
			if !slices.Contains(s.cuts, now) {
				s.cuts = append(s.cuts, now)
			}
			if !slices.Contains(s.cuts, now+60) {
				s.cuts = append(s.cuts, now+60)
			}
		}
		s.edges[iterationOf{spec.Experiment, spec.Iteration}] = edges
	}
	slices.Sort(s.cuts)
	return s
}

// answers tells whether the sums are those that specs ask for, or will be once
// what is ripening has matured.
func (s *standing) answers(specs []MomentsSpec) bool {
	if len(specs) != len(s.edges) {
		return false
	}
	for _, spec := range specs {
		edges, ok := s.edges[iterationOf{spec.Experiment, spec.Iteration}]
		if !ok || len(edges) != len(spec.Matured) {
			return false
		}
		for metric, until := range spec.Matured {
			if e, ok := edges[metric]; !ok || minuteOf(until) != e.now && minuteOf(until) != e.next {
				return false
			}
		}
	}
	return true
}

// ripen lets mature what has until the specs' cutoffs, which s answers.
func (s *standing) ripen(specs []MomentsSpec) {
	moved := map[iterationOf]map[string]bool{}
	for _, spec := range specs {
		run := iterationOf{spec.Experiment, spec.Iteration}
		for metric, until := range spec.Matured {
			if now := minuteOf(until); now != s.edges[run][metric].now {
				s.edges[run][metric] = edge{now, now}
				if moved[run] == nil {
					moved[run] = map[string]bool{}
				}
				moved[run][metric] = true
			}
		}
	}
	if len(moved) == 0 {
		return
	}
	for i := range s.cells {
		if c := &s.cells[i]; moved[iterationOf{c.Experiment, c.Iteration}][c.Metric] {
			c.Matured, c.ripening = c.Matured.Plus(c.ripening), results.Sums{}
		}
	}
}

// appended is what some parts add.
type appended struct {
	deltas []delta
	marks  map[uint16][]placed
}

// delta is what they add to a cell in slots from since until the next cut.
type delta struct {
	since uint32
	cell  results.Cell // Open is what is added
}

// placed is a part as its mark names it.
type placed struct {
	seq, attempt uint64
	config       uint32
}

// follow adds the parts after s. It says why not, and leaves s as it is, when they
// are not what comes after it.
func (s *standing) follow(a appended) (why string) {
	for shard, marks := range a.marks {
		if why := s.follows(shard, marks); why != "" {
			return fmt.Sprintf("shard %d: %s", shard, why)
		}
	}
	for shard, seq := range s.vector {
		if len(a.marks[shard]) == 0 {
			return fmt.Sprintf("shard %d: part %d is not there", shard, seq)
		}
	}
	for shard, marks := range a.marks {
		last := marks[len(marks)-1]
		s.vector[shard], s.attempts[shard], s.config[shard] = last.seq, last.attempt, last.config
	}
	for i := range a.deltas {
		s.add(&a.deltas[i])
	}
	return ""
}

// follows looks at a shard's marks, the first of which must be the one that s
// stands at.
func (s *standing) follows(shard uint16, marks []placed) (why string) {
	at, known := s.vector[shard]
	if !known {
		return "it is new"
	}
	slices.SortFunc(marks, func(a, b placed) int { return cmp.Compare(a.seq, b.seq) })
	config := s.config[shard]
	for i, m := range marks {
		switch attempt, named := s.attempts[shard]; {
		case m.seq != at+uint64(i):
			return fmt.Sprintf("part %d stands where %d belongs", m.seq, at+uint64(i))
		case i == 0 && named && m.attempt != attempt:
			return fmt.Sprintf("part %d is another one", m.seq)
		case m.config < config || i == 0 && m.config != config:
			return fmt.Sprintf("part %d counts under version %d after %d", m.seq, m.config, config)
		}
		config = m.config // what a newer version counts otherwise stands in the parts that adopt it
	}
	return ""
}

func (s *standing) add(d *delta) {
	edges, wanted := s.edges[iterationOf{d.cell.Experiment, d.cell.Iteration}]
	if !wanted {
		return
	}
	c := s.cell(&d.cell)
	c.Open = c.Open.Plus(d.cell.Open)
	if d.cell.Newest.After(c.Newest) {
		c.Newest = d.cell.Newest
	}
	e, ripens := edges[d.cell.Metric]
	switch {
	case !ripens:
	case d.since < e.now:
		c.Matured = c.Matured.Plus(d.cell.Open)
	case d.since < e.next:
		c.ripening = c.ripening.Plus(d.cell.Open)
	}
}

// cell is the one that is known like c; it begins with nothing.
func (s *standing) cell(c *results.Cell) *standingCell {
	key := keyOf(c)
	i, known := s.at[key]
	if !known {
		i = len(s.cells)
		s.at[key] = i
		s.cells = append(s.cells, standingCell{results.Cell{
			Experiment: c.Experiment, Iteration: c.Iteration, Phase: c.Phase, Settling: c.Settling, Variant: c.Variant, Metric: c.Metric,
			Dimension: c.Dimension, Value: c.Value, Open: results.NewSums(), Matured: results.NewSums(),
		}, results.Sums{}})
	}
	return &s.cells[i]
}

// moments are the sums for whoever asked. They share what is never changed.
func (s *standing) moments() results.Moments {
	m := results.Moments{Vector: maps.Clone(s.vector), Config: maps.Clone(s.config), Cells: make([]results.Cell, len(s.cells))}
	for i := range s.cells {
		m.Cells[i] = s.cells[i].Cell
	}
	return m
}

// leaveDimensions drops the cells of dimensions.
func (s *standing) leaveDimensions() {
	s.cells = slices.DeleteFunc(s.cells, func(c standingCell) bool { return c.Dimension != "" })
	clear(s.at)
	for i := range s.cells {
		s.at[keyOf(&s.cells[i].Cell)] = i
	}
}

// differs names a cell that two standings of one position have otherwise. Only
// iterations that both have are compared, and matured sums where both have the same
// cutoff.
func (s *standing) differs(o *standing) string {
	for _, pair := range [][2]*standing{{s, o}, {o, s}} {
		for key, i := range pair[0].at {
			if key.dimension != "" || pair[1].edges[key.iterationOf] == nil {
				continue
			}
			c := &pair[0].cells[i]
			j, there := pair[1].at[key]
			if !there {
				return fmt.Sprintf("one has no cell %+v", key)
			}
			other := &pair[1].cells[j]
			comparable := s.edges[key.iterationOf][key.metric].now == o.edges[key.iterationOf][key.metric].now
			if !c.Open.Equal(other.Open) || !c.Newest.Equal(other.Newest) || comparable && !c.Matured.Equal(other.Matured) {
				return fmt.Sprintf("cell %+v: open %v and %v, matured %v and %v, newest %v and %v",
					key, c.Open, other.Open, c.Matured, other.Matured, c.Newest, other.Newest)
			}
		}
	}
	return ""
}
