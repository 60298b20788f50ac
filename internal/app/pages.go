package app

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/pages"
	"github.com/assay-dev/assay/internal/plots"
)

// pagesOf are the web pages over a catalog.
func (s *Stack) pagesOf(c *Catalog, hand *Acts, explorer *Explorer) (map[string]http.Handler, error) {
	all, err := newSwitches(s.Config.Switches)
	if err != nil {
		s.Log.Warn("the pages offer no arm to turn off", "error", err)
	}
	p, err := pages.New(pages.Config{
		Reader: &pageReader{Catalog: c, past: map[runOf]*heldPast{}}, Explainer: c, Planner: c, Privacy: c, Governance: c, Past: c, Hand: hand, Explorer: explorer, OffersArm: all.OffersArm, Zone: c.zone, Code: s.Code, Log: s.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("make the pages: %w", err)
	}
	return p.Routes(), nil
}

// pageReader adds what the pages alone ask of the catalog.
type pageReader struct {
	*Catalog

	mu   sync.Mutex
	past map[runOf]*heldPast
}

// heldPast is what was read of an iteration's past; its lock is held by who reads it.
type heldPast struct {
	mu   sync.Mutex
	look string // the newest one that it knows of
	at   time.Time
	past pages.Past
}

// pastEvery is how old the past may be although there are newer looks: a plot hardly
// changes by one.
const pastEvery = 5 * time.Second

// Past is what earlier looks showed.
func (r *pageReader) Past(ctx context.Context, d *catalog.Detail) (pages.Past, error) {
	if d.Iteration == nil || d.Document == nil {
		return pages.Past{}, nil
	}
	held := r.held(runOf{d.Row.Key, d.Iteration.Number})
	held.mu.Lock()
	defer held.mu.Unlock()
	if held.look == d.Row.Look || r.now().Sub(held.at) < pastEvery {
		return held.past, nil
	}
	past, err := r.readPast(ctx, d)
	if err != nil {
		return past, err
	}
	held.look, held.at, held.past = d.Row.Look, r.now(), past
	return past, nil
}

func (r *pageReader) held(run runOf) *heldPast {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.past[run] == nil {
		if len(r.past) >= detailsHeld {
			clear(r.past)
		}
		r.past[run] = &heldPast{}
	}
	return r.past[run]
}

func (r *pageReader) readPast(ctx context.Context, d *catalog.Detail) (pages.Past, error) {
	past := pages.Past{Effects: map[pages.Series][]plots.Point{}}
	series, err := r.History(ctx, catalog.Stretch{Experiment: d.Row.Key, Iteration: d.Iteration.Number})
	if err != nil {
		return past, err
	}
	for _, s := range series {
		key := pages.Series{Metric: s.Metric, Arm: s.Arm}
		for _, p := range s.Points {
			past.Effects[key] = append(past.Effects[key], plots.Point{At: p.At, Estimate: p.Open.Relative.Estimate, Sequential: p.Open.Relative.Sequential})
		}
	}
	guard := clickhouse.LookFilter{Experiment: d.Row.Key, Iteration: d.Iteration.Number, Kind: clickhouse.GuardLook,
		Every: r.now().Sub(d.Iteration.Start) / historyPoints}
	looks, err := r.stack.DB.Looks(ctx, guard)
	if err != nil {
		return past, fmt.Errorf("read the verdicts on %s: %w", d.Row.Key, err)
	}
	for _, l := range looks {
		past.Verdicts = append(past.Verdicts, pages.Judged{At: l.At, Verdict: l.Verdict})
	}
	if past.Lanes, err = r.lanes(ctx, guard); err != nil || len(d.Experiment.Signals) == 0 {
		return past, err
	}
	past.Signals, err = r.stack.SignalsOf(ctx, d.Experiment, d.Iteration.Number, SignalsAsked{}, r.now())
	return past, err
}

// lanes are the verdicts of each guardrail by itself.
func (r *pageReader) lanes(ctx context.Context, f clickhouse.LookFilter) ([]pages.Lane, error) {
	points, err := r.stack.DB.Verdicts(ctx, f)
	if err != nil {
		return nil, err
	}
	var out []pages.Lane
	for _, p := range points {
		s := pages.Series{Metric: p.Metric, Arm: p.Arm}
		if n := len(out); n == 0 || out[n-1].Series != s {
			out = append(out, pages.Lane{Series: s})
		}
		last := &out[len(out)-1]
		last.Verdicts = append(last.Verdicts, pages.Judged{At: p.At, Verdict: p.Verdict})
	}
	return out, nil
}

// Log is the decision log, oldest first.
func (r *pageReader) Log(ctx context.Context, key string) ([]guardrails.Entry, string, error) {
	if err := r.wait(ctx); err != nil {
		return nil, "", err
	}
	r.Catalog.mu.RLock()
	lines, head := r.lines[:len(r.lines):len(r.lines)], r.Catalog.log.Head
	r.Catalog.mu.RUnlock()
	if key == "" {
		return lines, head, nil
	}
	var of []guardrails.Entry
	for i := range lines {
		if lines[i].Experiment == key {
			of = append(of, lines[i])
		}
	}
	return of, head, nil
}
