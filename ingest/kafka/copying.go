package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A topic of copies that has been read to its end says nothing about what its
// source got meanwhile: the stage that copies may be slow, or dead. So freshness
// goes by the source. Whatever was in its log at some time is copied when the
// stages' group has committed the ends of that time; and what is copied before the
// copies' end is asked for, is below that end.

// copying is how far the copying of one topic is known to be.
type copying struct {
	samples []copySample // ends of the source that are not copied yet, oldest first
	until   int64        // everything that was there at this time is copied; milliseconds, 0: unknown
}

// copySample says that at this time the partitions of the source ended here.
type copySample struct {
	at   int64
	ends map[int32]int64 // of the partitions that have any record
}

func (c *copying) seen(now copySample, copied map[int32]int64) {
	if last := len(c.samples) - 1; last+1 >= maxSamples {
		c.samples[last] = now
	} else {
		c.samples = append(c.samples, now)
	}
	for len(c.samples) > 0 && c.samples[0].below(copied) {
		c.until = c.samples[0].at
		c.samples = c.samples[1:]
	}
}

func (s copySample) below(copied map[int32]int64) bool {
	for p, end := range s.ends {
		if copied[p] < end {
			return false
		}
	}
	return true
}

// copiedUntil is, by declared topic, the time up to which all records are in it:
// now, or for copies what the stages have done.
func (c *Consumer) copiedUntil(ctx context.Context) []int64 {
	until := make([]int64, len(c.cfg.Topics))
	for i, t := range c.cfg.Topics {
		if until[i] = c.cfg.Now().UnixMilli(); t.CopyOf.Topic == "" {
			continue
		}
		if err := c.lookAtCopying(ctx, t.CopyOf, until[i], &c.copying[i]); err != nil && ctx.Err() == nil {
			c.log.Warn("copying not checked", "topic", t.CopyOf.Topic, "error", err)
		}
		until[i] = c.copying[i].until
	}
	return until
}

func (c *Consumer) lookAtCopying(ctx context.Context, from CopySource, now int64, known *copying) error {
	starts, err := listed(c.admin.ListStartOffsets(ctx, from.Topic))
	if err != nil {
		return fmt.Errorf("list first offsets: %w", err)
	}
	ends, err := listed(c.admin.ListEndOffsets(ctx, from.Topic))
	if err != nil {
		return fmt.Errorf("list end offsets: %w", err)
	}
	sample := copySample{at: now, ends: map[int32]int64{}}
	ends.Each(func(o kadm.ListedOffset) {
		if start, _ := starts.Lookup(o.Topic, o.Partition); o.Offset > start.Offset {
			sample.ends[o.Partition] = o.Offset
		}
	})
	next, err := copied(ctx, c.admin, from.Group, from.Topic)
	if err != nil {
		return err
	}
	known.seen(sample, next)
	return nil
}
