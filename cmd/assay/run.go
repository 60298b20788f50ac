package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
)

type runCmd struct {
	Demo    bool          `help:"Show it on four simulated experiments, with a flag service of their own."`
	For     time.Duration `help:"End by itself after this time." placeholder:"60s"`
	NoGuard bool          `help:"Judge nothing and stop nothing; the demo then shows the harm going on."`
}

// Run starts everything and shows what the guard sees until it is stopped.
func (c runCmd) Run(env *environment) error {
	env.quiet = slog.LevelError
	cfg, err := env.config()
	if err != nil {
		return err
	}
	ctx, cancel := env.within(c.For)
	defer cancel()
	var demo *app.Demo
	if c.Demo {
		if demo, err = app.NewDemo(ctx, &cfg); err != nil {
			return err
		}
	}
	set, err := c.files(env, cfg)
	if err != nil {
		return err
	}
	// Opening and closing outlive the time that was given: what was begun is ended in order.
	return env.with(cfg, app.Options{Kafka: true, Migrate: true, HTTP: true}, func(s *app.Stack) error {
		as, who, err := env.as(s.Config, "")
		if err != nil {
			return err
		}
		done, err := s.Apply(as, set, who.Name, time.Now)
		if err != nil {
			return usageIfProblems(err)
		}
		for _, p := range done.Waiting {
			_, _ = fmt.Fprintf(env.err, "assay: warning: %s goes on as it was: its change waits for approvals (assay approve)\n", p.Experiment)
		}
		for _, h := range done.Held {
			_, _ = fmt.Fprintf(env.err, "assay: warning: %s goes on as it was: %s\n", h.Experiment, h.Why)
		}
		return c.serve(ctx, env, s, demo, done)
	})
}

// files are the demo's, or the reader's own.
func (c runCmd) files(env *environment, cfg config.Config) (*experiment.Set, error) {
	if c.Demo {
		return app.DemoSet()
	}
	_, set, err := env.files(cfg)
	return set, err
}

// serve runs all parts until the context ends, then says where to look.
func (c runCmd) serve(ctx context.Context, env *environment, s *app.Stack, demo *app.Demo, done app.Applied) error {
	registry := newRegistry()
	ports, err := s.Web(ctx, env.webOptions(s, registry))
	if err != nil {
		return err
	}
	if err := s.Publish(ports.Addr()); err != nil {
		return err
	}
	app.LimitMemory(s.Config)
	ingesting, err := s.Ingest(ctx, app.IngestOptions{Alone: true, Registry: registry})
	if err != nil {
		return err
	}
	out := env.out
	if env.globals.JSON {
		out = env.err // the result alone goes to standard output
	}
	show := app.NewShow(out, isTerminal(out), time.Now())
	profiles, err := s.Profiles(ctx)
	if err != nil {
		return err
	}
	reload := env.reload()
	parts := []app.Part{ingesting, ports.Run, ticker(show, isTerminal(out)), profiles, func(ctx context.Context) error { return reload.Run(ctx, s) }}
	if c.NoGuard {
		parts = append(parts, func(ctx context.Context) error { return s.WatchOnly(ctx, show.Observe) })
	} else {
		opt := app.GuardOptions{Registry: registry, Observer: show.Observe}
		if demo != nil { // its clients ask for every assignment, and it has a minute where others have weeks
			opt.Settle, opt.Full = 3*time.Second, 3*time.Second
		}
		guard, err := s.Guard(opt)
		if err != nil {
			return err
		}
		reload.Guard = guard
		announce, err := s.Announce(registry)
		if err != nil {
			return err
		}
		reports, err := s.Reports(true)
		if err != nil {
			return err
		}
		backups, err := s.WatchBackups(registry)
		if err != nil {
			return err
		}
		parts = append(parts, guard.Run, announce, s.Slow, reports, backups, func(ctx context.Context) error { return s.Placebo(ctx, registry) })
	}
	if demo != nil {
		parts = append(parts, demo.Serve, func(ctx context.Context) error {
			_, err := demo.Traffic(ctx, s.Brokers, s.Config.Kafka)
			return err
		})
	}
	greet(out, s, demo != nil, done)
	wayIn(out, ports)
	_, _ = fmt.Fprintln(out)
	if err := app.Together(ctx, parts...); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	show.Tick(time.Now())
	return c.finish(env, s, show, out)
}

// finish writes the report and says where to look, or the result as JSON.
func (c runCmd) finish(env *environment, s *app.Stack, show *app.Show, out io.Writer) error {
	ctx := context.WithoutCancel(env.ctx)
	sum, err := s.Summary(ctx, show)
	if err != nil {
		return err
	}
	file, err := s.DailyReport(ctx, time.Now())
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "\n%d events, reconciliation difference %d\nreport: %s\n", sum.Events, sum.Reconciliation.Difference, file)
	again := fmt.Sprintf("%s --data %s", os.Args[0], s.Config.Data)
	_, _ = fmt.Fprintf(out, "results and decisions again: %s analyze, %s decision\n", again, again)
	_, _ = fmt.Fprintf(out, "SQL and metrics again: %s serve, which prints a query to try\n", again)
	if !env.globals.JSON {
		return nil
	}
	if err := json.NewEncoder(env.out).Encode(sum); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// ticker redraws each second on a terminal, and prints every five seconds elsewhere.
func ticker(show *app.Show, inPlace bool) app.Part {
	every := 5 * time.Second
	if inPlace {
		every = time.Second
	}
	return func(ctx context.Context) error {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case now := <-t.C:
				show.Tick(now)
			}
		}
	}
}

// greet says what runs where.
func greet(w io.Writer, s *app.Stack, demo bool, done app.Applied) {
	e := s.Endpoints()
	_, _ = fmt.Fprintf(w, "assay %s, configuration version %d\n", version, done.Number)
	for _, ch := range done.Changes {
		_, _ = fmt.Fprintf(w, "  %s\n", ch)
	}
	_, _ = fmt.Fprintf(w, "Kafka       %v   topics %v\n", e.Kafka, topicNames(s.Config.Kafka))
	_, _ = fmt.Fprintf(w, "ClickHouse  %v   user %s\n", e.ClickHouse, e.Reader.Name)
	whereToLook(w, s)
	if !demo {
		_, _ = fmt.Fprintf(w, "\nSend events with any Kafka producer, keyed by the unit, for example:\n"+
			"  echo 'u-1:{\"type\":\"exposure\",\"id\":\"e1\",\"ts\":\"%s\",\"unit\":\"u-1\",\"experiment\":\"KEY\",\"variant\":\"control\"}' | kcat -P -b %s -t %s -K: -X topic.partitioner=murmur2_random\n"+
			"(librdkafka clients such as kcat spread keys by crc32 unless told; kafka.topics in assay.yaml can say so instead)\n",
			time.Now().UTC().Format(time.RFC3339), e.Kafka[0], s.Config.Kafka.Topics[0].Name)
	}
}

// wayIn says how to act by hand in a browser. The link holds a token, so it is shown
// on a terminal and nowhere else.
func wayIn(w io.Writer, d *app.Door) {
	switch {
	case d.Link == "":
	case isTerminal(w):
		_, _ = fmt.Fprintf(w, "to act       %s\n", d.Link)
	default:
		_, _ = fmt.Fprintf(w, "to act       open the link in %s\n", d.File)
	}
}

// webOptions are those of a door with people before it.
func (e *environment) webOptions(s *app.Stack, registry *prometheus.Registry) app.WebOptions {
	// What is refused is told whatever level the rest is logged at.
	audit := slog.New(e.handler(s.Config, slog.LevelInfo))
	return app.WebOptions{Registry: registry, User: author(""), Audit: audit.With("log", "audit")}
}

// whereToLook says how to ask this process: in a browser, with SQL (docs/sql.md) and for
// metrics.
func whereToLook(w io.Writer, s *app.Stack) {
	e := s.Endpoints()
	_, _ = fmt.Fprintf(w, "pages       http://%s/\n", e.Web)
	if e.HTTP != "" {
		_, _ = fmt.Fprintf(w, "SQL to try  curl -s --user \"$(jq -r '.reader|.name+\":\"+.password' %s/endpoints.json)\" http://%s/ -d 'SELECT * FROM %s.results FORMAT PrettyCompact'\n",
			s.Config.Data, e.HTTP, s.Views())
	}
	_, _ = fmt.Fprintf(w, "metrics     http://%s/metrics   ready http://%s/readyz\n", e.Web, e.Web)
}

func topicNames(k config.Kafka) []string {
	var names []string
	for _, t := range k.Topics {
		names = append(names, t.Name)
	}
	return names
}

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

type ingestCmd struct {
	UntilEnd  bool `help:"Stop at the ends that the topics had at the start."`
	AcceptGap bool `help:"Go on where records were lost before they were read; the gap is stored and shown."`

	OwnDecoding bool `help:"Put the mappings and attributes of this configuration in force although newer ones replaced them."`
}

// Run consumes until it is stopped.
func (c ingestCmd) Run(env *environment) error {
	return env.part(app.Options{Kafka: true, Migrate: true, Await: !c.UntilEnd}, func(s *app.Stack, r *prometheus.Registry, _ *app.Reload) (app.Part, error) {
		app.LimitMemory(s.Config)
		return s.Ingest(env.ctx, app.IngestOptions{UntilEnd: c.UntilEnd, AcceptGap: c.AcceptGap, OwnDecoding: c.OwnDecoding, Registry: r})
	})
}

type guardCmd struct {
	Observe bool `help:"Write down what would be done, do nothing."`
}

// Run judges until it is stopped.
func (c guardCmd) Run(env *environment) error {
	return env.part(app.Options{Await: true}, func(s *app.Stack, r *prometheus.Registry, reload *app.Reload) (app.Part, error) {
		guard, err := s.Guard(app.GuardOptions{Registry: r, Observe: c.Observe})
		if err != nil {
			return nil, err
		}
		reload.Guard, reload.Observe = guard, c.Observe
		announce, err := s.Announce(r)
		if err != nil {
			return nil, err
		}
		reports, err := s.Reports(true)
		if err != nil {
			return nil, err
		}
		backups, err := s.WatchBackups(r)
		if err != nil {
			return nil, err
		}
		placebo := func(ctx context.Context) error { return s.Placebo(ctx, r) }
		return func(ctx context.Context) error {
			return app.Together(ctx, guard.Run, announce, s.Slow, reports, backups, placebo)
		}, nil
	})
}

type serveCmd struct{}

// Run serves the door until it is stopped.
func (serveCmd) Run(env *environment) error {
	return env.part(app.Options{HTTP: true, Later: true}, func(s *app.Stack, _ *prometheus.Registry, _ *app.Reload) (app.Part, error) {
		return s.Reports(false) // they lie on each machine that serves them
	})
}

// part runs one part with its metrics and health until it ends or is stopped.
func (e *environment) part(opt app.Options, build func(*app.Stack, *prometheus.Registry, *app.Reload) (app.Part, error)) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	err = e.with(cfg, opt, func(s *app.Stack) error {
		registry := newRegistry()
		reload := e.reload()
		part, err := build(s, registry, reload)
		if err != nil {
			return err
		}
		profiles, err := s.Profiles(e.ctx)
		if err != nil {
			return err
		}
		var door *app.Door
		if opt.HTTP { // the one part that shows people something
			door, err = s.Web(e.ctx, e.webOptions(s, registry))
		} else {
			door, err = s.Telemetry(e.ctx, registry)
		}
		if err != nil {
			return err
		}
		if err := s.Publish(door.Addr()); err != nil {
			return err
		}
		if opt.HTTP {
			whereToLook(e.out, s)
			wayIn(e.out, door)
		}
		s.Log.Info("serving", "address", door.Addr())
		ctx, cancel := context.WithCancel(e.ctx)
		defer cancel()
		reloading := func(ctx context.Context) error { return reload.Run(ctx, s) }
		return app.Together(ctx, door.Run, profiles, reloading, func(ctx context.Context) error {
			defer cancel() // a part that ends by itself ends the process
			return part(ctx)
		})
	})
	if e.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // stopped before the part began, as while it waited for a server
	}
	return err
}
