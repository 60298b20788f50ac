// Command bench measures how many events a second the whole path takes on this
// machine (broker, consumer and ClickHouse together, every event stored), beside
// the ceiling of each of its parts alone, in one run on the same records. The
// sums that come out are compared with the ones that must.
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
	"text/tabwriter"
	"time"

	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/simulate"
)

func main() {
	embedded.RunChildIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	units := flag.Int("units", 500_000, "units; each is exposed once and buys up to 6 times")
	partitions := flag.Int("partitions", 4, "partitions of both topics")
	runs := flag.Int("runs", 3, "runs of the whole path; the median counts")
	verify := flag.Bool("verify", false, "also measure a verification of each run: everything recounted in SQL")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the runs of the whole path to this file")
	flag.Parse()
	if err := bench(ctx, os.Stdout, *units, int32(*partitions), *runs, *verify, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

// key is the experiment of the load.
const key = "bench"

// load is the stream that is measured.
func load(units int, partitions int32) simulate.Load {
	return simulate.Load{
		Seed: 7, Units: units, Experiments: []string{key}, Variants: []string{"control", "treatment"}, MostBuys: 6,
		Start: time.Now().Add(-time.Hour).Truncate(time.Second), Every: time.Millisecond, Partitions: partitions,
	}
}

func bench(ctx context.Context, w io.Writer, units int, partitions int32, runs int, verify bool, profile string) (err error) {
	dir, err := os.MkdirTemp("", "assay-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l := load(units, partitions)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("%d events of about 200 bytes, %d units, %d partitions", l.Count(), units, partitions)

	b, err := prepare(ctx, dir, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.verify = verify

	var rows []row
	for _, part := range []struct {
		name string
		run  func(context.Context) (int, time.Duration, error)
	}{
		{"consume: read from the broker, drop", b.consume},
		{"decode: bytes to events", b.decode},
		{"join: events to deltas", b.join},
		{"insert: events into ClickHouse", b.insert},
	} {
		say("measuring %s", part.name)
		n, took, err := part.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		rows = append(rows, row{part.name, float64(n) / took.Seconds()})
	}
	stop, err := startProfile(profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	var whole []float64
	for i := range runs {
		say("measuring the whole path, run %d of %d", i+1, runs)
		rate, err := b.whole(ctx)
		if err != nil {
			return fmt.Errorf("the whole path: %w", err)
		}
		whole = append(whole, rate)
	}
	return print(w, rows, whole, b)
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

// row is one line of the result.
type row struct {
	name string
	rate float64 // events a second
}

// print writes the table: each part's ceiling, and what the whole reaches of it.
func print(w io.Writer, rows []row, whole []float64, b *bencher) error {
	rate := median(whole)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "\nPART ALONE, ONE GOROUTINE\tEVENTS/S\tWHOLE PATH / PART")
	for _, r := range rows {
		_, _ = fmt.Fprintf(t, "%s\t%.0f\t%.2f\n", r.name, r.rate, rate/r.rate)
	}
	_, _ = fmt.Fprintf(t, "the whole path, exact, median of %d\t%.0f\t(%.0f to %.0f)\n", len(whole), rate, minimum(whole), maximum(whole))
	_, _ = fmt.Fprintf(t, "CPU of an event in the last run: %.2f µs in this process (broker and consumer), %.2f µs in ClickHouse\n", b.cpuSelf, b.cpuEngine)
	if b.verified > 0 {
		_, _ = fmt.Fprintf(t, "verified in SQL after the last run: %.1f s (%.1f s of CPU in ClickHouse), difference 0\n",
			b.verified.Seconds(), b.verifiedCPU.Seconds())
	}
	var sum time.Duration
	for _, d := range b.stages {
		sum += d
	}
	_, _ = fmt.Fprintln(t, "\nSTAGE OF THE LAST RUN\tTIME\tSHARE")
	for _, name := range []string{"consume", "decode", "join", "insert", "append"} {
		_, _ = fmt.Fprintf(t, "%s\t%.2f s\t%.0f %%\n", name, b.stages[name].Seconds(), 100*b.stages[name].Seconds()/sum.Seconds())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
