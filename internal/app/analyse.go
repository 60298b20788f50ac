package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// AnalysisRequest asks for an exploratory analysis.
type AnalysisRequest struct {
	Experiment string
	Iteration  uint32 // 0: the one that runs, or ran last
	Name       string // under which it is saved; empty: it is only written down that there was one
	Author     string
	Definition results.AnalysisDefinition
	Progress   func(done, total uint64) // in events; nil: nobody asks
}

// Analyse computes an iteration under another definition than the planned one, from
// stored events, and stores it beside the looks. Whatever was analysed before stays.
func (s *Stack) Analyse(ctx context.Context, v *experiment.Version, r AnalysisRequest, now time.Time) (*results.Analysis, error) {
	e := v.Find(r.Experiment)
	if e == nil {
		return nil, fmt.Errorf("experiment %s: %w", r.Experiment, experiment.ErrUnknown)
	}
	it, err := iterationAnalysed(e, r.Iteration, now)
	if err != nil {
		return nil, err
	}
	number, err := s.numberOf(ctx, r, it.Number)
	if err != nil {
		return nil, err
	}
	changed, run, err := r.Definition.Apply(e, it)
	if err != nil {
		return nil, err
	}
	a, err := s.analyse(ctx, v, changed, run, r, number, now)
	if err != nil {
		return nil, fmt.Errorf("analyse %s: %w", e.Key, err)
	}
	a.Name, a.Author = r.Name, r.Author
	look := clickhouse.Look{Experiment: e.Key, Iteration: it.Number, Kind: clickhouse.AnalysisLook, At: a.At, Version: v.Number, Vector: a.Vector}
	if err := s.storeOwn(ctx, &look, a); err != nil {
		return nil, err
	}
	a.ID = look.ID
	return a, nil
}

// errNoIteration says that an experiment has no such iteration, and errNameTaken that a
// name keeps another definition.
var (
	errNoIteration = errors.New("no such iteration")
	errNameTaken   = errors.New("the name is taken")
)

// iterationAnalysed is the iteration that an analysis is of.
func iterationAnalysed(e *experiment.Experiment, number uint32, now time.Time) (*experiment.Iteration, error) {
	it := iterationOf(e, number, now)
	if it == nil {
		return nil, WithHint(fmt.Errorf("experiment %s has no iteration %d: %w", e.Key, number, errNoIteration), "leave the iteration out for the latest one")
	}
	return it, nil
}

// AnalysisDefinition reads what people wish for an iteration, 0 for the one that runs,
// or ran last.
func AnalysisDefinition(e *experiment.Experiment, iteration uint32, wish results.AnalysisWish, now time.Time) (results.AnalysisDefinition, error) {
	it, err := iterationAnalysed(e, iteration, now)
	if err != nil {
		return results.AnalysisDefinition{}, err
	}
	return wish.Definition(e, it)
}

// analyse reads what the definition asks for. Statuses come before positions: what has
// matured is in the events below them.
func (s *Stack) analyse(ctx context.Context, v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration, r AnalysisRequest, number int, now time.Time) (*results.Analysis, error) {
	d := r.Definition
	statuses, err := s.DB.Statuses(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' statuses: %w", err)
	}
	positions, err := s.DB.Positions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' positions: %w", err)
	}
	matured := results.Maturity(e, it, statuses)
	spec := clickhouse.AnalysisSpec{Experiment: e, Iteration: it, Matured: matured, Cohort: d.Where, From: d.From, Until: d.Until}
	if r.Progress != nil {
		spec.Progress = func(p clickhouse.AnalysisProgress) { r.Progress(p.Done, p.Total) }
	}
	cells, caps, err := s.DB.AnalysisCells(ctx, spec, positions)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for i := range it.Metrics {
		m := &it.Metrics[i]
		if at := caps[m.Name]; at != nil {
			found[m.Name] = results.Decimal(at, m.Decimals)
			m.Cap = &experiment.Cap{At: found[m.Name], Percentile: m.Cap.Percentile}
		}
	}
	open, err := s.DB.SlowOf(ctx, e, it, results.SlowMetrics(e, it, nil), d.Where, d.From, d.Until, positions)
	if err != nil {
		return nil, err
	}
	old, err := s.DB.SlowOf(ctx, e, it, results.SlowMetrics(e, it, matured), d.Where, d.From, d.Until, positions)
	if err != nil {
		return nil, err
	}
	moments := results.Moments{Vector: vectorOf(positions), Cells: cells}
	a := results.NewAnalysis(d, v, e, it, moments, open, old, statuses, now.UTC().Truncate(time.Millisecond), s.Code, number)
	a.Caps = found
	return a, nil
}

// numberOf counts the different definitions that the iteration was analysed under, this
// one included, and refuses a name that another one has.
func (s *Stack) numberOf(ctx context.Context, r AnalysisRequest, iteration uint32) (int, error) {
	all, err := s.Analyses(ctx, r.Experiment, iteration)
	if err != nil {
		return 0, err
	}
	own := r.Definition.Fingerprint()
	known := map[string]bool{own: true}
	for i := range all {
		other := all[i].Definition.Fingerprint()
		if r.Name != "" && all[i].Name == r.Name && other != own {
			return 0, WithHint(fmt.Errorf("an analysis of %s is saved as %q already, with another definition: %w", r.Experiment, r.Name, errNameTaken), "choose another name: what was saved stays as it is")
		}
		known[other] = true
	}
	return len(known), nil
}

// Analyses are the exploratory analyses of an experiment, oldest first; iteration 0
// means all. Those without a name were run and not saved.
func (s *Stack) Analyses(ctx context.Context, key string, iteration uint32) ([]results.Analysis, error) {
	looks, err := s.DB.Looks(ctx, clickhouse.LookFilter{Experiment: key, Iteration: iteration, Kind: clickhouse.AnalysisLook, Documents: true})
	if err != nil {
		return nil, fmt.Errorf("read the analyses of %s: %w", key, err)
	}
	out := make([]results.Analysis, len(looks))
	for i, l := range looks {
		if err := json.Unmarshal(l.Document, &out[i]); err != nil {
			return nil, fmt.Errorf("decode analysis %s: %w", l.ID, err)
		}
		out[i].ID = l.ID
	}
	return out, nil
}

// Analysis is one of an experiment's, by its id or by the name under which it was saved:
// of several runs of one name the last.
func (s *Stack) Analysis(ctx context.Context, key, which string) (*results.Analysis, error) {
	all, err := s.Analyses(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	for i := range slices.Backward(all) {
		if all[i].ID == which || all[i].Name == which {
			return &all[i], nil
		}
	}
	return nil, WithHint(fmt.Errorf("no analysis %q of %s: %w", which, key, clickhouse.ErrNotFound), "`assay analyze "+key+" --saved` lists them")
}
