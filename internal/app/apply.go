package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
)

// versions is the part of the database that Apply needs.
type versions interface {
	Version(ctx context.Context) (experiment.Version, error)
	AppendVersion(ctx context.Context, v experiment.Version) error
}

// Applied says what an apply did.
type Applied struct {
	Number  uint32                `json:"version"` // in force now
	Changes []experiment.Change   `json:"changes"`
	Waiting []governance.Proposal `json:"waiting,omitempty"` // left as they were, until others agree
}

// gate holds back what others must agree to first.
type gate interface {
	// Hold names the changes that wait, and takes those down whose approvals it counted.
	Hold(ctx context.Context, before, next *experiment.Version, set *experiment.Set, author string) (waiting []governance.Proposal, agreed []governance.Step, err error)
	// Applied writes down that changes with their approvals are in force.
	Applied(ctx context.Context, agreed []governance.Step, author string, version uint32) error
}

// Apply makes the files the configuration in force. When somebody else applied
// meanwhile, it decides again on what they left. Problems of the files come back
// as experiment.Problems. What needs approvals that are not there is left as it is, and
// all else goes ahead: to shrink one experiment never waits for another.
func (s *Stack) Apply(ctx context.Context, set *experiment.Set, author string, now func() time.Time) (Applied, error) {
	return apply(ctx, s.DB, s.changes(), set, author, now)
}

func apply(ctx context.Context, db versions, g gate, set *experiment.Set, author string, now func() time.Time) (Applied, error) {
	for {
		current, err := db.Version(ctx)
		if err != nil {
			return Applied{}, fmt.Errorf("read the configuration in force: %w", err)
		}
		var previous *experiment.Version
		if current.Number > 0 {
			previous = &current
		}
		at := now()
		next, changes, problems := experiment.Apply(previous, set, at, author)
		if err := problems.Err(); err != nil {
			return Applied{}, err
		}
		if next == nil {
			return Applied{Number: current.Number}, nil
		}
		waiting, agreed, err := g.Hold(ctx, &current, next, set, author)
		if err != nil {
			return Applied{}, err
		}
		if len(waiting) > 0 {
			next, changes, problems = experiment.ApplyBut(previous, set, at, author, keysOf(waiting))
			if err := problems.Err(); err != nil {
				return Applied{}, err
			}
			if next == nil {
				return Applied{Number: current.Number, Waiting: waiting}, nil
			}
		}
		err = db.AppendVersion(ctx, *next)
		if errors.Is(err, clickhouse.ErrConflict) {
			continue
		}
		if err != nil {
			return Applied{}, fmt.Errorf("append version %d: %w", next.Number, err)
		}
		done := Applied{Number: next.Number, Changes: changes, Waiting: waiting}
		return done, g.Applied(ctx, agreed, author, next.Number)
	}
}

func keysOf(waiting []governance.Proposal) []string {
	keys := make([]string, len(waiting))
	for i, p := range waiting {
		keys[i] = p.Experiment
	}
	return keys
}
