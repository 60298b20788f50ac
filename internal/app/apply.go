package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// versions is the part of the database that Apply needs.
type versions interface {
	Version(ctx context.Context) (experiment.Version, error)
	AppendVersion(ctx context.Context, v experiment.Version) error
}

// Applied says what an apply did.
type Applied struct {
	Number  uint32              `json:"version"` // in force now
	Changes []experiment.Change `json:"changes"`
}

// Apply makes the files the configuration in force. When somebody else applied
// meanwhile, it decides again on what they left. Problems of the files come back
// as experiment.Problems.
func Apply(ctx context.Context, db versions, set *experiment.Set, author string, now func() time.Time) (Applied, error) {
	for {
		current, err := db.Version(ctx)
		if err != nil {
			return Applied{}, fmt.Errorf("read the configuration in force: %w", err)
		}
		var previous *experiment.Version
		if current.Number > 0 {
			previous = &current
		}
		next, changes, problems := experiment.Apply(previous, set, now(), author)
		if err := problems.Err(); err != nil {
			return Applied{}, err
		}
		if next == nil {
			return Applied{Number: current.Number}, nil
		}
		err = db.AppendVersion(ctx, *next)
		if errors.Is(err, clickhouse.ErrConflict) {
			continue
		}
		if err != nil {
			return Applied{}, fmt.Errorf("append version %d: %w", next.Number, err)
		}
		return Applied{Number: next.Number, Changes: changes}, nil
	}
}
