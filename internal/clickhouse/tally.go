package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/assay-dev/assay/internal/results"
)

// ErrTallyDiffers says that sums which were kept are not those of the ledger, read
// whole. One of the two is wrong, and nothing tells which: nothing may follow from a
// look until they have been read whole once more.
var ErrTallyDiffers = errors.New("kept sums differ from the ledger's")

// Tally is [DB.Moments] for whoever asks for the same iterations several times a
// second. It keeps the exact sums and reads only the parts that came since, which it
// holds to the ledger's own rule: numbers without a gap after the part that it stands
// at, and that part still the same. Where that is not so, and whenever dimensions are
// asked for, it reads whole, and compares what it had kept.
type Tally struct {
	db   *DB
	mu   sync.Mutex
	kept *standing // nil: nothing yet, or nothing to be trusted
	far  uint64    // by how many parts shards may differ and still be read together

	wholes atomic.Uint64
}

// NewTally has read nothing yet.
func (db *DB) NewTally() *Tally { return &Tally{db: db, far: farApart} }

// Wholes is how often the sums were read whole.
func (t *Tally) Wholes() uint64 { return t.wholes.Load() }

// Moments answers like [DB.Moments]. It is [ErrTallyDiffers] once for each time that
// kept sums turn out to be others than the ledger's.
func (t *Tally) Moments(ctx context.Context, specs []MomentsSpec) (results.Moments, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept != nil && !withDimensions(specs) && t.kept.answers(specs) {
		why, err := t.advance(ctx, nil)
		if err != nil {
			return results.Moments{}, fmt.Errorf("read the moments of new parts: %w", err)
		}
		if why == "" {
			t.kept.ripen(specs)
			return t.kept.moments(), nil
		}
		t.db.log.InfoContext(ctx, "clickhouse: moments are read whole", "because", why)
		t.kept = nil
	}
	return t.whole(ctx, specs)
}

func withDimensions(specs []MomentsSpec) bool {
	return slices.ContainsFunc(specs, func(s MomentsSpec) bool { return s.Dimensions })
}

// advance brings the kept sums to the end of the ledger, or to a position; it says
// why that cannot be.
func (t *Tally) advance(ctx context.Context, upto map[uint16]uint64) (why string, err error) {
	added, err := t.db.since(ctx, t.kept, upto, t.far)
	if err != nil {
		return "", err
	}
	return t.kept.follow(added), nil
}

func (t *Tally) whole(ctx context.Context, specs []MomentsSpec) (results.Moments, error) {
	t.wholes.Add(1)
	fresh, err := t.db.standing(ctx, specs)
	if err != nil {
		return results.Moments{}, fmt.Errorf("read the moments whole: %w", err)
	}
	if err := t.compare(ctx, fresh, specs); err != nil {
		t.kept = nil
		return results.Moments{}, err
	}
	m := fresh.moments()
	fresh.leaveDimensions()
	t.kept = fresh
	return m, nil
}

// compare brings what was kept to where fresh stands, and holds it against that.
func (t *Tally) compare(ctx context.Context, fresh *standing, specs []MomentsSpec) error {
	if t.kept == nil {
		return nil
	}
	why, err := t.advance(ctx, fresh.vector)
	if err != nil {
		return fmt.Errorf("read the moments of new parts: %w", err)
	}
	if why != "" { // the ledger is another one, and no comparison would say anything
		t.db.log.InfoContext(ctx, "clickhouse: kept moments are let go", "because", why)
		return nil
	}
	if t.kept.answers(specs) {
		t.kept.ripen(specs)
	}
	if difference := t.kept.differs(fresh); difference != "" {
		return fmt.Errorf("%w: %s", ErrTallyDiffers, difference)
	}
	return nil
}
