package kafka

import (
	"context"
	"fmt"
)

// write makes parts durable, one after the other, in this order: the records,
// the notes of dead letters, the part. What a crash in between leaves behind is
// written again and changes nothing; the part alone says what counts.
func (w *worker) write(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case job, more := <-w.parts:
			if !more {
				return nil
			}
			began := w.l.s.c.cfg.Now()
			if err := w.l.persist(ctx, job); err != nil {
				return err
			}
			w.took.Store(int64(w.l.s.c.cfg.Now().Sub(began)))
			if job.batch != nil {
				w.spare <- job.batch
			}
			w.idle <- struct{}{}
		}
	}
}

func (l *life) persist(ctx context.Context, job work) error {
	c := l.s.c
	if b := job.batch; b != nil && b.records() > 0 {
		began := c.cfg.Now()
		if err := l.store(ctx, b); err != nil {
			return err
		}
		if err := l.noteDead(ctx, b.dead); err != nil {
			return fmt.Errorf("note dead letters: %w", err)
		}
		l.observe(b, Insert, began, b.records())
	}
	if job.batch != nil {
		if err := l.noteBeginnings(ctx, job.batch, job.part.Seq); err != nil {
			return err
		}
	}
	if len(job.adjustments) > 0 {
		if err := c.store.NoteAdjustments(ctx, l.s.id, job.adjustments); err != nil {
			return fmt.Errorf("note what erased units leave: %w", err)
		}
	}
	began := c.cfg.Now()
	switch result, err := c.store.AppendPart(ctx, l.topics, job.part); {
	case err != nil:
		return fmt.Errorf("append part %d: %w", job.part.Seq, err)
	case result == Lost:
		return errLost
	case result != Committed:
		return fmt.Errorf("append part %d: the store does not know what became of it", job.part.Seq)
	}
	l.observe(job.batch, Append, began, len(job.part.Rows))
	l.durable(job)
	l.trace(job)
	return nil
}

// store writes a batch's records.
func (l *life) store(ctx context.Context, b *batch) error {
	if b.rows.Len() > 0 {
		if err := b.rows.Append(ctx); err != nil {
			return fmt.Errorf("append events: %w", err)
		}
	}
	if err := l.s.c.store.AppendEvents(ctx, l.s.id, l.names, nil, b.dead); err != nil {
		return fmt.Errorf("append dead letters: %w", err)
	}
	return nil
}

// durable tells what is now so.
func (l *life) durable(job work) {
	next := make([]int64, len(l.source))
	for i := range next {
		next[i] = -1
	}
	var misplaced, records uint64
	for _, c := range job.part.Offsets {
		for i, topic := range l.source {
			if uint8(topic) == c.Topic {
				next[i] = c.Next
			}
		}
		misplaced += c.Misplaced
		records += c.Accepted + c.Duplicate + c.Dead + c.Misplaced
	}
	l.s.progress.commit(job.part.Seq, job.part.Config, next, misplaced, records)
	l.s.c.metrics.committed(l, job)
}
