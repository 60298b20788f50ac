package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// Consumer reads shards of the declared topics into a store.
type Consumer struct {
	cfg      Config
	store    Store
	log      *slog.Logger
	metrics  *metrics
	versions *versions
	// Whose records are suppressed.
	suppressions suppressions
	// How the topics are read.
	decodings *decodings
	memory    *budget
	// How far those topics are copied that are keyed anew, by declared topic.
	copying []copying

	// Set by Run before the first shard starts.
	client *kgo.Client
	admin  *kadm.Client
	layout layout
	goals  kadm.ListedOffsets // where to stop; nil: never

	mu     sync.Mutex
	shards map[int32]*shard
	held   atomic.Int64 // len(shards)
	pool   pool
	pulse  pulse
}

// New checks the configuration. It connects to nothing.
func New(cfg Config, store Store) (*Consumer, error) {
	if err := cfg.prepare(); err != nil {
		return nil, fmt.Errorf("kafka consumer: %w", err)
	}
	m, err := newMetrics(cfg.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &Consumer{
		cfg: cfg, store: store, log: cfg.Logger, metrics: m, versions: newVersions(),
		memory:    newBudget(cfg.Memory),
		decodings: &decodings{store: store, log: cfg.Logger}, copying: make([]copying, len(cfg.Topics)), shards: map[int32]*shard{},
	}, nil
}

// Run consumes until the context ends (nil), until the ends are reached (nil,
// with UntilEnd), or returns why it cannot start. What happens to a single shard
// afterwards is retried or stands in its status. Run may be called once.
func (c *Consumer) Run(ctx context.Context) error {
	client, err := c.cfg.client()
	if err != nil {
		return err
	}
	defer client.Close()
	c.client, c.admin = client, kadm.NewClient(client)
	if err := c.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var background errgroup.Group
	background.Go(func() error { every(ctx, c.cfg.StatusEvery, func() { c.report(ctx) }); return nil })
	background.Go(func() error { every(ctx, c.cfg.ConfigEvery, func() { c.refresh(ctx) }); return nil })
	background.Go(func() error {
		every(ctx, c.cfg.ChainEvery, func() { c.checkChains(ctx); c.reconcile(ctx) })
		return nil
	})

	if c.cfg.Group == "" {
		err = c.runAll(ctx)
	} else {
		err = c.runGroup(ctx)
	}
	cancel()
	return errors.Join(err, background.Wait())
}

// prepare learns what the shards need to know before the first one starts.
func (c *Consumer) prepare(ctx context.Context) error {
	names := c.cfg.names()
	var err error
	if c.layout, err = c.reach(ctx, names); err != nil {
		return err
	}
	if c.cfg.DeadLetters != "" {
		if _, err := describe(ctx, c.client, []string{c.cfg.DeadLetters}); err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
	}
	if c.cfg.UntilEnd {
		if c.goals, err = listed(c.admin.ListCommittedOffsets(ctx, names...)); err != nil {
			return fmt.Errorf("list ends: %w", err)
		}
	}
	if err := c.decodings.register(ctx, c.cfg.wanted(), c.cfg.OwnDecoding); err != nil {
		return err
	}
	return c.versions.refresh(ctx, c.store)
}

// reach describes the topics, and waits for brokers that do not answer yet: after a power
// cut they may be up later than this process. Who reads to the ends is told instead.
func (c *Consumer) reach(ctx context.Context, names []string) (layout, error) {
	for pause := c.cfg.Backoff; ; pause = min(2*pause, 32*c.cfg.Backoff) {
		l, err := describe(ctx, c.client, names)
		if c.cfg.UntilEnd || !silent(err) {
			return l, err
		}
		if pause == c.cfg.Backoff { // it is said once
			c.log.Error("Kafka does not answer: waiting for it", "brokers", c.cfg.Brokers, "error", err)
		}
		if !rested(ctx, pause) {
			return l, ctx.Err()
		}
	}
}

// silent tells of an error of the client whether it is that no broker answers.
func silent(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || kgo.IsRetryableBrokerErr(err)
}

// runAll takes every shard.
func (c *Consumer) runAll(ctx context.Context) error {
	all := make([]int32, c.layout.partitions)
	for i := range all {
		all[i] = int32(i)
	}
	c.take(ctx, all)
	defer c.giveUp(all)
	if !c.cfg.UntilEnd {
		<-ctx.Done()
		return nil
	}
	for _, p := range all {
		s := c.shard(p)
		select {
		case <-ctx.Done():
			return nil
		case <-s.halted:
			st := s.progress.snapshot()
			return &StoppedError{Shard: s.id, State: st.state, Detail: st.detail}
		case <-s.ended:
		}
	}
	c.report(ctx)
	return nil
}

// limit is what a batch of one shard may have, as many as there are now.
func (c *Consumer) limit() Batch {
	limit := c.cfg.Batch
	limit.Records = min(limit.Records, max(1, limit.Total/max(1, int(c.held.Load()))))
	return limit
}

// take starts shards.
func (c *Consumer) take(ctx context.Context, partitions []int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range partitions {
		if c.shards[p] != nil {
			continue
		}
		s := newShard(c, p)
		c.shards[p] = s
		c.held.Store(int64(len(c.shards)))
		s.start(ctx)
		c.log.Info("shard taken", "shard", p)
	}
}

// giveUp stops shards and waits until what they had under way is durable or
// forgotten, so that the next owner finds a ledger that nobody is writing to.
func (c *Consumer) giveUp(partitions []int32) {
	var leaving []*shard
	c.mu.Lock()
	for _, p := range partitions {
		if s := c.shards[p]; s != nil {
			leaving = append(leaving, s)
			delete(c.shards, p)
			c.held.Store(int64(len(c.shards)))
		}
	}
	c.mu.Unlock()
	for _, s := range leaving {
		s.leave()
	}
	for _, s := range leaving {
		<-s.ended
		c.metrics.forget(s.id)
		c.memory.forget(s.id)
		c.log.Info("shard given up", "shard", s.id)
	}
}

func (c *Consumer) shard(p int32) *shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shards[p]
}

// owned are the shards that this consumer has now.
func (c *Consumer) owned() []*shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*shard, 0, len(c.shards))
	for _, s := range c.shards {
		out = append(out, s)
	}
	return out
}

// refresh looks for a new configuration version and for new decodings.
func (c *Consumer) refresh(ctx context.Context) {
	if err := errors.Join(c.versions.refresh(ctx, c.store), c.decodings.refresh(ctx)); err != nil && ctx.Err() == nil {
		c.log.Warn("configuration not read", "error", err)
	}
}

// checkChains stops the shards whose ledger somebody else than the protocol has
// changed, by truncating or restoring under live writers: the guard of the table
// alone cannot see that.
func (c *Consumer) checkChains(ctx context.Context) {
	owned := c.owned()
	shards := make([]uint16, len(owned))
	for i, s := range owned {
		shards[i] = s.id
	}
	c.checkEnds(ctx, owned, shards)
	faults, err := c.store.CheckChain(ctx, shards)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Warn("chains not checked", "error", err)
		}
		return
	}
	for _, s := range owned {
		if detail, bad := faults[s.id]; bad {
			s.kill(&halt{StateChain, detail})
		}
	}
}
