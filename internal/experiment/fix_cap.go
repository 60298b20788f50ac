package experiment

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// What FixCap cannot do.
var (
	ErrNoMetric  = errors.New("no such metric")
	ErrNoOpenCap = errors.New("it has no percentile cap that waits for its number")
)

// FixCap makes the version in which a metric's percentile cap is a number, as
// decimal text. It holds for the iterations that have not ended, from their first
// unit on, and for later ones until the file names another percentile: a cap that
// moved with the data would rewrite history with every look.
func (v *Version) FixCap(metric, at, reason, author string, now time.Time) (*Version, error) {
	i := slices.IndexFunc(v.Metrics, func(m Metric) bool { return m.Name == metric })
	if i < 0 {
		return nil, fmt.Errorf("metric %s: %w", metric, ErrNoMetric)
	}
	if !v.Metrics[i].CapOpen() {
		return nil, fmt.Errorf("metric %s: %w", metric, ErrNoOpenCap)
	}
	next := v.clone()
	next.Number, next.Author, next.Login, next.Reason = v.Number+1, author, "", reason
	if now = now.UTC().Truncate(time.Millisecond); now.After(v.AppliedAt) {
		next.AppliedAt = now
	}
	fixed := &Cap{At: at, Percentile: v.Metrics[i].Cap.Percentile}
	next.Metrics[i].Cap = fixed
	for e := range next.Experiments {
		for k := range next.Experiments[e].Iterations {
			it := &next.Experiments[e].Iterations[k]
			if m := it.Metric(metric); it.End.After(next.AppliedAt) && m != nil && m.CapOpen() && m.Cap.Percentile == fixed.Percentile {
				m.Cap = fixed
			}
		}
	}
	return next, nil
}

// withCaps is the set with the numbers that percentiles already have.
func (set *Set) withCaps(known []Metric) *Set {
	out := *set
	out.metrics = slices.Clone(set.metrics)
	for i, f := range out.metrics {
		k := slices.IndexFunc(known, func(m Metric) bool { return m.Name == f.Name })
		if k < 0 || !f.CapOpen() || known[k].Cap == nil || known[k].Cap.Percentile != f.Cap.Percentile {
			continue
		}
		file := *f
		file.Cap = known[k].Cap
		out.metrics[i] = &file
	}
	return &out
}
