package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// errNoConfiguration says that a time lies before everything.
var errNoConfiguration = errors.New("no configuration was in force")

// Past is a point in the ledger's history.
type Past struct {
	At        time.Time
	Version   experiment.Version // in force then
	vector    map[uint16]uint64
	freshness time.Time // zero: not known, so nothing counts as matured
}

// PastAt is where the ledger stood at a time: the parts that were written by then.
func (s *Stack) PastAt(ctx context.Context, at time.Time) (Past, error) {
	p := Past{At: at.UTC().Truncate(time.Millisecond)}
	heads, err := s.DB.Versions(ctx)
	if err != nil {
		return p, fmt.Errorf("list the versions: %w", err)
	}
	var number uint32
	for _, h := range heads {
		if !h.AppliedAt.After(p.At) {
			number = h.Number
		}
	}
	if number == 0 {
		return p, fmt.Errorf("%w at %s", errNoConfiguration, p.At.Format(time.RFC3339))
	}
	if p.Version, err = s.DB.VersionAt(ctx, number); err != nil {
		return p, err
	}
	p.vector, err = s.DB.PastVector(ctx, p.At)
	return p, err
}

// PastLook is what a stored look stands for.
func (s *Stack) PastLook(ctx context.Context, id string) (Past, *results.Document, error) {
	look, err := s.DB.LookByID(ctx, id)
	if err != nil {
		return Past{}, nil, fmt.Errorf("read look %s: %w", id, err)
	}
	if look.Kind == clickhouse.SlowLook || look.Kind == clickhouse.PlaceboLook || look.Kind == clickhouse.AnalysisLook {
		return Past{}, nil, WithHint(fmt.Errorf("look %s is of what is computed from stored events", id), "name a full look or one of the guard")
	}
	var d results.Document
	if err := json.Unmarshal(look.Document, &d); err != nil {
		return Past{}, nil, fmt.Errorf("decode look %s: %w", id, err)
	}
	v, err := s.DB.VersionAt(ctx, look.Version)
	return Past{At: look.At, Version: v, vector: look.Vector, freshness: d.Freshness}, &d, err
}

// LookBack computes the results of an iteration (0: the one that ran then) anew, as
// they stood at a point in the past. It is not stored.
func (s *Stack) LookBack(ctx context.Context, p Past, e *experiment.Experiment, iteration uint32) (*results.Document, error) {
	it := iterationOf(e, iteration, p.At)
	if it == nil {
		return nil, WithHint(fmt.Errorf("experiment %s had no iteration %d then", e.Key, iteration), "leave --iteration out for the one of that time")
	}
	last, err := s.lookBefore(ctx, e.Key, it.Number, p.At)
	if err != nil {
		return nil, err
	}
	if p.freshness.IsZero() && last != nil && reached(p.vector, last.Vector) {
		p.freshness = last.Freshness
	}
	statuses := p.statuses()
	spec := clickhouse.MomentsSpec{Experiment: e.Key, Iteration: it.Number, Matured: results.Maturity(e, it, statuses), Dimensions: true}
	moments, err := s.DB.MomentsAt(ctx, []clickhouse.MomentsSpec{spec}, p.vector)
	if err != nil {
		return nil, fmt.Errorf("read the moments of %s: %w", e.Key, err)
	}
	same, err := s.sameCounting(ctx, &p.Version, e.Key, moments)
	if err != nil {
		return nil, err
	}
	d := results.Compute(&p.Version, e, it.Number, moments, statuses, p.At, results.Options{Code: s.Code, Kind: results.KindFull, SameCounting: same})
	d.AsOf = true
	if last != nil {
		d.Verdicts = last.Verdicts
	}
	if err := s.decidedBy(ctx, &d, d.At); err != nil {
		return nil, err
	}
	gaps, err := s.DB.Gaps(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the gaps: %w", err)
	}
	d.Gaps = gapsOf(gaps, it, d.Vector)
	results.AddDetails(e, &d)
	return &d, nil
}

// statuses are the words of the shards at that point, as far as they are known.
func (p *Past) statuses() []results.ShardStatus {
	var out []results.ShardStatus
	if p.freshness.IsZero() {
		return nil
	}
	for shard, seq := range p.vector {
		out = append(out, results.ShardStatus{Shard: shard, Seq: seq, Freshness: p.freshness, State: "ok", At: p.At})
	}
	return out
}

// lookBefore is the newest look at an iteration that was stored by a time, nil
// without one.
func (s *Stack) lookBefore(ctx context.Context, key string, iteration uint32, at time.Time) (*results.Document, error) {
	looks, err := s.DB.Looks(ctx, clickhouse.LookFilter{
		Experiment: key, Iteration: iteration, To: at.Add(time.Millisecond), Documents: true, Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("read the looks of %s: %w", key, err)
	}
	if len(looks) == 0 {
		return nil, nil
	}
	var d results.Document
	if err := json.Unmarshal(looks[0].Document, &d); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", looks[0].ID, err)
	}
	return &d, nil
}

// reached tells whether a vector is as far as another one in every shard.
func reached(vector, other map[uint16]uint64) bool {
	for shard, seq := range other {
		if vector[shard] < seq {
			return false
		}
	}
	return true
}

// decidedBy adds to a document what had been decided by a time.
func (s *Stack) decidedBy(ctx context.Context, d *results.Document, by time.Time) error {
	rows, err := s.DB.Decisions(ctx, clickhouse.DecisionFilter{Experiment: d.Experiment, Iteration: d.Iteration})
	if err != nil {
		return fmt.Errorf("read the decisions on %s: %w", d.Experiment, err)
	}
	return annotateBy(d, rows, by)
}

// annotateBy adds to a document what the rows of the decision log say of its iteration,
// up to a time.
func annotateBy(d *results.Document, rows []clickhouse.Decision, by time.Time) error {
	var log guardrails.Log
	for _, row := range rows {
		if row.Experiment != d.Experiment || row.Iteration != d.Iteration || row.At.After(by) {
			continue
		}
		e, err := EntryOf(row)
		if err != nil {
			return err
		}
		log.Add(e)
	}
	log.Annotate(d, log.Alarms(d.Experiment, d.Iteration))
	return nil
}
