// Package announce publishes the decision log on a Kafka topic, for whoever wants to
// hear of decisions without asking ClickHouse, and as a copy of the hashes that nobody
// can change there: `assay decision verify --head` takes one.
//
// A line is published after it is in the log, in order, at least once. The topic itself
// says how far that has come: a start goes on behind its last record, and a topic made
// anew gets the whole log. Two guards may both publish a line; its number tells.
//
// Nothing waits for this. It runs beside the guard, and a broker that is gone costs a
// retry and a number in the metrics.
package announce

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/guardrails"
)

// Log is the decision log.
type Log interface {
	// Entries returns the entries after a number, in order.
	Entries(ctx context.Context, after uint64) ([]guardrails.Entry, error)
}

// Config is where and how. The zero value of a duration means its default.
type Config struct {
	Topic   string
	Brokers []string
	Client  []kgo.Opt     // TLS and login
	Every   time.Duration // how often the log is read; default 1 s
	Timeout time.Duration // of one round; default 10 s
	Logger  *slog.Logger  // default: silent
	Metrics prometheus.Registerer
}

// Announcer publishes a log. Make it with New; Run it once.
type Announcer struct {
	cfg    Config
	log    Log
	client *kgo.Client
	last   uint64 // number of the last line that is in the topic
	ready  bool   // the topic is there, and last is known
	failed bool   // the last round did
	// Records that were published, and rounds that failed.
	published, failures prometheus.Counter
}

// New makes an announcer. It connects to nothing yet.
func New(cfg Config, log Log) (*Announcer, error) {
	if cfg.Topic == "" || len(cfg.Brokers) == 0 {
		return nil, errors.New("announce: a topic and brokers are needed")
	}
	cfg.Every, cfg.Timeout = cmp.Or(cfg.Every, time.Second), cmp.Or(cfg.Timeout, 10*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	a := &Announcer{cfg: cfg, log: log,
		published: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_decisions_published_total", Help: "Lines of the decision log that this guard wrote to the topic of decisions.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_decisions_publish_failures_total", Help: "Rounds, one a second, in which the topic of decisions could not be written. No kill waits for it.",
		}),
	}
	err := errors.Join(cfg.Metrics.Register(a.published), cfg.Metrics.Register(a.failures))
	if err != nil {
		return nil, fmt.Errorf("register the metrics of the topic of decisions: %w", err)
	}
	if err := kgo.ValidateOpts(a.options()...); err != nil {
		return nil, fmt.Errorf("the client of the topic of decisions: %w", err)
	}
	return a, nil
}

// options are those of the client, which exists while Run does.
func (a *Announcer) options(more ...kgo.Opt) []kgo.Opt {
	return append(append([]kgo.Opt{
		kgo.SeedBrokers(a.cfg.Brokers...), kgo.ClientID("assay-decisions"),
		// One partition keeps the order, however many somebody gave the topic.
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		// Twice is allowed. Without idempotence a round ends in its time, and the client
		// needs no right to it.
		kgo.DisableIdempotentWrite(),
	}, a.cfg.Client...), more...)
}

// Run publishes until the context ends. It fails at nothing that a broker does: its
// end would be the end of the guard beside it.
func (a *Announcer) Run(ctx context.Context) error {
	var err error
	if a.client, err = kgo.NewClient(a.options()...); err != nil {
		return fmt.Errorf("make the client of the topic of decisions: %w", err)
	}
	defer a.client.Close()
	ticker := time.NewTicker(a.cfg.Every)
	defer ticker.Stop()
	for {
		a.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// round publishes what is new. The first of a row of failures is logged, and their end.
func (a *Announcer) round(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	err := a.publish(bounded)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil && !a.failed:
		a.cfg.Logger.Warn("decisions not published, trying again", "topic", a.cfg.Topic, "after", a.last, "error", err)
	case err == nil && a.failed:
		a.cfg.Logger.Info("decisions are published again", "topic", a.cfg.Topic, "last", a.last)
	}
	if a.failed = err != nil; a.failed {
		a.failures.Inc()
	}
}

func (a *Announcer) publish(ctx context.Context) error {
	if !a.ready {
		if err := a.prepare(ctx); err != nil {
			return err
		}
		a.ready = true
	}
	entries, err := a.log.Entries(ctx, a.last)
	if err != nil {
		return fmt.Errorf("read the decision log: %w", err)
	}
	for _, e := range entries {
		if err := a.send(ctx, e); err != nil {
			a.ready = false // what is in the topic now must be looked up
			return err
		}
		a.last = e.Seq
		a.published.Inc()
	}
	return nil
}

// line is a record: the entry without its evidence, which stays in ClickHouse, and the
// hash that covers it.
type line struct {
	guardrails.Entry
	Hash string `json:"hash"`
}

func (a *Announcer) send(ctx context.Context, e guardrails.Entry) error {
	e.Evidence = nil
	value, err := json.Marshal(line{e, e.Hash})
	if err != nil {
		return fmt.Errorf("encode decision %d: %w", e.Seq, err)
	}
	record := &kgo.Record{Topic: a.cfg.Topic, Key: []byte(e.Experiment), Value: value}
	if err := a.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("publish decision %d: %w", e.Seq, err)
	}
	return nil
}
