package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// detailsHeld is how many whole documents are kept for the next reader.
const detailsHeld = 64

// detailCache holds whole documents, the last ones that were asked for.
type detailCache struct {
	mu    sync.Mutex
	held  map[runOf]*heldDetail
	order []runOf // the last used last
}

type runOf struct {
	experiment string
	iteration  uint32
}

// heldDetail is one document; its lock is held by who makes it.
type heldDetail struct {
	mu       sync.Mutex
	tag      string
	document *results.Document
}

func newDetailCache() detailCache { return detailCache{held: map[runOf]*heldDetail{}} }

// of is the place of a run, which may be empty.
func (c *detailCache) of(run runOf) *heldDetail {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range c.order {
		if k == run {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.order = append(c.order, run)
	if c.held[run] == nil {
		c.held[run] = &heldDetail{}
	}
	if len(c.order) > detailsHeld {
		delete(c.held, c.order[0])
		c.order = c.order[1:]
	}
	return c.held[run]
}

// Detail is everything that is shown of an experiment's iteration (0: the one that
// runs, or ran last).
func (c *Catalog) Detail(ctx context.Context, key string, iteration uint32) (catalog.Detail, error) {
	e, it, err := c.find(ctx, key, iteration)
	if err != nil {
		return catalog.Detail{}, err
	}
	p, err := c.pieces(ctx, e, it)
	if err != nil {
		return catalog.Detail{}, err
	}
	held := c.details.of(runOf{key, it.Number})
	held.mu.Lock()
	defer held.mu.Unlock()
	if held.tag != p.tag() {
		if held.document, err = c.build(ctx, e, it, p); err != nil {
			return catalog.Detail{}, err
		}
		held.tag = p.tag()
	}
	s := catalog.Subject{Experiment: e, Iteration: it, Document: held.document, Guard: p.guard, Now: c.now().UTC(), Zone: c.zone}
	d := catalog.DetailOf(s, p.look.ID, held.tag)
	d.Row.SnoozedUntil = p.snoozed.Until
	c.mu.RLock()
	d.Row.Due = c.dues(s)
	c.mu.RUnlock()
	d.Tag += fmt.Sprintf("/%s/%s/%d/%s", d.Row.State, d.Row.Health, p.snoozed.Until.Unix(), whatIsDue(d.Row.Due))
	return d, nil
}

// find is an experiment of the configuration in force, and one of its iterations.
func (c *Catalog) find(ctx context.Context, key string, iteration uint32) (*experiment.Experiment, *experiment.Iteration, error) {
	v, err := c.Version(ctx)
	if err != nil {
		return nil, nil, err
	}
	if v == nil {
		return nil, nil, &catalog.Missing{What: "configuration in force", Hint: "`assay apply` puts the experiment files in force"}
	}
	e := v.Find(key)
	if e == nil {
		return nil, nil, &catalog.Missing{What: fmt.Sprintf("experiment %q", key), Hint: fmt.Sprintf("version %d has %d experiments; /api/v1/experiments lists them", v.Number, len(v.Experiments))}
	}
	it := iterationOf(e, iteration, c.now())
	if it == nil {
		return nil, nil, &catalog.Missing{What: fmt.Sprintf("iteration %d of %s", iteration, key), Hint: fmt.Sprintf("it has %d; leave the number out for the newest", len(e.Iterations))}
	}
	return e, it, nil
}

// pieces are what a detail is put together from.
type pieces struct {
	version      uint32
	decisions    uint64
	look         clickhouse.LookHead // with all metrics, or else the guard's; ID "": none
	guard        *results.Document
	slow         *results.Slow
	placebo      *results.Placebo
	dated        *results.Dated
	datesPassed  int
	guardID      string
	slowID, half string
	snoozed      guardrails.Snooze
}

// tag is another one when a piece is.
func (p *pieces) tag() string {
	return strings.Join([]string{fmt.Sprint(p.version), fmt.Sprint(p.decisions), p.look.ID, p.guardID, p.slowID, p.half, fmt.Sprint(p.datesPassed)}, "/")
}

// pieces looks for those of an iteration: on the shelf if it is the one that the newest
// looks are of, else among the stored ones.
func (c *Catalog) pieces(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration) (pieces, error) {
	p := c.onShelf(e, it)
	if p.look.ID != "" {
		return p, nil
	}
	for _, kind := range []clickhouse.LookKind{clickhouse.FullLook, clickhouse.GuardLook} {
		looks, err := c.stack.DB.Looks(ctx, clickhouse.LookFilter{Experiment: e.Key, Iteration: it.Number, Kind: kind, Limit: 1})
		if err != nil {
			return p, fmt.Errorf("look for the last look of %s: %w", e.Key, err)
		}
		if len(looks) > 0 {
			p.look = clickhouse.LookHead{ID: looks[0].ID, Experiment: e.Key, Iteration: it.Number, Kind: kind, At: looks[0].At}
			break
		}
	}
	var err error
	if p.slow == nil {
		if p.slow, err = c.stack.lastSlow(ctx, e.Key, it.Number); err != nil {
			return p, err
		}
	}
	if p.placebo == nil {
		p.placebo, err = c.stack.lastPlacebo(ctx, e.Key, it.Number)
	}
	return p, err
}

func (c *Catalog) onShelf(e *experiment.Experiment, it *experiment.Iteration) pieces {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p := pieces{version: c.version.Number, decisions: c.log.Last}
	if z, ok := c.log.Snoozed(e.Key, c.now()); ok {
		p.snoozed = z
	}
	held := c.shelves[e.Key]
	if held == nil {
		return p
	}
	if d := held.guard; d != nil && d.Iteration == it.Number {
		p.guard, p.guardID, p.look = d, held.loaded[clickhouse.GuardLook].ID, held.loaded[clickhouse.GuardLook]
	}
	if d := held.full; d != nil && d.Iteration == it.Number {
		p.look = held.loaded[clickhouse.FullLook]
	}
	if held.slow != nil && held.slow.Iteration == it.Number {
		p.slow, p.slowID = held.slow, held.loaded[clickhouse.SlowLook].ID
	}
	if held.placebo != nil && held.placebo.Iteration == it.Number {
		p.placebo, p.half = held.placebo, held.loaded[clickhouse.PlaceboLook].ID
	}
	if held.dated.iteration == it.Number {
		p.dated, p.datesPassed = held.dated.looks, held.dated.passed
	}
	return p
}

// build reads the whole document and adds what its readers ask for; nil without a look.
func (c *Catalog) build(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, p pieces) (*results.Document, error) {
	if p.look.ID == "" {
		return nil, nil
	}
	bodies, err := c.stack.DB.Documents(ctx, []clickhouse.LookHead{p.look})
	if err != nil {
		return nil, err
	}
	body, ok := bodies[p.look.ID]
	if !ok {
		return nil, fmt.Errorf("look %s has expired: %w", p.look.ID, errors.New("ask again"))
	}
	var stored results.Document
	if err := json.Unmarshal(body, &stored); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", p.look.ID, err)
	}
	gaps, err := c.gaps(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	d := c.decided(e, &stored)
	d.LogHead = c.log.Head
	c.mu.RUnlock()
	d.Gaps = gapsOf(gaps, it, d.Vector)
	d.Slow, d.Placebo, d.Dated = p.slow, p.placebo, p.dated
	if d.Dated == nil {
		if err := c.stack.AddDated(ctx, e, d); err != nil {
			return nil, err
		}
	}
	if err := c.stack.AddTogether(ctx, e, d); err != nil {
		return nil, err
	}
	results.AddDetails(e, d)
	d.Plan = results.PlanAnalysis(e, d)
	return d, nil
}
