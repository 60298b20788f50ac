package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// BacktestOptions say what is played against the history, and how finely.
type BacktestOptions struct {
	Rules    *experiment.GuardrailRules // nil: those of the iteration
	Every    time.Duration              // between looks; 0: about a thousand over the iteration, a minute at least
	Ledger   bool                       // compute the looks anew, from the ledger as it stood, in place of reading the stored ones
	Progress func(at time.Time, looks int)
}

// Backtest is the history of one iteration under other rules.
type Backtest struct {
	guardrails.BacktestResult
	Iterations int       `json:"iterations"`
	Source     string    `json:"source"` // looks, ledger
	Every      string    `json:"every"`
	AlphaKill  float64   `json:"alpha_kill"`
	Ended      time.Time `json:"ended"` // when the iteration ended, or will
	Killed     bool      `json:"killed,omitempty"`
}

// Looks that a backtest reads or computes at a time.
const backtestChunk = 50

// Backtest plays an iteration (0: the latest) again under other rules.
func (s *Stack) Backtest(ctx context.Context, v *experiment.Version, e *experiment.Experiment, iteration uint32, opt BacktestOptions, now time.Time) (Backtest, error) {
	it := iterationOf(e, iteration, now)
	if it == nil {
		return Backtest{}, WithHint(fmt.Errorf("experiment %s has no iteration %d", e.Key, iteration), "leave --iteration out for the latest one")
	}
	then := e.AsOf(it)
	rules := experiment.GuardrailRules{Guardrails: then.Guardrails}
	if opt.Rules != nil {
		rules = *opt.Rules
	}
	if err := backtestable(then, it, rules.Guardrails); err != nil {
		return Backtest{}, err
	}
	tried, run := rules.With(e, it)
	b := guardrails.NewBacktest(&tried, &run)
	h := history{stack: s, e: e, it: it, until: now, every: opt.every(it, now), ledger: opt.Ledger, full: unguarded(then, rules.Guardrails)}
	looks := 0
	err := h.each(ctx, func(d *results.Document) {
		b.Look(d)
		if looks++; opt.Progress != nil {
			opt.Progress(d.At, looks)
		}
	})
	if err != nil {
		return Backtest{}, err
	}
	if looks == 0 {
		return Backtest{}, WithHint(fmt.Errorf("no look at iteration %d of %s is stored", it.Number, e.Key),
			"looks are stored while a guard runs; --ledger computes them anew, from the ledger as it stood")
	}
	last, err := s.Look(ctx, v, e, it.Number, now) // what is known of it today
	if err != nil {
		return Backtest{}, err
	}
	b.Look(last)
	entries, err := s.decidedOn(ctx, e.Key, it.Number)
	if err != nil {
		return Backtest{}, err
	}
	b.Ran(entries)
	return Backtest{
		BacktestResult: b.Result(), Iterations: len(e.Iterations), Source: h.source(), Every: h.every.String(),
		AlphaKill: cmp.Or(run.AlphaKill, tried.AlphaKill), Ended: it.End, Killed: it.Killed != nil,
	}, nil
}

func (o BacktestOptions) every(it *experiment.Iteration, now time.Time) time.Duration {
	if o.Every > 0 {
		return o.Every
	}
	end := it.End
	if now.Before(end) {
		end = now
	}
	return max(time.Minute, (end.Sub(it.Start) / 1000).Round(time.Second))
}

// backtestable refuses rules about what the iteration did not count.
func backtestable(e *experiment.Experiment, it *experiment.Iteration, rules []experiment.Guardrail) error {
	if len(rules) == 0 {
		return WithHint(fmt.Errorf("%s has no guardrails", e.Key), "name rules with --rules FILE, or one with --metric and --margin")
	}
	for i := range rules {
		g := &rules[i]
		m := it.Metric(g.Metric)
		switch {
		case m == nil:
			return WithHint(fmt.Errorf("iteration %d of %s did not count %s", it.Number, e.Key, g.Metric), "only a metric that was counted then has a history")
		case !m.Kind.Fast():
			return fmt.Errorf("%s is a %s, which is computed too seldom to guard anything", g.Metric, m.Kind)
		case g.Method == experiment.ByCount && (!m.Kind.Countable() || !g.Relative && g.Margin != 0):
			return WithHint(fmt.Errorf("method count does not fit %s, a %s with the margin %g", g.Metric, m.Kind, g.Margin),
				"it compares the rates of units with an event: of a proportion, a retention or a count, with a margin in percent or 0")
		}
	}
	return nil
}

// unguarded tells whether a rule is about a metric that was no guardrail then: only full
// looks have it.
func unguarded(e *experiment.Experiment, rules []experiment.Guardrail) bool {
	return slices.ContainsFunc(rules, func(g experiment.Guardrail) bool {
		return !slices.ContainsFunc(e.Guardrails, func(was experiment.Guardrail) bool { return was.Metric == g.Metric })
	})
}

// history is what was, or could have been, looked at.
type history struct {
	stack  *Stack
	e      *experiment.Experiment
	it     *experiment.Iteration
	until  time.Time
	every  time.Duration
	ledger bool
	full   bool
}

func (h history) source() string {
	if h.ledger {
		return "ledger"
	}
	return "looks"
}

// each hands over the looks in order of time.
func (h history) each(ctx context.Context, f func(*results.Document)) error {
	end := h.it.End
	if h.until.Before(end) {
		end = h.until
	}
	if h.ledger {
		for at := h.it.Start.Add(h.every); at.Before(end); at = at.Add(h.every) {
			d, err := h.compute(ctx, at)
			if err != nil {
				return err
			}
			if d != nil {
				f(d)
			}
		}
		return nil
	}
	for from := h.it.Start; from.Before(end); from = from.Add(backtestChunk * h.every) {
		if err := h.stored(ctx, from, earlier(end, from.Add(backtestChunk*h.every)), f); err != nil {
			return err
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (h history) stored(ctx context.Context, from, to time.Time, f func(*results.Document)) error {
	kind := clickhouse.LookKind("")
	if h.full {
		kind = clickhouse.FullLook
	}
	looks, err := h.stack.DB.Looks(ctx, clickhouse.LookFilter{
		Experiment: h.e.Key, Iteration: h.it.Number, Kind: kind, From: from, To: to, Every: h.every, Documents: true})
	if err != nil {
		return fmt.Errorf("read the looks at %s: %w", h.e.Key, err)
	}
	for _, l := range looks {
		var d results.Document
		if err := json.Unmarshal(l.Document, &d); err != nil {
			return fmt.Errorf("decode look %s: %w", l.ID, err)
		}
		f(&d)
	}
	return nil
}

// compute looks at the ledger as it stood; nil where the experiment was not in force.
// How fresh it was then is taken from the looks of then, and for granted without any.
func (h history) compute(ctx context.Context, at time.Time) (*results.Document, error) {
	p, err := h.stack.PastAt(ctx, at)
	if err != nil {
		return nil, err
	}
	then := p.Version.Find(h.e.Key)
	if then == nil || then.At(at) == nil || len(p.vector) == 0 {
		return nil, nil
	}
	last, err := h.stack.lookBefore(ctx, h.e.Key, h.it.Number, at)
	if err != nil {
		return nil, err
	}
	if last == nil {
		p.freshness = p.At
	}
	return h.stack.LookBack(ctx, p, then, h.it.Number)
}

// decidedOn is what the decision log says of an iteration.
func (s *Stack) decidedOn(ctx context.Context, key string, iteration uint32) ([]guardrails.Entry, error) {
	rows, err := s.DB.Decisions(ctx, clickhouse.DecisionFilter{Experiment: key, Iteration: iteration})
	if err != nil {
		return nil, fmt.Errorf("read the decisions on %s: %w", key, err)
	}
	return entriesOf(rows)
}
