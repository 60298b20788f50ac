package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/assay-dev/assay/internal/results"
)

// report looks at the topics and says of every shard how far it is and how it
// fares, idle or not. When the cluster cannot be asked, freshness just grows old.
func (c *Consumer) report(ctx context.Context) {
	asking, enough := context.WithTimeout(ctx, reportTimeout)
	asked := c.copiedUntil(asking)
	ends, err := c.look(asking)
	enough()
	if err != nil && ctx.Err() == nil {
		c.log.Warn("topics not checked", "error", err)
	}
	var statuses []results.ShardStatus
	for _, s := range c.owned() {
		if err == nil {
			s.see(asked, ends)
		}
		st := s.progress.status(s.id, c.cfg.Now().UTC())
		c.metrics.told(s.id, s.progress.lag(), st.At.Sub(st.Freshness), st.State == StateOK)
		statuses = append(statuses, st)
	}
	now := c.cfg.Now()
	c.metrics.reported.Set(float64(now.UnixMilli()) / 1000)
	var told error
	if len(statuses) > 0 {
		telling, enough := context.WithTimeout(ctx, reportTimeout)
		defer enough()
		if told = c.store.WriteStatus(telling, statuses); told != nil && ctx.Err() == nil {
			c.log.Warn("status not written", "error", told)
		}
	}
	c.pulse.beat(now, err, told)
}

// look asks how many partitions the topics have, whether they are still the same
// topics, and where they end: at the high watermark, not at the last stable
// offset, because what an open transaction hides has not been read.
func (c *Consumer) look(ctx context.Context) (kadm.ListedOffsets, error) {
	names := c.cfg.names()
	now, err := describe(ctx, c.client, names)
	var topics *TopicsError
	switch {
	case errors.As(err, &topics) && topics.unequal, err == nil && now.partitions != c.layout.partitions:
		for _, s := range c.owned() {
			s.kill(changedPartitions(c.layout.partitions))
		}
		return nil, fmt.Errorf("the topics no longer have %d partitions each", c.layout.partitions)
	case err != nil:
		return nil, err
	}
	ends, err := listed(c.admin.ListEndOffsets(ctx, names...))
	if err != nil {
		return nil, fmt.Errorf("list end offsets: %w", err)
	}
	for _, s := range c.owned() {
		s.compare(now, ends)
	}
	return ends, nil
}

// compare makes a shard load again, which judges gaps, when a topic is not the
// one that it reads or has lost its end.
func (s *shard) compare(now layout, ends kadm.ListedOffsets) {
	for name, next := range s.progress.durable() {
		id, known := s.progress.reads(name)
		end, listed := ends.Lookup(name, int32(s.id))
		if known && id != now.ids[name] || listed && end.Offset < next {
			s.restart(errReloaded)
			return
		}
	}
}

// see notes the ends of the shard's partitions: all that was in the log of a topic
// at the time asked is below its end.
func (s *shard) see(asked []int64, ends kadm.ListedOffsets) {
	at := make([]int64, len(s.c.cfg.Topics))
	for i, t := range s.c.cfg.Topics {
		end, listed := ends.Lookup(t.Name, int32(s.id))
		if !listed {
			return
		}
		at[i] = end.Offset
	}
	s.progress.seen(asked, at)
}
