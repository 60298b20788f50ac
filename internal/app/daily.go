package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

// historyPoints is how many looks a plot over time takes at most.
const historyPoints = 240

// ReportFile is where the report of a day lies.
func ReportFile(folder string, day time.Time) string {
	return filepath.Join(folder, "assay-"+day.UTC().Format("2006-01-02")+".html")
}

// ReportOptions are what a reader of a report may ask for.
type ReportOptions struct {
	Back    time.Duration // how far back decisions are listed
	Bayes   bool          // posteriors as well
	PriorSD float64       // of their prior on the lift; 0: flat
}

// WriteReport writes the report of a day into a file, at once.
func (s *Stack) WriteReport(ctx context.Context, v *experiment.Version, file string, now time.Time, o ReportOptions) error {
	day, err := s.day(ctx, v, now, o.Back)
	if err != nil {
		return err
	}
	for _, e := range day.Experiments {
		if o.Bayes && e.Document != nil {
			e.Document.Beliefs = results.Believe(e.Document, o.PriorSD)
		}
	}
	var b bytes.Buffer
	if err := report.HTML(&b, day); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("make the reports folder: %w", err)
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := os.Rename(tmp, file); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// day collects what the report shows.
func (s *Stack) day(ctx context.Context, v *experiment.Version, now time.Time, back time.Duration) (report.Day, error) {
	day := report.Day{At: now, From: now.Add(-back), To: now, Code: s.Code}
	a, err := s.reconcile(ctx)
	if err != nil {
		return day, err
	}
	day.Difference, day.Gaps = a.difference, a.gaps
	decisions, err := s.DB.Decisions(ctx, clickhouse.DecisionFilter{})
	if err != nil {
		return day, fmt.Errorf("read the decision log: %w", err)
	}
	if n := len(decisions); n > 0 {
		day.Head = decisions[n-1].Hash
	}
	for i := range v.Experiments {
		entry, err := s.entry(ctx, v, &v.Experiments[i], now)
		if err != nil {
			return day, err
		}
		for _, d := range decisions {
			if d.Experiment == entry.Experiment.Key && d.At.After(day.From) {
				entry.Decisions = append(entry.Decisions, reportDecision(d))
			}
		}
		day.Experiments = append(day.Experiments, entry)
	}
	return day, nil
}

func (s *Stack) entry(ctx context.Context, v *experiment.Version, e *experiment.Experiment, now time.Time) (report.Entry, error) {
	entry := report.Entry{Experiment: e, History: map[report.Series][]plots.Point{}}
	d, err := s.Look(ctx, v, e, 0, now)
	if err != nil {
		return entry, err
	}
	if err := s.AddDated(ctx, e, d); err != nil {
		return entry, err
	}
	if d.Days, err = s.ByDay(ctx, e, d.Iteration); err != nil {
		return entry, err
	}
	d.Plan = results.PlanAnalysis(e, d)
	entry.Document = d
	every := now.Sub(d.Start) / historyPoints
	looks, err := s.DB.Looks(ctx, clickhouse.LookFilter{Experiment: e.Key, Iteration: d.Iteration, Every: every, Documents: true})
	if err != nil {
		return entry, fmt.Errorf("read the looks of %s: %w", e.Key, err)
	}
	for _, l := range looks {
		var old results.Document
		if err := json.Unmarshal(l.Document, &old); err != nil {
			return entry, fmt.Errorf("decode look %s: %w", l.ID, err)
		}
		for _, c := range old.Comparisons {
			key := report.Series{Metric: c.Metric, Arm: c.Arm}
			entry.History[key] = append(entry.History[key], plots.Point{
				At: old.At, Estimate: c.Open.Relative.Estimate, Sequential: c.Open.Relative.Sequential})
		}
	}
	return entry, nil
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
	var a accounts
	for _, r := range rows {
		a.difference += r.Difference + int64(r.Breaks)
		a.events += r.Accepted + r.Duplicate + r.Dead + r.Misplaced
		if r.Gap > 0 {
			a.gaps = append(a.gaps, fmt.Sprintf("%d records of %s, partition %d, were lost before they were read", r.Gap, r.Topic, r.Shard))
		}
	}
	return a, nil
}

// Summary puts together what the show saw and what the ledger says.
func (s *Stack) Summary(ctx context.Context, show *Show) (Summary, error) {
	sum := Summary{Experiments: show.Summarize()}
	a, err := s.reconcile(ctx)
	sum.Events, sum.Reconciliation.Difference = a.events, a.difference
	return sum, err
}

// DailyReport writes the report of the last day into the reports folder.
func (s *Stack) DailyReport(ctx context.Context, now time.Time) (string, error) {
	v, err := s.DB.Version(ctx)
	if err != nil {
		return "", fmt.Errorf("read the configuration in force: %w", err)
	}
	file := ReportFile(s.Config.Reports, now)
	return file, s.WriteReport(ctx, &v, file, now, ReportOptions{Back: 24 * time.Hour})
}
