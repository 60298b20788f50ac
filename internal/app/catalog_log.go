package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// Decisions are lines of the decision log, the newest first.
func (c *Catalog) Decisions(ctx context.Context, q catalog.DecisionQuery) ([]catalog.Decision, error) {
	rows, err := c.stack.DB.Decisions(ctx, clickhouse.DecisionFilter{Experiment: q.Experiment, Iteration: q.Iteration, Before: q.Before, Limit: q.Limit})
	if err != nil {
		return nil, fmt.Errorf("read the decision log: %w", err)
	}
	out := make([]catalog.Decision, len(rows))
	for i, row := range rows {
		if out[len(rows)-1-i], err = decisionOf(row, q.Evidence); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func decisionOf(row clickhouse.Decision, evidence bool) (catalog.Decision, error) {
	e, err := EntryOf(row)
	if err != nil {
		return catalog.Decision{}, err
	}
	out := catalog.Decision{
		Seq: row.Seq, At: row.At, Experiment: row.Experiment, Iteration: row.Iteration, Kind: row.Kind, Decision: e.Decision,
		Guardrail: row.Guardrail, Arm: row.Arm, ArmOff: e.ArmOff, Phase: e.Phase, Reason: row.Reason, Actor: row.Actor, Login: e.Login, Text: e.Text,
		SentAt: e.SentAt, Until: e.Until, Look: row.Look, Version: row.Config, Code: row.Code, PrevHash: row.PrevHash, Hash: row.Hash,
	}
	if e.Kind == guardrails.Decided {
		out.Act, out.Verdict = e.Act.String(), row.Verdict
	}
	if evidence {
		out.Evidence = e.Evidence
	}
	return out, nil
}

// Configurations are all applied versions, the newest first.
func (c *Catalog) Configurations(ctx context.Context) ([]catalog.Configuration, error) {
	heads, err := c.stack.DB.Versions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the versions: %w", err)
	}
	out := make([]catalog.Configuration, 0, len(heads))
	for _, h := range slices.Backward(heads) {
		out = append(out, catalog.Configuration(h))
	}
	return out, nil
}

// Configuration is one applied version; 0 is the one in force.
func (c *Catalog) Configuration(ctx context.Context, number uint32) (*experiment.Version, error) {
	if number == 0 {
		v, err := c.Version(ctx)
		if err == nil && v == nil {
			err = &catalog.Missing{What: "configuration in force", Hint: "`assay apply` puts the experiment files in force"}
		}
		return v, err
	}
	v, err := c.stack.DB.VersionAt(ctx, number)
	if errors.Is(err, clickhouse.ErrNotFound) {
		return nil, &catalog.Missing{What: fmt.Sprintf("configuration version %d", number), Hint: "/api/v1/configurations lists them"}
	}
	return &v, err
}

// ExplainUnit tells what became of each stored event of a unit in an experiment.
func (c *Catalog) ExplainUnit(ctx context.Context, key, unit string) ([]catalog.Explained, error) {
	e, _, err := c.find(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	v, err := c.Version(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.stack.Explain(ctx, v, e, unit)
	if errors.Is(err, errNoUnitKey) {
		return nil, &catalog.Missing{What: "key to hash units with on this machine", Hint: "name the consumers' key in privacy.unit_key"}
	}
	if err != nil {
		return nil, err
	}
	out := make([]catalog.Explained, len(all))
	for i, x := range all {
		kind := "exposure"
		switch {
		case x.Finding == ErasedUnit:
			kind = "erasure"
		case x.Type == ingest.Outcome:
			kind = "outcome"
		}
		out[i] = catalog.Explained{At: time.UnixMilli(x.T).UTC(), Type: kind, Topic: x.Topic, Partition: x.Partition, Offset: x.Offset,
			ID: x.ID, What: x.What, Finding: x.Finding, Metrics: x.Metrics, Why: x.Why}
	}
	return out, nil
}
