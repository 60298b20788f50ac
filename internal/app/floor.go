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
	Number  uint32               `json:"version"` // in force now
	Floor   time.Time            `json:"floor"`
	Floors  map[string]time.Time `json:"floors,omitempty"`  // of unit kinds that are kept for a shorter time
	Dropped []string             `json:"dropped,omitempty"` // monthly partitions of events
	Deleted []MonthOfKinds       `json:"deleted,omitempty"` // from partitions that stay
	Rows    uint64               `json:"rows,omitempty"`    // that were in them
}

// MonthOfKinds are unit kinds whose events of a month are below their floor, while
// others of that month are not.
type MonthOfKinds struct {
	Month string   `json:"month"` // YYYYMM
	Kinds []string `json:"unit_kinds"`
}

func floorsOf(v *experiment.Version) Moved {
	return Moved{Number: v.Number, Floor: v.Floor, Floors: v.Floors}
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

// MoveFloor makes a version from which on events before a time are refused, those of
// one unit kind or ("") all. A floor that is there already is no error.
func MoveFloor(ctx context.Context, db versions, to time.Time, kind, reason, author string, now func() time.Time) (m Moved, err error) {
	err = follow(ctx, db, func(current *experiment.Version) (*experiment.Version, error) {
		m = floorsOf(current)
		if current.FloorOf(kind).Equal(to) {
			return nil, nil
		}
		next, err := current.MoveFloor(to, kind, reason, author, now())
		if err == nil {
			m = floorsOf(next)
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
	EventsOfKinds(ctx context.Context, before time.Time) ([]clickhouse.KindCount, error)
	DeleteKinds(ctx context.Context, partition string, kinds []string) error
	Retire(ctx context.Context, heads []clickhouse.Head) error
	DropEvents(ctx context.Context, partition string) error
}

// DropBelowFloor drops the months of events that lie wholly below the floor, and deletes
// those of unit kinds that lie wholly below their own, once every shard has adopted
// both: until then a shard may still count such events.
func (s *Stack) DropBelowFloor(ctx context.Context) (Moved, error) {
	admin, err := s.connect(ctx, s.endpoints.Admin)
	if err != nil {
		return Moved{}, err
	}
	done, err := dropBelowFloor(ctx, admin)
	if err == nil {
		s.Log.Info("events dropped below the floor", "floor", done.Floor, "months", done.Dropped, "months_of_kinds", len(done.Deleted), "rows", done.Rows, "version", done.Number)
	}
	return done, err
}

func dropBelowFloor(ctx context.Context, db retention) (Moved, error) {
	v, err := db.Version(ctx)
	if err != nil {
		return Moved{}, fmt.Errorf("read the configuration in force: %w", err)
	}
	done := floorsOf(&v)
	if v.HighestFloor().IsZero() {
		return done, nil
	}
	heads, err := adopted(ctx, db, &v)
	if err != nil {
		return done, err
	}
	months, err := monthsBelow(ctx, db, &v)
	if err != nil || len(months) == 0 {
		return done, err
	}
	if err := db.Retire(ctx, heads); err != nil {
		return done, fmt.Errorf("note what can no longer be compared: %w", err)
	}
	for _, m := range months {
		if len(m.Kinds) == 0 {
			err = db.DropEvents(ctx, m.Month)
			done.Dropped = append(done.Dropped, m.Month)
		} else {
			err = db.DeleteKinds(ctx, m.Month, m.Kinds)
			done.Deleted = append(done.Deleted, m.MonthOfKinds)
		}
		if err != nil {
			return done, err
		}
		done.Rows += m.rows
	}
	return done, nil
}

// monthBelow is a month of events that goes: all of it, or the events of some kinds.
type monthBelow struct {
	MonthOfKinds
	rows uint64
}

// monthsBelow finds what lies below the floors. A month of which nothing would be left
// is dropped whole, since that rewrites nothing.
func monthsBelow(ctx context.Context, db retention, v *experiment.Version) (out []monthBelow, err error) {
	whole, err := db.EventsBefore(ctx, v.Floor)
	if err != nil {
		return nil, err
	}
	dropped := map[string]bool{}
	for _, m := range whole {
		dropped[m.Partition] = true
		out = append(out, monthBelow{MonthOfKinds{Month: m.Partition}, m.Rows})
	}
	if len(v.Floors) == 0 {
		return out, nil
	}
	counts, err := db.EventsOfKinds(ctx, v.HighestFloor())
	if err != nil {
		return nil, fmt.Errorf("count events by unit kind: %w", err)
	}
	for len(counts) > 0 {
		m, stays := monthBelow{MonthOfKinds: MonthOfKinds{Month: counts[0].Partition}}, false
		for ; len(counts) > 0 && counts[0].Partition == m.Month; counts = counts[1:] {
			if c := counts[0]; c.Partition < v.FloorOf(c.Kind).UTC().Format("200601") {
				m.Kinds, m.rows = append(m.Kinds, c.Kind), m.rows+c.Rows
			} else {
				stays = true
			}
		}
		if dropped[m.Month] || len(m.Kinds) == 0 {
			continue
		}
		if !stays {
			m.Kinds = nil
		}
		out = append(out, m)
	}
	return out, nil
}

// errNotAdopted is in errors about shards that have to be waited for.
var errNotAdopted = errors.New("does not know the floor")

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
			known[h.Config] = then.SameFloors(v)
		}
		if !known[h.Config] {
			return nil, WithHint(fmt.Errorf("shard %d counts under version %d, which %w of version %d yet", h.Shard, h.Config, errNotAdopted, v.Number),
				"let the consumers run (`assay ingest`), then do this again")
		}
	}
	return heads, nil
}
