package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// reportTimeout bounds what a report asks of the cluster and tells the store: those
	// that do not answer must not keep what is known from being shown.
	reportTimeout = 5 * time.Second
	// reportedFor is how long ago a consumer that is ready has looked around at most.
	reportedFor = 20 * time.Second
)

// pulse is how the consumer's own looking around goes, for whoever asks from outside.
type pulse struct {
	mu       sync.Mutex
	reported time.Time // zero: not yet
	asked    error     // why the topics could not be looked at
	told     error     // why the shards' status could not be written
}

func (p *pulse) beat(now time.Time, asked, told error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reported, p.asked, p.told = now, asked, told
}

// Ready says why this consumer does not count what it should: a shard of its own that
// stands still or loads, topics or a store that cannot be reached. One that has no shard
// is ready for some.
func (c *Consumer) Ready(context.Context) error {
	c.pulse.mu.Lock()
	reported, asked, told := c.pulse.reported, c.pulse.asked, c.pulse.told
	c.pulse.mu.Unlock()
	if reported.IsZero() {
		return errors.New("configuration and topics are being read")
	}
	var all []error
	for _, s := range c.owned() {
		if st := s.progress.snapshot(); st.state != StateOK {
			all = append(all, fmt.Errorf("shard %d: %s %s", s.id, st.state, st.detail))
		}
	}
	if asked != nil {
		all = append(all, fmt.Errorf("topics not checked: %w", asked))
	}
	if told != nil {
		all = append(all, fmt.Errorf("status not written: %w", told))
	}
	if since := c.cfg.Now().Sub(reported); since >= reportedFor {
		all = append(all, fmt.Errorf("it has not looked at its shards for %s", since.Round(time.Second)))
	}
	return errors.Join(all...)
}
