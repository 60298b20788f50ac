package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/simulate"
)

// Demo is a product with four experiments and the flag service that it asks. It
// stands outside of what is shown: it knows neither guardrails nor results.
type Demo struct {
	flags    *simulate.FlagService
	listener net.Listener
	secret   string
}

// demoSecret is where the demo's webhook secret is handed over.
const demoSecret = "ASSAY_DEMO_WEBHOOK_SECRET"

// demoMarker stands in a folder that a demo made, so that the next one may empty it.
const demoMarker = ".assay-demo"

// NewDemo opens the flag service and makes cfg one of the demo: a fresh data
// folder below the configured one, the kill switch, the allow-list.
func NewDemo(ctx context.Context, cfg *config.Config) (*Demo, error) {
	cfg.Data = filepath.Join(cfg.Data, "demo")
	cfg.Reports = filepath.Join(cfg.Data, "reports")
	if err := freshFolder(cfg.Data); err != nil {
		return nil, err
	}
	d, err := openDemo(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.Setenv(demoSecret, d.secret); err != nil {
		return nil, errors.Join(fmt.Errorf("hand over the demo's secret: %w", err), d.listener.Close())
	}
	cfg.Switches = map[string]config.Switch{simulate.DemoSwitch: {Webhook: &config.Webhook{
		URL: d.url() + "/flags/{experiment}/off", Secret: config.Secret{Env: demoSecret},
		ReadBack: config.ReadBack{URL: d.url() + "/flags/{experiment}", Path: "enabled", Off: "false"},
	}}}
	cfg.Privacy.Attributes = []string{simulate.DemoAttribute}
	cfg.Kafka.Port, cfg.ClickHouse.Port, cfg.Listen = 0, 0, "127.0.0.1:0" // beside whatever else runs here
	return d, nil
}

// openDemo opens the flag service on a free port.
func openDemo(ctx context.Context) (*Demo, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the demo's flag service: %w", err)
	}
	d := &Demo{listener: l, secret: rand.Text()}
	d.flags = simulate.NewFlagService(simulate.DemoFlags(simulate.DemoStories()), d.secret, time.Now)
	return d, nil
}

func (d *Demo) url() string { return "http://" + d.listener.Addr().String() }

// freshFolder empties a folder that an earlier demo made.
func freshFolder(dir string) error {
	marker := filepath.Join(dir, demoMarker)
	if _, err := os.Stat(marker); err == nil {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove the last demo: %w", err)
		}
	} else if _, err := os.Stat(dir); err == nil {
		return WithHint(fmt.Errorf("%s exists and no demo made it", dir), "name another folder with --data DIR")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return fmt.Errorf("mark the demo's folder: %w", err)
	}
	return nil
}

// DemoSet reads the demo's experiment and metric files.
func DemoSet() (*experiment.Set, error) {
	demo, err := simulate.DemoFiles()
	if err != nil {
		return nil, fmt.Errorf("read the demo's files: %w", err)
	}
	var files []experiment.File
	err = fs.WalkDir(demo, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(demo, name)
		files = append(files, experiment.File{Name: "demo/" + name, Data: b})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the demo's files: %w", err)
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return set, nil
}

// Serve answers the product's questions for assignments, and off calls.
func (d *Demo) Serve(ctx context.Context) error { return d.flags.Serve(ctx, d.listener) }

// Traffic sends the product's events to the brokers until the context ends.
func (d *Demo) Traffic(ctx context.Context, brokers []string, topics config.Kafka) (Tally, error) {
	cfg := kafka.DefaultProducerConfig()
	cfg.Brokers = brokers
	if len(topics.Topics) > 0 {
		cfg.Exposures = topics.Topics[0].Name
		cfg.Outcomes = topics.Topics[len(topics.Topics)-1].Name
	}
	var err error
	if cfg.Client, err = KafkaClient(topics); err != nil {
		return Tally{}, err
	}
	p, err := kafka.NewProducer(cfg)
	if err != nil {
		return Tally{}, err
	}
	defer p.Close()
	flags := simulate.NewFlagClient(d.url(), nil)
	defer flags.CloseIdle()
	now := time.Now()
	t := simulate.Traffic{
		Stories: simulate.DemoStories(), Seed: uint64(now.UnixNano()), Flags: flags, Sink: sink{p},
		Prefix: strconv.FormatInt(now.UnixMilli(), 36) + "-", // other users than the last run's
	}
	tally, err := t.Run(ctx)
	if err != nil {
		return tally, fmt.Errorf("simulate traffic: %w", err)
	}
	return tally, p.Flush(context.WithoutCancel(ctx))
}

// Tally counts what the traffic did.
type Tally = simulate.Tally

// Simulate sends the demo's traffic to a broker that runs already.
func Simulate(ctx context.Context, cfg config.Config) (Tally, error) {
	brokers := cfg.Kafka.Brokers
	if len(brokers) == 0 {
		running, ok := runningEndpoints(ctx, cfg.Data)
		if !ok || len(running.Kafka) == 0 {
			return Tally{}, WithHint(errors.New("no broker is named and none runs on "+cfg.Data), "start `assay run`, or name one with --kafka HOST:PORT")
		}
		brokers = running.Kafka
	}
	d, err := openDemo(ctx)
	if err != nil {
		return Tally{}, err
	}
	var tally Tally
	err = Together(ctx, d.Serve, func(ctx context.Context) (err error) {
		tally, err = d.Traffic(ctx, brokers, cfg.Kafka)
		return err
	})
	return tally, err
}

// sink hands the traffic's records to Kafka.
type sink struct{ producer *kafka.Producer }

// Emit implements simulate.Emitter.
func (s sink) Emit(ctx context.Context, topic simulate.Topic, key, value []byte) error {
	kind := ingest.Outcome
	if topic == simulate.Exposures {
		kind = ingest.Exposure
	}
	return s.producer.Produce(ctx, kind, string(key), value)
}
