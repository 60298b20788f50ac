package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// A shard comes back in three steps, so that it counts again after moments, however
// much is stored:
//
//  1. know: the joiner learns which units have stored rows. Only their ids are read.
//     Then the rows of those are read that have one of the newest records: most of what
//     is needed next is there at once.
//  2. From now on it counts. A batch that has events of such units reads these back
//     first, like those that were evicted (recall.go).
//  3. readAll: whenever little waits in the log, the rows of all units are read on, in
//     order, and given to the join between its batches, as long as there is memory.
//
// Which units are in memory changes no number.

const (
	// loadRows is how many stored rows the join takes at a time: a few milliseconds'
	// work.
	loadRows = 4096
	// loadMost is how many rows of one unit the join takes at a time. A unit with more
	// is left to be read back when it is needed, row by row.
	loadMost = 16 * loadRows
	// loadBehind is how many records may wait in the log while rows are read: reading
	// them takes more of two cores than counting does.
	loadBehind = 50_000
	// loadLook is how often a shard looks whether it is further behind, and after
	// loadPatience of them rows are read all the same: a shard that is always behind
	// may be so because it has to read back.
	loadLook     = time.Second
	loadPatience = 180
	// knowCheck is after how many units the filter's size is looked at.
	knowCheck = 1024
)

// know tells the joiner which units have stored rows, and brings back what is counted
// of nobody in particular. It returns whether there is anything to load.
func (l *life) know(ctx context.Context) (any bool, err error) {
	nobody, mayGrow, n := false, true, 0
	err = l.rows(ctx, func() error {
		return l.s.c.store.UnitsStored(ctx, l.s.id, func(u ingest.Unit) {
			if u == (ingest.Unit{}) {
				nobody = true
				return
			}
			if n%knowCheck == 0 {
				mayGrow = l.s.c.memory.mayFilter(l.s.id, l.joiner.Bytes())
			}
			n++
			l.joiner.Stored(u, mayGrow)
		})
	})
	if err == nil && nobody {
		err = l.restore(ctx, []ingest.Unit{{}})
	}
	if err == nil && n > 0 {
		err = l.warm(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("restore state: %w", err)
	}
	return n > 0, nil
}

// errFull ends a reading of rows when there is no memory for more.
var errFull = errors.New("no memory for more units")

// warm loads the units of the newest records.
func (l *life) warm(ctx context.Context) error {
	recent := l.s.c.cfg.Recent
	if recent == 0 {
		return nil
	}
	cut := cutter{give: func(s stretch) (stretch, error) {
		if !l.bring(s) {
			return nil, errFull
		}
		return s[:0], nil
	}}
	err := l.rows(ctx, func() error { return l.s.c.store.EventsRecent(ctx, l.s.id, l.below, recent, cut.see) })
	if err == nil {
		_, err = cut.give(cut.rows)
	}
	if errors.Is(err, errFull) {
		return l.checkRun(ctx)
	}
	return err
}

// bring gives rows of whole units to the join that nobody asked for yet. It tells
// whether there may be more.
func (l *life) bring(s stretch) (more bool) {
	s = slices.DeleteFunc(s, func(e ingest.Event) bool { return l.hidden.has(e.Unit) })
	return !l.over() && l.joiner.Load(s)
}

// restore gives the stored rows of some units to the joiner.
func (l *life) restore(ctx context.Context, units []ingest.Unit) error {
	return l.rows(ctx, func() error {
		return l.s.c.store.EventsOf(ctx, l.s.id, units, l.below, func(e *ingest.Event) error {
			l.joiner.Restore(e)
			return nil
		})
	})
}

// stretch are stored rows of whole units, in order.
type stretch []ingest.Event

// restoring is the reading of all stored rows below the marks that the life began at.
type restoring struct {
	rows  chan stretch // closed at the end
	spare chan stretch // taken, to be used again
	whole bool         // nothing was left out; to be read after the end
	stop  context.CancelFunc
}

// readAll reads all stored rows. It begins again when the store fails: units that are
// in memory by then are passed over.
func (r *restoring) readAll(ctx context.Context, l *life, below map[string]int64) error {
	defer close(r.rows)
	for pause := l.s.c.cfg.Backoff; ; pause = min(2*pause, 32*l.s.c.cfg.Backoff) {
		// The store is asked when the first rows are wanted.
		if _, err := r.give(ctx, nil); err != nil {
			return nil
		}
		checked := false
		cut := cutter{give: func(s stretch) (stretch, error) {
			if !checked { // all come from one run
				if err := l.checkRun(ctx); err != nil {
					return s, err
				}
				checked = true
			}
			return r.give(ctx, s)
		}}
		err := l.s.c.store.EventsBelow(ctx, l.s.id, below, cut.see)
		if err == nil {
			_, err = cut.give(cut.rows)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errAnotherRun):
			return err
		case err == nil:
			r.whole = !cut.left
			return nil
		}
		l.s.log.Warn("reading the state back begins again", "error", err)
		if !rested(ctx, pause) {
			return nil
		}
	}
}

func (r *restoring) give(ctx context.Context, s stretch) (stretch, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case r.rows <- s:
	}
	select {
	case s = <-r.spare:
		return s[:0], nil
	default:
		return make(stretch, 0, loadRows+loadRows/4), nil
	}
}

// cutter cuts rows that come in order where a unit ends.
type cutter struct {
	give func(stretch) (stretch, error)
	rows stretch
	unit ingest.Unit // the last one
	from int         // where its rows begin
	over bool        // it has too many
	left bool        // so had another one
}

func (c *cutter) see(e *ingest.Event) (err error) {
	switch {
	case e.Anonymous(): // see know
		return nil
	case e.Unit != c.unit:
		if len(c.rows) >= loadRows {
			if c.rows, err = c.give(c.rows); err != nil {
				return err
			}
		}
		c.unit, c.from, c.over = e.Unit, len(c.rows), false
	case c.over:
		return nil
	case len(c.rows)-c.from >= loadMost:
		c.over, c.left, c.rows = true, true, c.rows[:c.from]
		return nil
	}
	c.rows = append(c.rows, *e)
	return nil
}

// load takes what was read of units that nobody asked for.
func (w *worker) load(s stretch, more bool) {
	l := w.l
	if more {
		more = l.bring(s)
		select {
		case w.stored.spare <- s:
		default:
		}
	} else if w.stored.whole {
		l.joiner.Complete()
	}
	if !more {
		w.stored.stop()
		w.pause.Stop()
		w.stored = nil
		l.s.log.Info("state read back", "whole", l.joiner.Whole(), "units", l.joiner.Units(), "bytes", l.joiner.Bytes())
		l.s.c.metrics.loads(l.s.id, false)
	}
}

// look decides whether there is time to read rows.
func (w *worker) look() {
	w.looks++
	w.calm = w.looks > loadPatience || w.l.s.progress.caughtUp(loadBehind)
}

// loaded is where stored rows come from, nil when none are wanted now.
func (w *worker) loaded() <-chan stretch {
	if w.stored == nil || !w.calm {
		return nil
	}
	return w.stored.rows
}

// restoring begins where the life does.
func (w *worker) restoring(ctx context.Context) (read func() error) {
	l := w.l
	ctx, stop := context.WithCancel(ctx)
	r := &restoring{rows: make(chan stretch), spare: make(chan stretch, 1), stop: stop}
	w.stored = r
	w.pause.Reset(loadLook)
	l.s.c.metrics.loads(l.s.id, true)
	below := maps.Clone(l.below)
	return func() error { return r.readAll(ctx, l, below) }
}
