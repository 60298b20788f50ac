package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

const (
	catalogEvery = time.Second
	// headsBack is how much earlier than the newest look known a look may be that comes
	// later: its time is when it was begun.
	headsBack = 10 * time.Minute
	// guardEvery is how old the guard's word on an experiment may be in a list while its
	// verdict stays the same: guards look each second.
	guardEvery = 5 * time.Second
)

// Catalog holds what readers are shown: the newest looks of all experiments, read once
// and kept as they come. Its methods may be called by several goroutines at once.
type Catalog struct {
	planner

	stack *Stack
	now   func() time.Time
	ready chan struct{} // closed when everything was read once

	refreshing sync.Mutex // held by who reads on

	mu      sync.RWMutex
	version *experiment.Version
	log     guardrails.Log
	lines   []guardrails.Entry // of the log, without their evidence
	newest  time.Time          // of the newest look known
	shelves map[string]*shelf
	rows    []catalog.Row
	rowsAt  time.Time

	details   detailCache
	earlier   earlierLooks
	readiness readyCache
	health    healthCache

	outside   map[string]time.Time // last exposures outside all iterations, of experiments that ask for reminders
	outsideAt time.Time
	zone      *time.Location // in which sentences write times
}

// shelf is what is known of one experiment.
type shelf struct {
	heads       map[clickhouse.LookKind]clickhouse.LookHead // the newest
	loaded      map[clickhouse.LookKind]clickhouse.LookHead // of which the documents are held
	full, guard *results.Document                           // slim, with what was decided since
	slow        *results.Slow
	placebo     *results.Placebo
	dated       datedLooks
	dirty       bool // something was decided since the documents were annotated
}

// NewCatalog is empty until Run has read everything once.
func (s *Stack) NewCatalog() *Catalog {
	zone, err := s.Config.Report.Zone()
	if err != nil {
		zone = time.UTC // the configuration was checked when it was read
	}
	return &Catalog{planner: newPlanner(), stack: s, now: time.Now, ready: make(chan struct{}), shelves: map[string]*shelf{}, details: newDetailCache(), zone: zone}
}

// Run reads on every second until the context ends. What fails is tried again.
func (c *Catalog) Run(ctx context.Context) error {
	return c.stack.rounds(ctx, "read the newest looks", catalogEvery, func(ctx context.Context, _ time.Time) error {
		return c.Refresh(ctx)
	})
}

// Refresh reads what is new: versions, decisions and looks.
func (c *Catalog) Refresh(ctx context.Context) error {
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	if err := errors.Join(c.readVersion(ctx), c.readDecisions(ctx)); err != nil {
		return err
	}
	if err := c.readHeads(ctx); err != nil {
		return err
	}
	if err := c.readDocuments(ctx); err != nil {
		return err
	}
	c.settle(ctx)
	if err := c.readOutside(ctx); err != nil {
		return err
	}
	c.renewRows()
	select {
	case <-c.ready:
	default:
		close(c.ready)
	}
	return nil
}

// wait returns once everything was read.
func (c *Catalog) wait(ctx context.Context) error {
	if err := catalog.AwayOf(ctx); err != nil {
		return err
	}
	select {
	case <-c.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the newest looks are being read: %w", context.Cause(ctx))
	}
}

func (c *Catalog) readVersion(ctx context.Context) error {
	number, err := c.stack.DB.VersionNumber(ctx)
	if err != nil {
		return fmt.Errorf("read the version number: %w", err)
	}
	if number == 0 || c.version != nil && c.version.Number == number {
		return nil
	}
	v, err := c.stack.DB.VersionAt(ctx, number)
	if err != nil {
		return fmt.Errorf("read version %d: %w", number, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = &v
	return nil
}

func (c *Catalog) readDecisions(ctx context.Context) error {
	rows, err := c.stack.DB.Decisions(ctx, clickhouse.DecisionFilter{After: c.log.Last})
	if err != nil {
		return fmt.Errorf("read the decision log: %w", err)
	}
	entries, err := entriesOf(rows)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range entries {
		c.log.Add(e)
		c.shelf(e.Experiment).dirty = true
		e.Evidence = nil // large, and of no use in a list
		c.lines = append(c.lines, e)
	}
	return nil
}

// shelf is that of an experiment; the caller holds the lock.
func (c *Catalog) shelf(key string) *shelf {
	if c.shelves[key] == nil {
		c.shelves[key] = &shelf{heads: map[clickhouse.LookKind]clickhouse.LookHead{}, loaded: map[clickhouse.LookKind]clickhouse.LookHead{}}
	}
	return c.shelves[key]
}

// Version is the configuration in force; nil without one.
func (c *Catalog) Version(ctx context.Context) (*experiment.Version, error) {
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.version, nil
}

// renewRows makes them while readers have the old ones.
func (c *Catalog) renewRows() {
	now := c.now().UTC()
	c.mu.RLock()
	rows := c.makeRows(now)
	c.mu.RUnlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows, c.rowsAt = rows, now
}

// Rows are all experiments of the configuration in force, by key, as of the last time
// that everything was read; when that is long ago they are made anew, for they tell
// how old everything is.
func (c *Catalog) Rows(ctx context.Context) ([]catalog.Row, error) {
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	now := c.now().UTC()
	c.mu.RLock()
	rows, at := c.rows, c.rowsAt
	c.mu.RUnlock()
	if now.Sub(at) < 2*catalogEvery {
		return rows, nil
	}
	c.renewRows()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.rows, nil
}

func (c *Catalog) makeRows(now time.Time) []catalog.Row {
	if c.version == nil {
		return []catalog.Row{}
	}
	rows := make([]catalog.Row, 0, len(c.version.Experiments))
	for i := range c.version.Experiments {
		e := &c.version.Experiments[i]
		s, look := c.subject(e, now)
		row := catalog.RowOf(s, look)
		row.Due = c.dues(s)
		if z, ok := c.log.Snoozed(e.Key, now); ok {
			row.SnoozedUntil = z.Until
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b catalog.Row) int { return cmp.Compare(a.Key, b.Key) })
	return rows
}

// subject is the current iteration of an experiment with what is held of it, and the
// id of its full look.
func (c *Catalog) subject(e *experiment.Experiment, now time.Time) (catalog.Subject, string) {
	s := catalog.Subject{Experiment: e, Iteration: catalog.Current(e, now), Now: now, Zone: c.zone}
	held := c.shelves[e.Key]
	if held == nil || s.Iteration == nil {
		return s, ""
	}
	look := ""
	if d := held.full; d != nil && d.Iteration == s.Iteration.Number {
		s.Document, look = d, held.loaded[clickhouse.FullLook].ID
	}
	if d := held.guard; d != nil && d.Iteration == s.Iteration.Number {
		s.Guard = d
		if s.Document == nil {
			look = held.loaded[clickhouse.GuardLook].ID
		}
	}
	return s, look
}
