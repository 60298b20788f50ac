package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/results"
)

// Part is something that runs until its context ends.
type Part func(context.Context) error

// Together runs parts until one fails or the context ends; then it waits for all.
// The end of the context is no error.
func Together(ctx context.Context, parts ...Part) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, p := range parts {
		g.Go(func() error { return p(gctx) })
	}
	if err := g.Wait(); err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		return err
	}
	return nil
}

// IngestOptions are the flags of a consumer.
type IngestOptions struct {
	UntilEnd  bool
	AcceptGap bool
	Alone     bool // takes all shards, without a group
	// OwnDecoding puts the configured mappings and allow-list in force although
	// they were replaced before. Who is alone always does.
	OwnDecoding bool
	Registry    prometheus.Registerer
}

const (
	// leastHeap is what a consumer needs for the records that are under way.
	leastHeap = 512 << 20
	// garbage is how much may lie about before it is collected, in percent of what
	// is in use. Little lives long besides the state, so that collecting at Go's
	// usual 100 takes a quarter of a consumer's processor time.
	garbage = 400
)

// LimitMemory lets the garbage collector work seldom, and harder before the
// process takes more than is configured. GOGC and GOMEMLIMIT win.
func LimitMemory(c config.Config) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(max(int64(c.Memory), leastHeap))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}

// Consumer makes the consumer of the configured topics, and of the copies of those
// that are keyed anew.
func (s *Stack) Consumer(ctx context.Context, opt IngestOptions) (*kafka.Consumer, error) {
	declared, err := sourceTopics(s.Config.Kafka)
	if err != nil {
		return nil, err
	}
	key, err := consumerKey(ctx, s.Config, s.DB)
	if err != nil {
		return nil, err
	}
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.DeadLetters = s.Brokers, s.Config.Kafka.DeadLetters
	cfg.Group = s.Config.Kafka.Group
	if opt.UntilEnd || opt.Alone {
		cfg.Group = ""
	}
	if cfg.Client, err = KafkaClient(s.Config.Kafka); err != nil {
		return nil, err
	}
	cfg.Topics, cfg.Mapped, cfg.OwnDecoding = readTopics(declared, s.Config.Kafka), mapped, opt.OwnDecoding || opt.Alone
	cfg.Batch.Time, cfg.Batch.Records = s.Config.Kafka.Batch.Time.Std(), s.Config.Kafka.Batch.Records
	cfg.Memory, cfg.Recent = int64(s.Config.Memory)/4*3, s.Config.Kafka.Recent.Std()
	cfg.UnitKey, cfg.Attributes = key, s.Config.Privacy.Attributes
	if cfg.Prove, err = prover(ctx, s.Config.Verify); err != nil {
		return nil, err
	}
	cfg.AcceptGap, cfg.UntilEnd = opt.AcceptGap, opt.UntilEnd
	cfg.StopTimeout = s.Config.StopWithin.Std()
	if cfg.Traced, err = s.traced(ctx); err != nil {
		return nil, err
	}
	cfg.Registerer, cfg.Logger = opt.Registry, s.Log
	c, err := kafka.New(cfg, store{s.DB})
	if err != nil {
		return nil, fmt.Errorf("set up the consumer: %w", err)
	}
	return c, nil
}

// silent is how old a shard's word may be: consumers give one every second.
const silent = 30 * time.Second

// ingestReady says which shards stand still or have not been heard of.
func (s *Stack) ingestReady(ctx context.Context) error {
	statuses, err := s.DB.Statuses(ctx)
	if err != nil {
		return err
	}
	return shardsRead(statuses, time.Now())
}

// shardsRead tells by their consumers' last words whether all shards are read. A
// consumer that died has said "ok" last.
func shardsRead(statuses []results.ShardStatus, now time.Time) error {
	if len(statuses) == 0 {
		return errors.New("no consumer has reported yet")
	}
	for _, st := range statuses {
		if st.State != "ok" {
			return fmt.Errorf("shard %d: %s %s", st.Shard, st.State, st.Detail)
		}
		if age := now.Sub(st.At); age > silent {
			return fmt.Errorf("shard %d: nobody has reported for %s", st.Shard, age.Round(time.Second))
		}
	}
	return nil
}
