package main

import (
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// replicate is one experiment, from its first record to its last look. It
// returns the value of each figure; NaN where there is none.
func (s *scenario) replicate(w *world, v *experiment.Version, rng source) []float64 {
	entries, log := w.draw(rng.Rand)
	p := newPath(v)
	var plain *path
	if w.twice > 0 {
		plain = newPath(v)
	}
	t := newTracker(s.figures)
	fed, entered := 0, 0
	times := w.times(entries)
	for i, at := range times {
		from := fed
		for fed < len(log) && log[fed].arrives < at {
			fed++
		}
		for entered < len(entries) && entries[entered] < at {
			entered++
		}
		p.feed(w, log[from:fed])
		p.commit()
		l := p.look(begin().Add(time.Duration(at) * time.Millisecond))
		l.world, l.units, l.last = w, entered, i == len(times)-1
		if l.last && plain != nil {
			plain.feed(w, once(log[:fed]))
			plain.commit()
			plain.look(l.doc.At)
			l.differs = !p.same(plain)
		}
		t.take(&l)
	}
	return t.values
}

// once leaves each identity's first record.
func once(log []record) []record {
	seen := map[int32]bool{}
	return slices.DeleteFunc(slices.Clone(log), func(r record) bool {
		again := seen[r.id]
		seen[r.id] = true
		return again
	})
}
