package watch

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// looked is one run with its look.
type looked struct {
	run
	document *results.Document
	took     time.Duration
}

// look reads, in this order, what the shards say and what the ledger holds.
func (w *Watch) look(ctx context.Context, v *experiment.Version, runs []run, full bool) ([]looked, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	begun := w.parts.Now()
	statuses, err := w.parts.Ledger.Statuses(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' status: %w", err)
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
	out, cells := make([]looked, len(runs)), moments.ByExperiment()
	now := w.now()
	sideBySide(len(runs), func(i int) {
		r, part := runs[i], moments
		part.Cells = cells[r.experiment.Key]
		d := results.Compute(v, r.experiment, r.iteration.Number, part, statuses, now, results.Options{
			Code: w.config.Code, Kind: results.KindFull,
			SameCounting: func(number uint32) bool {
				return older[number] != nil && !experiment.Counting(older[number], v, r.experiment.Key)
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

// storedLook is what identifies the guard look that was stored last.
type storedLook struct {
	vector  map[uint16]uint64
	version uint32
	verdict string
	id      string
}

func identity(j *judged) storedLook {
	var words []byte
	for i := range j.steps {
		v := &j.steps[i].verdict
		words = fmt.Appendf(words, "%s/%s=%s/%s/%s;", v.Rule.Metric, v.Rule.Arm, v.Kind, v.Reason, v.Act)
	}
	return storedLook{vector: j.document.Vector, version: j.document.Version, verdict: string(words)}
}

func (s storedLook) equal(o storedLook) bool {
	return s.version == o.version && s.verdict == o.verdict && maps.Equal(s.vector, o.vector)
}

// store writes the looks that are worth keeping: every minute a full one of
// each experiment, and a guard look when the data, the version or a verdict
// changed. Looks that a decision rests on changed by that.
func (w *Watch) store(ctx context.Context, all []*judged, full bool) error {
	var looks []*Look
	changed := map[runKey]*Look{}
	for _, j := range all {
		if last, ok := w.stored[j.key()]; !ok || !last.equal(j.identity) {
			guard := j.document.Guard()
			l := &Look{Verdict: j.overall(), Document: &guard}
			looks, changed[j.key()] = append(looks, l), l
		}
		if full {
			looks = append(looks, &Look{Verdict: j.overall(), Document: j.document})
		}
	}
	if len(looks) == 0 {
		return nil
	}
	// Half of the round at most: what is to be decided must not wait for it.
	ctx, cancel := context.WithTimeout(ctx, w.config.Timeout/2)
	defer cancel()
	if err := w.parts.Looks.Store(ctx, looks); err != nil {
		return fmt.Errorf("store %d looks: %w", len(looks), err)
	}
	for _, j := range all {
		if l := changed[j.key()]; l != nil {
			now := j.identity
			now.id = l.ID
			w.stored[j.key()] = now
		}
	}
	return nil
}

// lookOf is the id of the stored guard look that shows what j shows, of this
// round or of an earlier one; "" when it could not be stored.
func (w *Watch) lookOf(j *judged) string {
	if s, ok := w.stored[j.key()]; ok && s.equal(j.identity) {
		return s.id
	}
	return ""
}

// overall is the verdict of the experiment.
func (j *judged) overall() guardrails.Kind {
	verdicts := make([]guardrails.Verdict, len(j.steps))
	for i := range j.steps {
		verdicts[i] = j.steps[i].verdict
	}
	return guardrails.Overall(verdicts)
}
