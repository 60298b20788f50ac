package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

// historyPoints is how many looks a plot over time takes at most.
const historyPoints = 240

// ReportOptions are what a reader of a report may ask for.
type ReportOptions struct {
	Zone    *time.Location // nil: that of the configuration
	Keep    bool           // the looks that it rests on stay for ever; of a day that is over
	Bayes   bool           // posteriors as well
	PriorSD float64        // of their prior on the lift; 0: flat
}

// Day collects what the report of a day shows: the looks that were stored last in it and
// before it, and what was decided and counted by then. Of a day that goes on a look is
// taken now. A day that is over gives the same report whenever it is asked for, as long
// as its looks are kept.
func (s *Stack) Day(ctx context.Context, date daily.Date, now time.Time, o ReportOptions) (report.Day, error) {
	w, err := s.window(date, o)
	if err != nil {
		return report.Day{}, err
	}
	over := !now.Before(w.to)
	if !over {
		w.until = now.UTC().Truncate(time.Millisecond).Add(time.Millisecond)
		if err := s.lookAtAll(ctx, now); err != nil {
			return report.Day{}, err
		}
	}
	if !w.from.Before(w.until) {
		return report.Day{}, WithHint(fmt.Errorf("%s has not begun", date), "name a day that has: --day 2026-03-01")
	}
	day, err := s.account(ctx, &w)
	if err != nil {
		return day, err
	}
	for i := range w.past.Version.Experiments {
		entry, ended, err := s.entry(ctx, &w, &w.past.Version.Experiments[i])
		if err != nil {
			return day, err
		}
		if ended {
			day.Over = append(day.Over, entry)
			continue
		}
		if o.Bayes && entry.Document != nil {
			entry.Document.Beliefs = results.Believe(entry.Document, o.PriorSD)
		}
		day.Experiments = append(day.Experiments, entry)
	}
	s.settle(&day, over)
	if !over || !o.Keep {
		return day, nil
	}
	return day, s.DB.HoldLooks(ctx, w.rests)
}

// window is the stretch of time that a report is about.
type window struct {
	date            daily.Date
	zone            *time.Location
	from, to, until time.Time // until is to, or now while the day goes on
	past            Past      // where the ledger stood at its end
	decisions       []clickhouse.Decision
	gaps            []clickhouse.Gap
	rests           []clickhouse.Look // on which the report rests
}

func (s *Stack) window(date daily.Date, o ReportOptions) (window, error) {
	zone := o.Zone
	if zone == nil {
		var err error
		if zone, err = s.Config.Report.Zone(); err != nil {
			return window{}, err
		}
	}
	w := window{date: date, zone: zone}
	w.from, w.to = date.Bounds(zone)
	w.until = w.to
	return w, nil
}

// lookAtAll takes the looks that are not there yet.
func (s *Stack) lookAtAll(ctx context.Context, now time.Time) error {
	v, err := s.DB.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	var errs []error
	for i := range v.Experiments {
		_, err := s.Look(ctx, &v, &v.Experiments[i], 0, now)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// account reads what was in force, counted and decided by the end of the window.
func (s *Stack) account(ctx context.Context, w *window) (report.Day, error) {
	day := report.Day{Date: w.date, Zone: w.zone, From: w.from, To: w.to, Code: s.Code, URL: s.Config.Report.URL}
	var err error
	if w.past, err = s.PastAt(ctx, w.until.Add(-time.Millisecond)); err != nil {
		return day, err
	}
	a, err := s.reconcileAt(ctx, w.past.vector)
	if err != nil {
		return day, err
	}
	day.Difference, day.Gaps = a.difference, a.gaps
	before, err := s.DB.PastVector(ctx, w.from.Add(-time.Millisecond))
	if err != nil {
		return day, err
	}
	after := map[uint16]uint64{}
	for shard := range w.past.vector {
		after[shard] = before[shard]
	}
	if day.Records, err = s.DB.Fates(ctx, after, w.past.vector); err != nil {
		return day, err
	}
	if w.gaps, err = s.DB.Gaps(ctx); err != nil {
		return day, fmt.Errorf("read the gaps: %w", err)
	}
	all, err := s.DB.Decisions(ctx, clickhouse.DecisionFilter{})
	if err != nil {
		return day, fmt.Errorf("read the decision log: %w", err)
	}
	w.decisions = slices.DeleteFunc(all, func(d clickhouse.Decision) bool { return !d.At.Before(w.until) })
	if n := len(w.decisions); n > 0 {
		day.Head = w.decisions[n-1].Hash
	}
	return day, nil
}

// settle says for which time everything holds: the end of the day, or that of the newest
// look while it goes on. No clock is read for that.
func (s *Stack) settle(day *report.Day, over bool) {
	for _, e := range day.Experiments {
		if e.Document != nil && e.Document.At.After(day.AsOf) {
			day.AsOf = e.Document.At
		}
	}
	until := day.To
	if !over {
		until = day.AsOf
	}
	for _, all := range [][]report.Entry{day.Experiments, day.Over} {
		for i := range all {
			all[i].Since, all[i].Until = day.From, until
		}
	}
}

// accounts are what became of every offset that was read.
type accounts struct {
	difference int64    // records unaccounted for; must be 0
	events     uint64   // records that were read, whatever became of them
	gaps       []string // in words
}

// reconcile adds up what every partition's offsets became.
func (s *Stack) reconcile(ctx context.Context) (accounts, error) {
	rows, err := s.DB.Reconcile(ctx)
	if err != nil {
		return accounts{}, fmt.Errorf("reconcile the offsets: %w", err)
	}
	return accountsOf(rows), nil
}

// reconcileAt does so as the ledger stood at a vector.
func (s *Stack) reconcileAt(ctx context.Context, vector map[uint16]uint64) (accounts, error) {
	rows, err := s.DB.ReconcileAt(ctx, vector)
	if err != nil {
		return accounts{}, fmt.Errorf("reconcile the offsets: %w", err)
	}
	return accountsOf(rows), nil
}

func accountsOf(rows []clickhouse.Reconciliation) accounts {
	var a accounts
	for _, r := range rows {
		a.difference += unaccounted(&r)
		a.events += r.Accepted + r.Duplicate + r.Dead + r.Misplaced
		if r.Gap > 0 {
			a.gaps = append(a.gaps, fmt.Sprintf("%d records of %s, partition %d, were lost before they were read", r.Gap, r.Topic, r.Shard))
		}
	}
	return a
}

// unaccounted are the records of a partition of which nothing is known.
func unaccounted(r *clickhouse.Reconciliation) int64 { return r.Difference + int64(r.Breaks) }

// Summary puts together what the show saw and what the ledger says.
func (s *Stack) Summary(ctx context.Context, show *Show) (Summary, error) {
	sum := Summary{Experiments: show.Summarize()}
	a, err := s.reconcile(ctx)
	sum.Events, sum.Reconciliation.Difference = a.events, a.difference
	return sum, err
}

// DailyReport writes the report of the day so far into the reports folder, and returns
// its first page.
func (s *Stack) DailyReport(ctx context.Context, now time.Time) (string, error) {
	zone, err := s.Config.Report.Zone()
	if err != nil {
		return "", err
	}
	day, err := s.Day(ctx, daily.DateOf(now, zone), now, ReportOptions{})
	if err != nil {
		return "", err
	}
	return WriteDay(day, s.Config.Reports)
}
