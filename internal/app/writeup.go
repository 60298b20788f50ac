package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Writeup gathers what is left to say of an experiment: the newest look at each of its
// iterations that has begun, and the decision log.
func (s *Stack) Writeup(ctx context.Context, v *experiment.Version, e *experiment.Experiment, now time.Time) (*catalog.Writeup, error) {
	var documents []*results.Document
	head := ""
	for i := range e.Iterations {
		it := &e.Iterations[i]
		if now.Before(it.Start) {
			continue
		}
		d, err := s.Look(ctx, v, e, it.Number, now)
		if err != nil {
			return nil, fmt.Errorf("look at iteration %d of %s: %w", it.Number, e.Key, err)
		}
		if err := s.AddDated(ctx, e, d); err != nil {
			return nil, err
		}
		documents, head = append(documents, d), d.LogHead
	}
	rows, err := s.DB.Decisions(ctx, clickhouse.DecisionFilter{Experiment: e.Key})
	if err != nil {
		return nil, fmt.Errorf("read the decision log: %w", err)
	}
	lines, err := entriesOf(rows)
	if err != nil {
		return nil, err
	}
	return catalog.WriteUp(e, documents, writtenLines(lines), head, now), nil
}

func writtenLines(lines []guardrails.Entry) []catalog.WrittenLine {
	out := make([]catalog.WrittenLine, len(lines))
	for i, e := range lines {
		out[i] = catalog.WrittenLine{Decision: e.Seq, At: e.At, Kind: string(e.Kind), By: e.Actor, Text: e.Text}
	}
	return out
}

// Writeup is that of an experiment in force, from what the catalog holds.
func (c *Catalog) Writeup(ctx context.Context, key string) (*catalog.Writeup, error) {
	e, _, err := c.find(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	now := c.now().UTC()
	var documents []*results.Document
	for i := range e.Iterations {
		it := &e.Iterations[i]
		if now.Before(it.Start) {
			continue
		}
		d, err := c.Detail(ctx, key, it.Number)
		if err != nil {
			return nil, err
		}
		if d.Judged != nil {
			documents = append(documents, d.Judged)
		}
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	var lines []guardrails.Entry
	for i := range c.lines {
		if c.lines[i].Experiment == key {
			lines = append(lines, c.lines[i])
		}
	}
	return catalog.WriteUp(e, documents, writtenLines(lines), c.log.Head, now), nil
}
