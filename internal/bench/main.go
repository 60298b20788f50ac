// Command bench measures how many events a second the whole path takes on this
// machine (broker, consumer and ClickHouse together, every event stored), what an
// event costs each of them, the ceiling of each part alone on the same records, what
// more units cost, and how soon a record is in the numbers. The sums that come out
// are compared with the ones that must: a figure of a wrong result is not printed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/realkafka"
)

func main() {
	embedded.RunChildIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := flags()
	app.LimitMemory(config.Config{Memory: config.Size(o.memory)})
	if err := bench(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

// options say what is measured. A part with 0 is left out.
type options struct {
	units      int
	partitions int32
	runs       int
	alone      bool          // the parts alone, the consumer among them
	curve      []int         // units of the curve, rising
	rate       int           // events a second of a live stream
	live       time.Duration // how long it goes on
	long       time.Duration // how long one more run of the whole path takes
	keepMerged time.Duration // files of parts that were merged; 0: the engine's default
	jars       string        // folder of Apache Kafka's jars; empty: the embedded broker
	memory     int64         // of this process; 0: no limit
	verify     bool          // also measure a verification of each run
	profile    string

	analysis int // units of exploratory analyses that are measured, and nothing else

	soak    soakOptions
	soaking bool // a soak, and nothing else

	erase     int // units among whom some are erased, and nothing else
	eraseMany int // how many units at once

	readers bool // the API and the pages are measured, and nothing else

	assign time.Duration // how long each part of assigning is measured, and nothing else

	kill    bool          // kills are measured, and nothing else
	trials  int           // experiments that are harmed
	ended   int           // experiments that were killed before
	stagger time.Duration // between them
	guards  int           // that watch
	alike   bool          // none of them leads
	loop    int           // experiments of ten guardrails whose rounds are measured then
}

func flags() options {
	o := options{alone: true, curve: []int{100_000, 1_000_000, 3_000_000, 10_000_000}, rate: 50_000, live: 20 * time.Second}
	partitions := flag.Int("partitions", 4, "partitions of both topics")
	embeddedBroker := flag.Bool("embedded", false, "the embedded broker even if there is a real one")
	short := flag.Bool("short", false, "a few seconds: whether it works, not how fast it is")
	long := flag.Bool("long", false, "also a run of five minutes; with -kill: ten minutes of trials")
	flag.IntVar(&o.units, "units", 400_000, "units; each is exposed twice and buys up to 6 times")
	flag.IntVar(&o.runs, "runs", 3, "runs of the whole path; the median counts")
	flag.Int64Var(&o.memory, "memory", 4<<30, "most that this process may take; three quarters hold the state")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to this file: of the runs of the whole path, or with -kill of the trials")
	flag.BoolVar(&o.verify, "verify", false, "also measure a verification of each run: everything recounted in SQL")
	only := flag.Bool("whole", false, "the whole path only")
	flag.BoolVar(&o.kill, "kill", false, "how soon harm is called off, and what a round of the guard takes, and nothing else")
	flag.IntVar(&o.analysis, "analysis", 0, "units: how long exploratory analyses of so many, with four outcomes each, take, and nothing else; 5,000,000 is the promise")
	flag.IntVar(&o.erase, "erase", 0, "units: what it takes until one, and a thousand, are gone from among so many, and nothing else; 5,000,000 is the promise")
	flag.BoolVar(&o.readers, "readers", false, "how long the API and the pages take while a stream is counted, and nothing else")
	assigning := flag.Bool("assign", false, "assigning units, computing other systems' assignments anew, and answers over HTTP, and nothing else")
	flag.BoolVar(&o.soaking, "soak", false, "an installation of the shipped binary for a long time, with faults, and nothing else")
	o.soak = defaultSoak()
	flag.DurationVar(&o.soak.length, "for", o.soak.length, "with -soak: how long the stream lasts; the faults are spread over it")
	flag.StringVar(&o.soak.binary, "binary", "bin/assay", "with -soak: the shipped binary")
	flag.StringVar(&o.soak.result, "result", o.soak.result, "with -soak: file for everything that was measured, as JSON")
	flag.StringVar(&o.soak.docs, "docs", "", "with -soak: folder to write soak.md and images/soak.svg to")
	flag.StringVar(&o.soak.memory, "consumer-memory", o.soak.memory, "with -soak: setting memory of each consumer")
	flag.StringVar(&o.soak.only, "faults", "", "with -soak: only the faults whose name this regular expression finds, without a page")
	flag.StringVar(&o.soak.commit, "commit", "", "with -soak: what the binary was built of; it stands in the page")
	flag.StringVar(&o.soak.note, "note", "", "with -soak: a sentence for the page, as what else ran on the machine")
	flag.DurationVar(&o.soak.p50, "kill-p50", o.soak.p50, "with -soak: bound of the median from harm to the off call")
	flag.DurationVar(&o.soak.p99, "kill-p99", o.soak.p99, "with -soak: bound of its 99th percentile")
	flag.IntVar(&o.trials, "trials", 60, "with -kill: harmed experiments, one every 1.5 s; 0: none")
	flag.IntVar(&o.ended, "ended", 0, "with -kill: experiments that are harmed at once and killed before the trials begin")
	flag.IntVar(&o.guards, "guards", 1, "with -kill: guards that watch")
	flag.BoolVar(&o.alike, "alike", false, "with -kill: each guard looks as often as it can, and none leads")
	flag.IntVar(&o.rate, "rate", o.rate, "events a second of live streams")
	flag.IntVar(&o.loop, "loop", 1000, "with -kill: experiments of a guard whose rounds are measured; 0: none; with -readers: experiments of the list")
	flag.Parse()
	if o.partitions = int32(*partitions); *short {
		readers := o.readers
		o = shortOptions(o.kill)
		if readers {
			o = shortReaders()
		}
	}
	if o.eraseMany = 1000; o.erase > 0 {
		o.units = o.erase
	}
	if *assigning {
		o.assign = 2 * time.Second
	}
	if *only {
		o.alone, o.curve, o.rate = false, nil, 0
	}
	if *long {
		o.long = 5 * time.Minute
	}
	o.stagger = 1500 * time.Millisecond
	if *long && o.kill {
		o.trials = int(10 * time.Minute / o.stagger)
	}
	if !*embeddedBroker {
		o.jars = jars()
	}
	return o
}

// jars are where the folder of the checkout has them; empty without.
func jars() string {
	root, err := os.Getwd()
	if err != nil {
		return ""
	}
	dir, err := realkafka.FindJars(root)
	if err != nil {
		return ""
	}
	return dir
}

// shortOptions are what the test runs.
func shortOptions(kill bool) options {
	if kill {
		return options{partitions: 2, kill: true, rate: 2000, live: 2 * time.Second, trials: 2, stagger: time.Second, loop: 20}
	}
	return options{units: 4000, partitions: 2, runs: 1, alone: true, curve: []int{2000, 20_000}, rate: 2000, live: time.Second, verify: true}
}

// shortReaders are what the test of the readers runs.
func shortReaders() options {
	return options{partitions: 2, readers: true, rate: 2000, live: 2 * time.Second, loop: 20}
}

func bench(ctx context.Context, w io.Writer, o options) (err error) {
	dir, err := os.MkdirTemp("", "assay-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := report{w: w}
	if o.assign > 0 {
		return errors.Join(benchAssign(ctx, dir, o, &r), r.err)
	}
	if o.soaking {
		return errors.Join(benchSoak(ctx, dir, o, &r), r.err)
	}
	if o.kill {
		return errors.Join(benchKills(ctx, dir, o, &r), r.err)
	}
	if o.analysis > 0 {
		return benchAnalysis(ctx, w, dir, o.analysis)
	}
	if o.erase > 0 {
		return errors.Join(benchErase(ctx, dir, o, &r), r.err)
	}
	if o.readers {
		return errors.Join(benchReaders(ctx, dir, o, &r), r.err)
	}
	b, err := prepare(ctx, dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r.say("%d events of about 200 bytes from %s, %d units in %d experiments of 3 metrics, %d partitions",
		b.load.Count(), b.broker.name, o.units, len(keys), o.partitions)
	if err := b.measure(ctx, o, &r); err != nil {
		return err
	}
	return r.err
}

// measure runs one part after the other, and prints each when it is done.
func (b *bencher) measure(ctx context.Context, o options, r *report) error {
	whole, err := b.runs(ctx, o)
	if err != nil {
		return fmt.Errorf("the whole path: %w", err)
	}
	r.whole(whole)
	if o.alone {
		parts, err := b.alone(ctx)
		if err != nil {
			return err
		}
		r.parts(parts, whole)
	}
	if len(o.curve) > 0 {
		points, err := b.curve(o.curve)
		if err != nil {
			return fmt.Errorf("the curve: %w", err)
		}
		r.curve(points)
	}
	if o.rate > 0 {
		delays, err := b.live(ctx, o)
		if err != nil {
			return fmt.Errorf("the live stream: %w", err)
		}
		r.live(o.rate, delays)
	}
	if o.long == 0 {
		return nil
	}
	long, err := b.long(ctx, o, middle(whole).rate())
	if err != nil {
		return fmt.Errorf("the long run: %w", err)
	}
	r.long(long)
	return nil
}

// runs are the whole path, a few times.
func (b *bencher) runs(ctx context.Context, o options) (_ []run, err error) {
	stop, err := startProfile(o.profile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	out := make([]run, o.runs)
	for i := range out {
		if out[i], err = b.whole(ctx, b.topics, b.load); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// startProfile profiles until the returned function is called; no name, no profile.
func startProfile(name string) (func() error, error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("make the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("start the profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
