package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// Moved says what a move of the floor did.
type Moved struct {
	Number  uint32    `json:"version"` // in force now
	Floor   time.Time `json:"floor"`
	Dropped []string  `json:"dropped,omitempty"` // monthly partitions of events
	Rows    uint64    `json:"rows,omitempty"`    // that were in them
}

// follow appends the version that follows from the one in force, and asks again what
// follows when somebody else was first. With nil there is nothing to append.
func follow(ctx context.Context, db versions, next func(current *experiment.Version) (*experiment.Version, error)) error {
	for {
		current, err := db.Version(ctx)
		if err != nil {
			return fmt.Errorf("read the configuration in force: %w", err)
		}
		v, err := next(&current)
		if err != nil || v == nil {
			return err
		}
		err = db.AppendVersion(ctx, *v)
		if errors.Is(err, clickhouse.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("append version %d: %w", v.Number, err)
		}
		return nil
	}
}

// MoveFloor makes a version from which on events before a time are refused. A
// floor that is there already is no error.
func MoveFloor(ctx context.Context, db versions, to time.Time, reason, author string, now func() time.Time) (m Moved, err error) {
	err = follow(ctx, db, func(current *experiment.Version) (*experiment.Version, error) {
		m = Moved{Number: current.Number, Floor: current.Floor}
		if current.Floor.Equal(to) {
			return nil, nil
		}
		next, err := current.MoveFloor(to, reason, author, now())
		if err == nil {
			m = Moved{Number: next.Number, Floor: next.Floor}
		}
		return next, err
	})
	if err != nil {
		return Moved{}, err
	}
	return m, nil
}

// Kept says from when on consumers keep which share of units.
type Kept struct {
	Number uint32 `json:"version"` // in force now
	experiment.Shed
}

// Shed makes a version under which consumers keep a share of all units.
func Shed(ctx context.Context, db versions, keep float64, author string, now func() time.Time) (k Kept, err error) {
	err = follow(ctx, db, func(current *experiment.Version) (*experiment.Version, error) {
		next, err := current.Shedding(keep, "shedding", author, now())
		if err == nil {
			k = Kept{Number: next.Number, Shed: next.Sheds[len(next.Sheds)-1]}
		}
		return next, err
	})
	if err != nil {
		return Kept{}, err
	}
	return k, nil
}

// retention is the part of the database that dropping needs.
type retention interface {
	Version(ctx context.Context) (experiment.Version, error)
	VersionAt(ctx context.Context, number uint32) (experiment.Version, error)
	Heads(ctx context.Context) ([]clickhouse.Head, error)
	EventsBefore(ctx context.Context, floor time.Time) ([]clickhouse.PartCount, error)
	Retire(ctx context.Context, heads []clickhouse.Head) error
	DropEvents(ctx context.Context, partition string) error
}

// DropBelowFloor drops the months of events that lie wholly below the floor, once
// every shard has adopted it: until then a shard may still count such events.
func (s *Stack) DropBelowFloor(ctx context.Context) (Moved, error) {
	admin, err := s.connect(ctx, s.endpoints.Admin)
	if err != nil {
		return Moved{}, err
	}
	done, err := dropBelowFloor(ctx, admin)
	if err == nil {
		s.Log.Info("events dropped below the floor", "floor", done.Floor, "months", done.Dropped, "rows", done.Rows, "version", done.Number)
	}
	return done, err
}

func dropBelowFloor(ctx context.Context, db retention) (Moved, error) {
	v, err := db.Version(ctx)
	if err != nil {
		return Moved{}, fmt.Errorf("read the configuration in force: %w", err)
	}
	done := Moved{Number: v.Number, Floor: v.Floor}
	if v.Floor.IsZero() {
		return done, nil
	}
	heads, err := adopted(ctx, db, &v)
	if err != nil {
		return done, err
	}
	months, err := db.EventsBefore(ctx, v.Floor)
	if err != nil || len(months) == 0 {
		return done, err
	}
	if err := db.Retire(ctx, heads); err != nil {
		return done, fmt.Errorf("note what can no longer be compared: %w", err)
	}
	for _, m := range months {
		if err := db.DropEvents(ctx, m.Partition); err != nil {
			return done, err
		}
		done.Dropped, done.Rows = append(done.Dropped, m.Partition), done.Rows+m.Rows
	}
	return done, nil
}

// adopted returns the shards if all of them stand at a version with the floor.
func adopted(ctx context.Context, db retention, v *experiment.Version) ([]clickhouse.Head, error) {
	heads, err := db.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("read where the shards stand: %w", err)
	}
	known := map[uint32]bool{v.Number: true}
	for _, h := range heads {
		if _, seen := known[h.Config]; !seen && h.Config > 0 {
			then, err := db.VersionAt(ctx, h.Config)
			if err != nil {
				return nil, err
			}
			known[h.Config] = then.Floor.Equal(v.Floor)
		}
		if !known[h.Config] {
			return nil, WithHint(fmt.Errorf("shard %d counts under version %d, which does not know the floor of version %d yet", h.Shard, h.Config, v.Number),
				"let the consumers run (`assay ingest`), then do this again")
		}
	}
	return heads, nil
}
