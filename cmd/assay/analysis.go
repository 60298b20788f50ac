package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

// exploreFlags make `assay analyze` compute another definition than the planned one.
type exploreFlags struct {
	Window    string            `help:"Explore: count outcomes so long after the first exposure, such as 14d, for every metric. Computed from stored events, stored beside what was planned and marked as exploratory (docs/analyses.md)." placeholder:"SPAN"`
	Cap       string            `help:"Explore: cut each unit's total of a mean, sum or count at a number, or at a percentile of the units' totals, such as p99." placeholder:"CAP"`
	Where     map[string]string `help:"Explore: only units whose first exposure has this attribute; several must all hold." placeholder:"NAME=VALUE"`
	FirstFrom string            `help:"Explore: only units first exposed from this time on (RFC 3339)." placeholder:"TIME"`
	FirstTill string            `help:"Explore: only units first exposed before this time." placeholder:"TIME"`
	Metric    []string          `help:"Explore: a metric file to compute in place of the planned metrics; may be repeated." type:"existingfile" placeholder:"FILE"`
	Only      []string          `help:"Explore: of the planned metrics only these." placeholder:"METRIC"`
	Quantile  map[string]string `help:"Explore: a quantile of the values that a planned mean or sum adds up, such as revenue=0.9." placeholder:"METRIC=Q"`
	Stored    bool              `help:"Explore: the planned definition itself, computed from stored events."`
	Save      string            `help:"Explore: save the analysis under this name. A name keeps its definition." placeholder:"NAME"`

	Saved bool   `help:"List the exploratory analyses of an experiment."`
	Show  string `help:"Show a stored exploratory analysis, by name or id." placeholder:"NAME"`
}

// asked tells whether the command is about exploring.
func (f *exploreFlags) asked() bool {
	return f.Saved || f.Show != "" || f.Save != "" || f.Stored || f.Window != "" || f.Cap != "" || f.FirstFrom != "" || f.FirstTill != "" ||
		len(f.Where)+len(f.Metric)+len(f.Only)+len(f.Quantile) > 0
}

// explore computes, lists or shows analyses of one experiment.
func (c *analyzeCmd) explore(env *environment, s *app.Stack, v *experiment.Version) error {
	if len(c.Experiment) != 1 || c.Slow || c.Plan || c.ByDay || c.Bayes || c.AsOf != "" || c.AsOfLook != "" {
		return usage(app.WithHint(errors.New("an exploratory analysis is of one experiment"),
			"name its key; --slow, --plan, --by-day, --bayes and --as-of are of what was planned"))
	}
	e, err := find(v, c.Experiment[0])
	if err != nil {
		return err
	}
	switch {
	case c.Saved:
		return c.listAnalyses(env, s, e.Key)
	case c.Show != "":
		a, err := s.Analysis(env.ctx, e.Key, c.Show)
		if err != nil {
			return err
		}
		return printAnalysis(env, a)
	}
	wish, err := c.wish()
	if err != nil {
		return usage(err)
	}
	now := time.Now()
	d, err := app.AnalysisDefinition(e, c.Iteration, wish, now)
	if err != nil {
		return usage(err)
	}
	bar := env.progress()
	a, err := s.Analyse(env.ctx, v, app.AnalysisRequest{
		Experiment: e.Key, Iteration: c.Iteration, Name: c.Save, Author: author(""), Definition: d,
		Progress: func(done, total uint64) { bar.Step("stored events", float64(done), float64(total)) },
	}, now)
	bar.End()
	if err != nil {
		return err
	}
	return printAnalysis(env, a)
}

func printAnalysis(env *environment, a *results.Analysis) error {
	return env.print(a, func() error { return report.AnalysisText(env.out, a) })
}

func (c *analyzeCmd) listAnalyses(env *environment, s *app.Stack, key string) error {
	all, err := s.Analyses(env.ctx, key, c.Iteration)
	if err != nil {
		return err
	}
	return env.print(all, func() error {
		if len(all) == 0 {
			env.println("%s has no exploratory analysis", key)
		}
		for i := range all {
			a := &all[i]
			name := a.Name
			if name == "" {
				name = "(not saved)"
			}
			env.println("%s  %s  iteration %d  exploratory %d  %s  by %s: %s", a.ID, a.At.Format("2006-01-02 15:04"), a.Iteration, a.Number, name, a.Author, strings.Join(a.Changes, "; "))
		}
		return nil
	})
}

// wish is what the flags say.
func (f *exploreFlags) wish() (results.AnalysisWish, error) {
	w := results.AnalysisWish{Window: f.Window, Cap: f.Cap, Where: f.Where, From: f.FirstFrom, Until: f.FirstTill, Only: f.Only, Quantiles: f.Quantile}
	for _, name := range f.Metric {
		b, err := os.ReadFile(name)
		if err != nil {
			return w, fmt.Errorf("read a metric file: %w", err)
		}
		w.Files = append(w.Files, experiment.File{Name: name, Data: b})
	}
	return w, nil
}
