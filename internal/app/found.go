package app

import (
	"context"
	"sync"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// earlierLooks holds the last looks at iterations before the current ones, slim. They change
// no more but by events that come very late.
type earlierLooks struct {
	mu   sync.Mutex
	held map[runOf]*results.Document
}

// look is the last one at an iteration; nil where nobody looked.
func (e *earlierLooks) look(ctx context.Context, s *Stack, key string, it *experiment.Iteration) (*results.Document, error) {
	run := runOf{key, it.Number}
	e.mu.Lock()
	d := e.held[run]
	e.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := s.storedLook(ctx, key, it, clickhouse.FullLook)
	if err != nil || d == nil {
		return nil, err
	}
	d.Cells, d.Plan, d.Days, d.Crossovers = nil, nil, nil, nil
	for i := range d.Comparisons {
		d.Comparisons[i].Segments = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held == nil {
		e.held = map[runOf]*results.Document{}
	}
	e.held[run] = d
	return d, nil
}

// FindPast finds what experiments have shown: of the current iterations as the newest looks
// have it, of earlier ones as their last looks had it.
func (c *Catalog) FindPast(ctx context.Context, q catalog.FoundQuery) (catalog.FoundPage, error) {
	v, err := c.Version(ctx)
	if err != nil || v == nil {
		return catalog.FoundPage{Effects: []catalog.Found{}}, err
	}
	var all []catalog.Found
	now := c.now().UTC()
	for i := range v.Experiments {
		e := &v.Experiments[i]
		c.mu.RLock()
		current, _ := c.subject(e, now)
		notes := c.noteTexts(e.Key)
		c.mu.RUnlock()
		for j := range e.Iterations {
			it := &e.Iterations[j]
			s := current
			if current.Iteration == nil || it.Number > current.Iteration.Number {
				break
			}
			if it.Number < current.Iteration.Number {
				s.Iteration, s.Guard = it, nil
				if s.Document, err = c.earlier.look(ctx, c.stack, e.Key, it); err != nil {
					return catalog.FoundPage{}, err
				}
			}
			all = append(all, catalog.FoundIn(s, notes[it.Number])...)
		}
	}
	return catalog.FindPast(all, q), nil
}

// noteTexts are the notes beside an experiment's iterations; the caller holds the lock.
func (c *Catalog) noteTexts(key string) map[uint32][]string {
	out := map[uint32][]string{}
	for i := range c.lines {
		if e := &c.lines[i]; e.Experiment == key && e.Kind == guardrails.Noted {
			out[e.Iteration] = append(out[e.Iteration], e.Text)
		}
	}
	return out
}

// FindPast asks for it once, for the command line.
func (s *Stack) FindPast(ctx context.Context, q catalog.FoundQuery) (catalog.FoundPage, error) {
	c := s.NewCatalog()
	if err := c.Refresh(ctx); err != nil {
		return catalog.FoundPage{}, err
	}
	return c.FindPast(ctx, q)
}
