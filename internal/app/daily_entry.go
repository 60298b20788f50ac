package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

// entry is one experiment as it stood at the end of the window. One that had ended before
// the window, and about which nothing was decided in it, is told in a line: it needs no
// more than its last look.
func (s *Stack) entry(ctx context.Context, w *window, e *experiment.Experiment) (entry report.Entry, ended bool, err error) {
	entry = report.Entry{Experiment: e, Iteration: catalog.Current(e, w.until.Add(-time.Millisecond)), History: map[report.Series][]plots.Point{}}
	for _, d := range w.decisions {
		if d.Experiment == e.Key && !d.At.Before(w.from) {
			entry.Decisions = append(entry.Decisions, reportDecision(d))
		}
	}
	if entry.Document, err = s.endLook(ctx, w, e, entry.Iteration, w.until); err != nil || entry.Iteration == nil {
		return entry, false, err
	}
	if entry.Due, err = s.dueIn(ctx, w, e, entry.Document); err != nil {
		return entry, false, err
	}
	if ended = len(entry.Decisions)+len(entry.Due) == 0 && !entry.Iteration.End.After(w.from); ended || entry.Document == nil {
		return entry, ended, nil
	}
	if entry.Before, err = s.endLook(ctx, w, e, catalog.Current(e, w.from.Add(-time.Millisecond)), w.from); err != nil {
		return entry, false, err
	}
	if err := s.detail(ctx, e, entry.Document); err != nil {
		return entry, false, err
	}
	return entry, false, s.history(ctx, w, &entry)
}

// endLook is the newest full look at an iteration before a time, with what stood beside
// it then; nil when none was stored.
func (s *Stack) endLook(ctx context.Context, w *window, e *experiment.Experiment, it *experiment.Iteration, to time.Time) (*results.Document, error) {
	if it == nil {
		return nil, nil
	}
	looks, err := s.newestBefore(ctx, e.Key, it.Number, clickhouse.FullLook, to)
	if err != nil {
		return nil, fmt.Errorf("read the last look of %s: %w", e.Key, err)
	}
	if len(looks) == 0 {
		return nil, nil
	}
	w.rests = append(w.rests, looks...)
	d := new(results.Document)
	if err := json.Unmarshal(looks[0].Document, d); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", looks[0].ID, err)
	}
	return d, s.surround(ctx, w, e, it, d, to)
}

// surround adds to a look what stood beside it at a time.
func (s *Stack) surround(ctx context.Context, w *window, e *experiment.Experiment, it *experiment.Iteration, d *results.Document, to time.Time) (err error) {
	if err := annotateBy(d, w.decisions, to.Add(-time.Millisecond)); err != nil {
		return err
	}
	var noted []clickhouse.Gap
	for _, g := range w.gaps {
		if g.AcceptedAt.Before(to) {
			noted = append(noted, g)
		}
	}
	d.Gaps = gapsOf(noted, it, d.Vector)
	results.AddDetails(e, d)
	if d.Slow, err = ownBefore[results.Slow](ctx, s, e.Key, it.Number, clickhouse.SlowLook, to); err != nil {
		return err
	}
	if d.Placebo, err = ownBefore[results.Placebo](ctx, s, e.Key, it.Number, clickhouse.PlaceboLook, to); err != nil {
		return err
	}
	for _, row := range w.decisions {
		if row.At.Before(to) {
			d.LogHead = row.Hash
		}
	}
	return nil
}

// detail adds what is read of the ledger as it stood at the look.
func (s *Stack) detail(ctx context.Context, e *experiment.Experiment, d *results.Document) (err error) {
	if err := s.AddDated(ctx, e, d); err != nil {
		return err
	}
	if d.Days, err = s.byDayAt(ctx, e, d); err != nil {
		return err
	}
	d.Plan = results.PlanAnalysis(e, d)
	return nil
}

// history adds the effects that earlier looks have shown.
func (s *Stack) history(ctx context.Context, w *window, entry *report.Entry) error {
	d := entry.Document
	every := (d.At.Sub(d.Start) / historyPoints).Round(time.Millisecond)
	points, err := s.DB.Effects(ctx, clickhouse.LookFilter{
		Experiment: d.Experiment, Iteration: d.Iteration, Kind: clickhouse.FullLook, To: w.until, Every: max(every, 0)}, "", "")
	if err != nil {
		return fmt.Errorf("read the looks of %s: %w", d.Experiment, err)
	}
	for _, p := range points {
		key := report.Series{Metric: p.Metric, Arm: p.Arm}
		open := measured(p.Units[:2], p.Numbers[:10]).Relative
		entry.History[key] = append(entry.History[key], plots.Point{At: p.At, Estimate: open.Estimate, Sequential: open.Sequential})
	}
	return nil
}
