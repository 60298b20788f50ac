package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/experiment"
)

// versions hands the newest configuration version to all shards.
type versions struct {
	mu      sync.Mutex
	newest  *experiment.Version // nil: there is none yet
	changed chan struct{}       // closed when newest changes

	checked atomic.Pointer[map[string]*experiment.Experiment] // whose exposures are checked; nil: nobody's
}

func newVersions() *versions { return &versions{changed: make(chan struct{})} }

// latest returns the newest version, and a channel that closes when that is over.
func (v *versions) latest() (*experiment.Version, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.newest, v.changed
}

func (v *versions) set(newest *experiment.Version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.newest = newest
	v.checked.Store(checkedBy(newest))
	close(v.changed)
	v.changed = make(chan struct{})
}

// checkedBy are the experiments of a version that say how units are assigned, or that
// measure some of them only, by key.
func checkedBy(v *experiment.Version) *map[string]*experiment.Experiment {
	if v == nil {
		return nil
	}
	out := map[string]*experiment.Experiment{}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if e.Assignment != nil || slices.ContainsFunc(e.Iterations, func(it experiment.Iteration) bool { return it.Samples() }) {
			out[e.Key] = e
		}
	}
	if len(out) == 0 {
		return nil
	}
	return &out
}

// check computes an exposure's assignment anew, and whether its unit is measured, by
// the newest version that is known.
func (v *versions) check(e *ingest.Event, unit []byte) (recomputed, sample string) {
	checked := v.checked.Load()
	if checked == nil {
		return "", ""
	}
	x := (*checked)[e.Experiment]
	if x == nil {
		return "", ""
	}
	seen := assignment.Seen{
		At: time.UnixMilli(e.T), Unit: string(unit), UnitKind: e.UnitKind, Variant: e.Variant,
		Attribute: func(name string) (string, bool) {
			i := slices.IndexFunc(e.Attrs, func(a ingest.Attr) bool { return a.Name == name })
			if i < 0 {
				return "", false
			}
			return e.Attrs[i].Value, true
		},
	}
	if x.Assignment != nil {
		recomputed = string(assignment.Recompute(x, seen))
	}
	return recomputed, string(assignment.CheckSample(x, seen, e.Sample))
}

// refresh asks the store once.
func (v *versions) refresh(ctx context.Context, store Versions) error {
	number, err := store.VersionNumber(ctx)
	if err != nil {
		return fmt.Errorf("read number of the configuration version: %w", err)
	}
	if known, _ := v.latest(); number == 0 || known != nil && known.Number >= number {
		return nil
	}
	version, err := versionAt(ctx, store, number)
	if err != nil {
		return err
	}
	v.set(version)
	return nil
}

// versionAt reads one version; number 0 is none.
func versionAt(ctx context.Context, store Versions, number uint32) (*experiment.Version, error) {
	if number == 0 {
		return nil, nil
	}
	version, err := store.VersionAt(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("read configuration version %d: %w", number, err)
	}
	return &version, nil
}

// every calls fn at this interval until the context ends.
func every(ctx context.Context, interval time.Duration, fn func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			fn()
		}
	}
}

// rested waits, and tells whether there is somebody to go on for.
func rested(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
