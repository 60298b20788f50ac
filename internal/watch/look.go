package watch

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// looked is one run with its look.
type looked struct {
	run
	document *results.Document
	took     time.Duration
}

// look reads what the ledger holds, after what the shards said, and looks at the runs
// that are due: a round that began at a time. All runs are read at one position.
func (w *Watch) look(ctx context.Context, v *experiment.Version, runs []run, statuses []results.ShardStatus, full bool, begun time.Time) ([]looked, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	queries := make([]Query, len(runs))
	for i, r := range runs {
		queries[i] = queryOf(r, statuses, full)
	}
	moments, err := w.parts.Ledger.Moments(ctx, queries)
	if err != nil {
		return nil, fmt.Errorf("read the moments: %w", err)
	}
	took := w.parts.Now().Sub(begun)
	w.gauges.lookSeconds.Observe(took.Seconds())
	older, err := w.olderVersions(ctx, moments.Config)
	if err != nil {
		return nil, err
	}
	otherwise := make(map[uint32]map[string]bool, len(older))
	for number, then := range older {
		if then != nil {
			otherwise[number] = w.otherwise(then, v)
		}
	}
	now := w.now()
	due, cells := w.due(runs, now, full), moments.ByExperiment()
	out := make([]looked, len(due))
	sideBySide(len(due), func(i int) {
		r, part := due[i], moments
		part.Cells = cells[r.experiment.Key]
		d := results.Compute(v, r.experiment, r.iteration.Number, part, statuses, now, results.Options{
			Code: w.config.Code, Kind: results.KindFull,
			SameCounting: func(number uint32) bool {
				return older[number] != nil && !otherwise[number][r.experiment.Key]
			},
		})
		out[i] = looked{run: r, document: &d, took: took}
	})
	return out, nil
}

// sideBySide does n things that don't touch one another, on all processors.
func sideBySide(n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// olderVersions are those under which the shards count.
func (w *Watch) olderVersions(ctx context.Context, config map[uint16]uint32) (map[uint32]*experiment.Version, error) {
	out := map[uint32]*experiment.Version{}
	for _, number := range config {
		if number == 0 || out[number] != nil {
			continue
		}
		v, err := w.version(ctx, number)
		if err != nil {
			return nil, err
		}
		out[number] = v
	}
	return out, nil
}
