package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/access"
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
	Held    []HeldBack            `json:"held,omitempty"`    // left as they were, for nobody looks after them
}

// HeldBack is a change of an experiment that is held.
type HeldBack struct {
	governance.Change
	Why string `json:"why"` // and what ends it
}

// holding is what a gate makes of the changes between two versions.
type holding struct {
	waiting []governance.Proposal
	held    []HeldBack
	agreed  []governance.Step // whose approvals it counted
}

// leave names the experiments that are left as they are.
func (h *holding) leave() (keys []string) {
	for _, p := range h.waiting {
		keys = append(keys, p.Experiment)
	}
	for _, b := range h.held {
		keys = append(keys, b.Experiment)
	}
	return keys
}

// gate holds back what others must agree to first.
type gate interface {
	// Hold names the changes that wait, those of experiments that are held, and takes
	// those down whose approvals it counted.
	Hold(ctx context.Context, before, next *experiment.Version, set *experiment.Set, author string) (holding, error)
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
		back, err := g.Hold(ctx, &current, next, set, author)
		if err != nil {
			return Applied{}, err
		}
		if leave := back.leave(); len(leave) > 0 {
			next, changes, problems = experiment.ApplyBut(previous, set, at, author, leave)
			if err := problems.Err(); err != nil {
				return Applied{}, err
			}
			if next == nil {
				return Applied{Number: current.Number, Waiting: back.waiting, Held: back.held}, nil
			}
		}
		if login := access.LoginOf(ctx, author); access.Proved(login) {
			next.Login = login
		}
		err = db.AppendVersion(ctx, *next)
		if errors.Is(err, clickhouse.ErrConflict) {
			continue
		}
		if err != nil {
			return Applied{}, fmt.Errorf("append version %d: %w", next.Number, err)
		}
		done := Applied{Number: next.Number, Changes: changes, Waiting: back.waiting, Held: back.held}
		return done, g.Applied(ctx, back.agreed, author, next.Number)
	}
}
