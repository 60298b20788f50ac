package results

import (
	"cmp"
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// counters adds up what was counted aside.
func (c *computation) counters() {
	for _, cell := range c.rest {
		n := cell.Open.N
		switch cell.Metric {
		case ingest.Moved:
			c.doc.Aside.Moved += n
		case ingest.Outside:
			c.doc.Aside.Outside += n
		case ingest.UnknownVariant:
			c.doc.Aside.UnknownVariants += n
		case ingest.OtherUnitKind:
			c.doc.Aside.OtherUnitKind += n
		case ingest.OutOfRange:
			if c.doc.Aside.OutOfRange == nil {
				c.doc.Aside.OutOfRange = map[string]int64{}
			}
			c.doc.Aside.OutOfRange[cell.Value] += n
		case ingest.Assignment:
			if c.doc.Aside.Assignments == nil {
				c.doc.Aside.Assignments = map[string]int64{}
			}
			c.doc.Aside.Assignments[cell.Value] += n
		case ingest.CrossoverUnits:
			c.crossover(cell)
		case ingest.AfterEnd:
			c.afterEnd(cell)
		}
	}
	slices.SortFunc(c.doc.Crossovers, func(a, b Crossover) int {
		return cmp.Or(cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.First, b.First), cmp.Compare(a.Other, b.Other))
	})
	slices.SortFunc(c.doc.AfterEnd, func(a, b AfterEnd) int { return cmp.Compare(a.Variant, b.Variant) })
}

func (c *computation) crossover(cell Cell) {
	if cell.Open.N == 0 {
		return
	}
	i := slices.IndexFunc(c.doc.Crossovers, func(x Crossover) bool {
		return x.Phase == cell.Phase && x.First == cell.Variant && x.Other == cell.Value
	})
	if i < 0 {
		c.doc.Crossovers = append(c.doc.Crossovers, Crossover{Phase: cell.Phase, First: cell.Variant, Other: cell.Value})
		i = len(c.doc.Crossovers) - 1
	}
	c.doc.Crossovers[i].Units += cell.Open.N
}

func (c *computation) afterEnd(cell Cell) {
	i := slices.IndexFunc(c.doc.AfterEnd, func(x AfterEnd) bool { return x.Variant == cell.Variant })
	if i < 0 {
		c.doc.AfterEnd = append(c.doc.AfterEnd, AfterEnd{Variant: cell.Variant})
		i = len(c.doc.AfterEnd) - 1
	}
	a := &c.doc.AfterEnd[i]
	a.Exposures += cell.Open.N
	if cell.Newest.After(a.Newest) {
		a.Newest = cell.Newest
	}
}
