package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
)

// errNoRetention says that nothing is to be carried out.
var errNoRetention = WithHint(errors.New("no retention is configured"), "privacy.retention: {all: 400d, device: 90d}, or move a floor by hand: assay apply --floor")

// Retained is what retention did.
type Retained struct {
	Moved
	Held []HeldFloor `json:"held,omitempty"`
}

// HeldFloor is a floor that could not rise as far as the configuration wants: an
// iteration that has not ended needs older events.
type HeldFloor struct {
	Kind   string    `json:"unit_kind"` // all: of the kinds that are not named
	Wanted time.Time `json:"wanted"`
	Limit  time.Time `json:"limit"`
}

// Retain moves the floors to where the configured retention has them, as far as
// iterations that run let them, waits until every shard has adopted them, and drops
// what lies below.
func (s *Stack) Retain(ctx context.Context, author string, wait time.Duration, now func() time.Time) (Retained, error) {
	if len(s.Config.Privacy.Retention) == 0 {
		return Retained{}, errNoRetention
	}
	held, err := raiseFloors(ctx, s.DB, s.Config.Privacy.Retention, author, now)
	if err != nil {
		return Retained{}, err
	}
	done := Retained{Held: held}
	var lacking error
	err = ErasureRun{Wait: wait}.await(ctx, func() (bool, error) {
		done.Moved, lacking = s.DropBelowFloor(ctx)
		if errors.Is(lacking, errNotAdopted) {
			return false, nil
		}
		return lacking == nil, lacking
	})
	if err == nil {
		err = lacking
	}
	return done, err
}

// raiseFloors moves each floor to the beginning of a day.
func raiseFloors(ctx context.Context, db versions, retention map[string]experiment.Duration, author string, now func() time.Time) (held []HeldFloor, err error) {
	const day = 24 * time.Hour
	kinds := slices.Sorted(maps.Keys(retention))
	// That of all first: it may be above one of a kind from before.
	slices.SortStableFunc(kinds, func(a, b string) int { return order(a) - order(b) })
	for _, name := range kinds {
		kind := name
		if name == config.AllKinds {
			kind = ""
		}
		v, err := db.Version(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the configuration in force: %w", err)
		}
		wanted := now().UTC().Add(-retention[name].Std()).Truncate(day)
		to := wanted
		if limit := v.FloorLimit(kind, now()); to.After(limit) {
			to = limit.Truncate(day)
			held = append(held, HeldFloor{name, wanted, to})
		}
		if !to.After(v.FloorOf(kind)) {
			continue
		}
		if _, err := MoveFloor(ctx, db, to, kind, "retention", author, now); err != nil {
			return nil, err
		}
	}
	return held, nil
}

func order(kind string) int {
	if kind == config.AllKinds {
		return 0
	}
	return 1
}
