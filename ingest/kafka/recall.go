package kafka

import (
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// recallUnits is how many units are asked for at once: tens of thousands cost little
// more than some hundreds, because these lie already beside most of a shard's rows.
const recallUnits = 40_000

// recallEvents is how many events are joined at once when units may have to be read
// back for them: many, since asking for few units costs half as much as for all, and
// not all that a batch may have, so that joining does not wait for the last one.
func (l *life) recallEvents() int { return max(1, l.s.c.limit().Records/2) }

// recall brings back the units of these events that have stored rows and are not in
// memory.
func (l *life) recall(ctx context.Context, events []ingest.Event) error {
	return l.bringBack(ctx, l.joiner.Absent(events))
}

func (l *life) bringBack(ctx context.Context, absent []ingest.Unit) error {
	if len(absent) == 0 {
		return nil
	}
	began := l.s.c.cfg.Now()
	for units := range slices.Chunk(absent, recallUnits) {
		if err := l.restore(ctx, units); err != nil {
			return fmt.Errorf("read units back: %w", err)
		}
		l.s.c.metrics.recalls.Inc()
	}
	l.s.c.metrics.recalled.Add(float64(len(absent)))
	l.s.c.observe(Recall, began, len(absent))
	return nil
}

// over tells whether the state needs more than the shard's share of the memory.
func (l *life) over() bool {
	bytes := l.joiner.Bytes()
	return bytes > l.s.c.memory.share(l.s.id, bytes)
}

// shrink evicts units when there is too little memory for all.
func (l *life) shrink() {
	bytes := l.joiner.Bytes()
	if share := l.s.c.memory.share(l.s.id, bytes); bytes > share {
		n := l.joiner.Evict(share - share/16)
		l.s.c.metrics.evicted.Add(float64(n))
		l.s.c.memory.share(l.s.id, l.joiner.Bytes())
	}
}

// adopt goes over to the version. Units that it has erased are forgotten first. What
// it changes for units that are not in memory is found by letting the stored rows of
// those whom it may concern pass by.
func (w *worker) adopt(ctx context.Context) ([]Adjustment, error) {
	l := w.l
	adjustments, err := l.forget(ctx, ingest.ErasureOf(w.version))
	if err == nil {
		_, err = l.joiner.AdoptStored(w.version, func(experiments []string, visit func(*ingest.Event)) error {
			return l.rows(ctx, func() error { return l.s.c.store.EventsSeen(ctx, l.s.id, experiments, l.below, l.visible(visit)) })
		})
	}
	if err != nil {
		return nil, fmt.Errorf("adopt version %d: %w", w.version.Number, err)
	}
	l.config, l.admission, l.shedder = w.version.Number, ingest.AdmissionOf(w.version), ingest.ShedderOf(w.version)
	return adjustments, nil
}

// settled notes that every part so far is durable.
func (l *life) settled(open *batch) {
	for i, topic := range l.source {
		l.below[l.names[topic]] = open.counts[i].From
	}
	l.joiner.Durable()
}
