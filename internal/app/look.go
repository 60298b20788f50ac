package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// lookAgain is how old a full look may be and still stand for the ledger that it
// was taken of. Units mature and shards fall silent while nothing is counted.
const lookAgain = time.Minute

// Look returns the newest full look of an experiment's iteration (0: the one that
// runs, or ran last). When there is none of the ledger and the configuration as
// they are, it takes one and stores it: what was shown can be shown again.
func (s *Stack) Look(ctx context.Context, v *experiment.Version, e *experiment.Experiment, iteration uint32, now time.Time) (*results.Document, error) {
	it := iterationOf(e, iteration, now)
	if it == nil {
		return nil, WithHint(fmt.Errorf("experiment %s has no iteration %d", e.Key, iteration), "leave --iteration out for the latest one")
	}
	d, err := s.newestLook(ctx, v, e, it, now)
	if err != nil {
		return nil, err
	}
	gaps, err := s.DB.Gaps(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the gaps: %w", err)
	}
	d.Gaps = gapsOf(gaps, it, d.Vector)
	results.AddDetails(e, d)
	if d.Slow, err = s.lastSlow(ctx, e.Key, it.Number); err != nil {
		return nil, err
	}
	if _, d.LogHead, err = s.DB.LastDecision(ctx); err != nil {
		return nil, fmt.Errorf("read the end of the decision log: %w", err)
	}
	if d.Placebo, err = s.lastPlacebo(ctx, e.Key, it.Number); err != nil {
		return nil, err
	}
	return d, nil
}

// newestLook is the stored look of now, or a new one.
func (s *Stack) newestLook(ctx context.Context, v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration, now time.Time) (*results.Document, error) {
	statuses, err := s.DB.Statuses(ctx) // before the moments: a status counts only if the look has reached it
	if err != nil {
		return nil, fmt.Errorf("read the shards' statuses: %w", err)
	}
	spec := clickhouse.MomentsSpec{Experiment: e.Key, Iteration: it.Number, Matured: results.Maturity(e, it, statuses), Dimensions: true}
	moments, err := s.DB.Moments(ctx, []clickhouse.MomentsSpec{spec})
	if err != nil {
		return nil, fmt.Errorf("read the moments of %s: %w", e.Key, err)
	}
	stored, err := s.storedLook(ctx, e.Key, it, clickhouse.FullLook)
	if err != nil {
		return nil, err
	}
	if stored != nil && stored.Version == v.Number && maps.Equal(stored.Vector, moments.Vector) && now.Sub(stored.At) < lookAgain {
		return stored, nil
	}
	same, err := s.sameCounting(ctx, v, e.Key, moments)
	if err != nil {
		return nil, err
	}
	whole := chain{db: s.DB}
	if statuses, err = whole.distrust(ctx, statuses, now); err != nil {
		return nil, err
	}
	d := results.Compute(v, e, it.Number, moments, statuses, now, results.Options{
		Code: s.Code, Kind: results.KindFull, SameCounting: same})
	if err := s.annotate(ctx, &d, it); err != nil {
		return nil, err
	}
	return &d, s.storeLook(ctx, &d)
}

// gapsOf are the gaps in what a look stands for that may have held records of the
// iteration: by the times that their records can have.
func gapsOf(all []clickhouse.Gap, it *experiment.Iteration, vector map[uint16]uint64) []results.Gap {
	var out []results.Gap
	for _, g := range all {
		if vector[g.Shard] < g.Seq || g.Until.Before(it.Start) || !g.Since.Before(it.End) {
			continue
		}
		out = append(out, results.Gap{Topic: g.Topic, Partition: g.Shard, Records: g.Records, AcceptedAt: g.AcceptedAt, Kind: string(g.Kind)})
	}
	return out
}

func (s *Stack) storeLook(ctx context.Context, d *results.Document) error {
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode a look: %w", err)
	}
	look := clickhouse.Look{Experiment: d.Experiment, Iteration: d.Iteration, Kind: clickhouse.LookKind(d.Kind), At: d.At,
		Version: d.Version, Vector: d.Vector, Verdict: catalog.Overall(d), Document: b}
	if err := s.DB.StoreLook(ctx, &look); err != nil {
		return fmt.Errorf("store a look: %w", err)
	}
	return nil
}

// sameCounting tells of the versions that shards count under whether they count
// the experiment as v does.
func (s *Stack) sameCounting(ctx context.Context, v *experiment.Version, key string, m results.Moments) (func(uint32) bool, error) {
	same := map[uint32]bool{}
	for _, number := range m.Config {
		if _, known := same[number]; known || number == 0 || number == v.Number {
			continue
		}
		older, err := s.DB.VersionAt(ctx, number)
		if err != nil {
			return nil, fmt.Errorf("read version %d: %w", number, err)
		}
		same[number] = !experiment.Counting(&older, v, key)
	}
	return func(number uint32) bool { return same[number] }, nil
}

// annotate adds what the guard said last and what was decided: judging is the
// guard's part alone.
func (s *Stack) annotate(ctx context.Context, d *results.Document, it *experiment.Iteration) error {
	var last *results.Document
	for _, kind := range []clickhouse.LookKind{clickhouse.GuardLook, clickhouse.FullLook} {
		stored, err := s.storedLook(ctx, d.Experiment, it, kind)
		if err != nil {
			return err
		}
		if stored != nil && (last == nil || stored.At.After(last.At)) {
			last = stored
		}
	}
	if last != nil {
		d.Verdicts, d.Anomalies = last.Verdicts, last.Anomalies
	}
	entries, err := s.decidedOn(ctx, d.Experiment, d.Iteration)
	if err != nil {
		return err
	}
	var log guardrails.Log
	for _, e := range entries {
		log.Add(e)
	}
	log.Annotate(d, log.Alarms(d.Experiment, d.Iteration))
	return nil
}

// storedLook is the newest look of a kind at the iteration, nil without one. That
// of an iteration before the last is looked for from its end on.
func (s *Stack) storedLook(ctx context.Context, key string, it *experiment.Iteration, kind clickhouse.LookKind) (*results.Document, error) {
	look, err := s.DB.LatestLook(ctx, key, kind)
	switch {
	case errors.Is(err, clickhouse.ErrNotFound):
		return nil, nil
	case err == nil && look.Iteration != it.Number:
		var some []clickhouse.Look
		some, err = s.DB.Looks(ctx, clickhouse.LookFilter{
			Experiment: key, Iteration: it.Number, Kind: kind, From: it.End, Documents: true, Limit: 1})
		if err == nil && len(some) == 0 {
			return nil, nil
		}
		if err == nil {
			look = some[0]
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the last look of %s: %w", key, err)
	}
	var d results.Document
	if err := json.Unmarshal(look.Document, &d); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", look.ID, err)
	}
	return &d, nil
}

// iterationOf is the iteration with the number. 0 is the one that runs or ran
// last; before the first, that one.
func iterationOf(e *experiment.Experiment, number uint32, now time.Time) *experiment.Iteration {
	if number == 0 {
		return catalog.Current(e, now)
	}
	i := slices.IndexFunc(e.Iterations, func(it experiment.Iteration) bool { return it.Number == number })
	if i < 0 {
		return nil
	}
	return &e.Iterations[i]
}
