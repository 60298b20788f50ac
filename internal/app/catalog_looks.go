package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// documentsAtOnce is how many documents are read in one query: each may be large.
const documentsAtOnce = 50

// readHeads learns which looks are the newest.
func (c *Catalog) readHeads(ctx context.Context) error {
	since := c.newest
	if !since.IsZero() {
		since = since.Add(-headsBack)
	}
	heads, err := c.stack.DB.NewestLooks(ctx, since)
	if err != nil {
		return fmt.Errorf("read the newest looks: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range heads {
		kept := c.shelf(h.Experiment).heads
		if h.ID > kept[h.Kind].ID {
			kept[h.Kind] = h
		}
		if h.At.After(c.newest) {
			c.newest = h.At
		}
	}
	return nil
}

// readDocuments reads those of the newest looks that are wanted and not held.
func (c *Catalog) readDocuments(ctx context.Context) error {
	wanted := c.wanted()
	for len(wanted) > 0 {
		some := wanted[:min(documentsAtOnce, len(wanted))]
		wanted = wanted[len(some):]
		bodies, err := c.stack.DB.Documents(ctx, some)
		if err != nil {
			return err
		}
		for _, h := range some {
			body, ok := bodies[h.ID]
			if !ok {
				continue // it has expired since; a newer one comes
			}
			if err := c.take(h, body); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Catalog) wanted() []clickhouse.LookHead {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []clickhouse.LookHead
	for _, key := range slices.Sorted(maps.Keys(c.shelves)) {
		held := c.shelves[key]
		for kind, h := range held.heads {
			last := held.loaded[kind]
			if h.ID == last.ID || kind == clickhouse.GuardLook && h.Verdict == last.Verdict && h.At.Sub(last.At) < guardEvery {
				continue
			}
			out = append(out, h)
		}
	}
	return out
}

// take puts a document on its shelf, slim.
func (c *Catalog) take(h clickhouse.LookHead, body []byte) error {
	var d *results.Document
	var slow results.Slow
	var placebo results.Placebo
	var err error
	switch h.Kind {
	case clickhouse.SlowLook:
		err = json.Unmarshal(body, &slow)
	case clickhouse.PlaceboLook:
		err = json.Unmarshal(body, &placebo)
	default:
		d, err = catalog.DecodeSlim(body)
	}
	if err != nil {
		return fmt.Errorf("decode look %s: %w", h.ID, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.shelf(h.Experiment)
	held.loaded[h.Kind], held.dirty = h, true
	switch h.Kind {
	case clickhouse.SlowLook:
		held.slow = &slow
	case clickhouse.PlaceboLook:
		held.placebo = &placebo
	case clickhouse.FullLook:
		held.full = d
	case clickhouse.GuardLook:
		held.guard = d
	}
	return nil
}

// settle adds to the documents that changed what was decided since, what was computed
// from stored events, and what the dated looks say.
func (c *Catalog) settle(ctx context.Context) {
	if c.version == nil {
		return
	}
	now := c.now()
	for key, held := range c.shelves { // who holds refreshing alone puts up another
		e := c.version.Find(key)
		if e == nil {
			continue
		}
		dated := held.dated
		if held.full != nil && c.datedChange(e, held, now) {
			dated, held.dirty = c.readDated(ctx, e, held, now), true
		}
		if held.dirty {
			c.mu.Lock() // for each anew: readers need not wait for a thousand
			held.dated = dated
			c.annotate(e, held)
			c.mu.Unlock()
		}
	}
}

// annotate makes new documents: readers may hold the old ones.
func (c *Catalog) annotate(e *experiment.Experiment, held *shelf) {
	held.dirty = false
	for _, d := range []**results.Document{&held.full, &held.guard} {
		if *d == nil {
			continue
		}
		out := c.decided(e, *d)
		if k := out.Kill; k != nil {
			k.After = nil // it is told of the whole document only
		}
		held.attach(out)
		*d = out
	}
}

// attach adds what is of its own time, where it is of the same iteration.
func (s *shelf) attach(d *results.Document) {
	d.Slow, d.Placebo, d.Dated = nil, nil, nil
	if s.slow != nil && s.slow.Iteration == d.Iteration {
		d.Slow = s.slow
	}
	if s.placebo != nil && s.placebo.Iteration == d.Iteration {
		d.Placebo = s.placebo
	}
	if s.dated.iteration == d.Iteration {
		d.Dated = s.dated.looks
	}
}

// decided is a copy of a document with what the decision log says by now.
func (c *Catalog) decided(e *experiment.Experiment, d *results.Document) *results.Document {
	out := *d
	out.Phases = slices.Clone(d.Phases)
	out.Kill, out.ArmKills = nil, nil
	c.log.Annotate(&out, c.log.Alarms(d.Experiment, d.Iteration))
	for i := range e.Iterations {
		if it := &e.Iterations[i]; it.Number == d.Iteration && it.Killed != nil && out.Killed == nil {
			out.Killed = &results.Killed{At: it.Killed.At, Decision: it.Killed.Decision, Reason: it.Killed.Reason}
		}
	}
	return &out
}

// datedLooks are what the dated looks of an iteration say, once so many have passed.
type datedLooks struct {
	iteration uint32
	passed    int
	looks     *results.Dated
}

// datedChange tells whether a date has passed, or the iteration is another.
func (c *Catalog) datedChange(e *experiment.Experiment, held *shelf, now time.Time) bool {
	it := iterationOf(e, held.full.Iteration, now)
	if it == nil || len(e.DatesOf(it)) == 0 {
		return false
	}
	return held.dated.looks == nil || held.dated.iteration != it.Number || held.dated.passed != passed(e, it, now)
}

func passed(e *experiment.Experiment, it *experiment.Iteration, now time.Time) int {
	n := 0
	for _, at := range e.DatesOf(it) {
		if !at.After(now) {
			n++
		}
	}
	return n
}

// readDated judges the dated looks. Without an answer readers are told so; it is asked
// for again.
func (c *Catalog) readDated(ctx context.Context, e *experiment.Experiment, held *shelf, now time.Time) datedLooks {
	it := iterationOf(e, held.full.Iteration, now)
	d := &results.Document{Experiment: e.Key, Iteration: it.Number, At: now}
	if err := c.stack.AddDated(ctx, e, d); err != nil {
		c.stack.Log.Warn("dated looks", "experiment", e.Key, "error", err)
	}
	return datedLooks{iteration: it.Number, passed: passed(e, it, now), looks: d.Dated}
}
