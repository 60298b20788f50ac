package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
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
	d, err := c.definition(e, c.Iteration)
	if err != nil {
		return usage(err)
	}
	bar := env.progress()
	a, err := s.Analyse(env.ctx, v, app.AnalysisRequest{
		Experiment: e.Key, Iteration: c.Iteration, Name: c.Save, Author: author(""), Definition: d,
		Progress: func(done, total uint64) { bar.Step("stored events", float64(done), float64(total)) },
	}, time.Now())
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

// definition is what the flags say.
func (f *exploreFlags) definition(e *experiment.Experiment, iteration uint32) (d results.AnalysisDefinition, err error) {
	d.Where, d.Only = experiment.Condition(f.Where), f.Only
	if f.Window != "" {
		if d.Window, err = experiment.ParseDuration(f.Window); err != nil || d.Window <= 0 {
			return d, app.WithHint(fmt.Errorf("--window %q is not a window", f.Window), "write it like 14d or 90m")
		}
	}
	if d.Cap, err = parseCap(f.Cap); err != nil {
		return d, err
	}
	for flag, of := range map[string]struct {
		text string
		into *time.Time
	}{"--first-from": {f.FirstFrom, &d.From}, "--first-till": {f.FirstTill, &d.Until}} {
		if of.text == "" {
			continue
		}
		if *of.into, err = time.Parse(time.RFC3339Nano, of.text); err != nil {
			return d, app.WithHint(fmt.Errorf("%s %q is not a time", flag, of.text), "write it like 2026-03-01T12:00:00Z")
		}
	}
	if d.Metrics, err = readMetrics(f.Metric); err != nil {
		return d, err
	}
	quantiles, err := f.quantiles(e, iteration)
	d.Metrics = append(d.Metrics, quantiles...)
	return d, err
}

// parseCap reads a number or a percentile; "" is none.
func parseCap(text string) (*experiment.Cap, error) {
	wrong := app.WithHint(fmt.Errorf("--cap %q is not a cap", text), "write a number above 0 such as 250, or a percentile such as p99")
	percentile, is := strings.CutPrefix(text, "p")
	value, err := strconv.ParseFloat(percentile, 64)
	switch {
	case text == "":
		return nil, nil
	case err != nil || !(value > 0) || is && value >= 100 || strings.ContainsAny(text, "xXeEiInN_"):
		return nil, wrong
	case is:
		return &experiment.Cap{Percentile: value}, nil
	}
	return &experiment.Cap{At: text}, nil
}

func readMetrics(names []string) ([]experiment.Metric, error) {
	var files []experiment.File
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a metric file: %w", err)
		}
		files = append(files, experiment.File{Name: name, Data: b})
	}
	if len(files) == 0 {
		return nil, nil
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return set.Metrics(), nil
}

// quantiles are made of planned metrics.
func (f *exploreFlags) quantiles(e *experiment.Experiment, iteration uint32) ([]experiment.Metric, error) {
	var out []experiment.Metric
	it := e.Latest()
	for i := range e.Iterations {
		if e.Iterations[i].Number == iteration {
			it = &e.Iterations[i]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Quantile)) {
		q, err := strconv.ParseFloat(f.Quantile[name], 64)
		if err != nil || !(q > 0 && q < 1) {
			return nil, app.WithHint(fmt.Errorf("--quantile %s=%s is not a quantile", name, f.Quantile[name]), "write it like revenue=0.9")
		}
		var m *experiment.Metric
		if it != nil {
			m = it.Metric(name)
		}
		if m == nil || m.Kind != experiment.Mean && m.Kind != experiment.Sum && m.Kind != experiment.Quantile {
			return nil, app.WithHint(fmt.Errorf("%s has no mean or sum %q to take a quantile of", e.Key, name), "write a metric file of kind quantile and name it with --metric")
		}
		own := *m
		own.Name, own.Kind, own.Quantile, own.Cap, own.Covariate = fmt.Sprintf("%s_q%s", name, f.Quantile[name]), experiment.Quantile, q, nil, ""
		out = append(out, own)
	}
	return out, nil
}
