package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/assay-dev/assay/ingest/kafka"
)

// report prints each part when it is done. The first error stays.
type report struct {
	w   io.Writer
	err error
}

func (r *report) say(format string, args ...any) {
	_, err := fmt.Fprintf(r.w, format+"\n", args...)
	r.err = cmp.Or(r.err, err)
}

// table prints lines whose columns are separated by tabs.
func (r *report) table(lines ...string) {
	t := tabwriter.NewWriter(r.w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		_, err := fmt.Fprintln(t, line)
		r.err = cmp.Or(r.err, err)
	}
	r.err = cmp.Or(r.err, t.Flush())
}

// middle is the run with the median rate.
func middle(runs []run) *run {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b run) int { return cmp.Compare(a.rate(), b.rate()) })
	return &sorted[len(sorted)/2]
}

// whole prints the runs of the whole path, and what the median one cost.
func (r *report) whole(runs []run) {
	m := middle(runs)
	least, most := m.rate(), m.rate()
	for i := range runs {
		least, most = min(least, runs[i].rate()), max(most, runs[i].rate())
	}
	r.say("\nTHE WHOLE PATH, all sums exact: %.0f events/s on the wall, median of %d (%.0f to %.0f)", m.rate(), len(runs), least, most)
	r.costs(m)
}

func (r *report) long(long run) {
	r.say("\nTHE LONG RUN, all sums exact: %d events in %.0f s, %.0f events/s on the wall", long.events, long.took.Seconds(), long.rate())
	r.costs(&long)
}

// costs are what a run cost, and what it left behind.
func (r *report) costs(m *run) {
	total := each(m.cost.total(), m.events)
	r.say("  processor time of an event: %.2f µs = consumer %.2f + ClickHouse %.2f + broker %.2f",
		total, each(m.cost.consumer, m.events), each(m.cost.engine, m.events), each(m.cost.broker, m.events))
	r.say("  so %d cores would take %.0f events/s if nothing else ran on them; it had %.2f of them",
		runtime.NumCPU(), float64(runtime.NumCPU())*1e6/total, m.cost.total().Seconds()/m.took.Seconds())
	r.say("  parts of events %d (at most %d), of the ledger in a shard %d (at most %d); %.1f bytes an event on disk",
		m.parts.events, m.parts.eventsMost, m.parts.ledger, m.parts.ledgerMost, m.parts.bytes/max(1, m.parts.rows))
	if m.verified > 0 {
		r.say("  verified in SQL: %.1f s, %.1f s of processor time in ClickHouse; difference 0", m.verified.Seconds(), m.verifiedCPU.Seconds())
	}
	var sum time.Duration
	for _, d := range m.stages {
		sum += d
	}
	lines := []string{"  STAGE\tTIME, ALL SHARDS\tSHARE"}
	for _, s := range []kafka.Stage{kafka.Consume, kafka.Decode, kafka.Join, kafka.Recall, kafka.Encode, kafka.Insert, kafka.Append} {
		lines = append(lines, fmt.Sprintf("  %s\t%.2f s\t%.0f %%", s, m.stages[s].Seconds(), 100*m.stages[s].Seconds()/sum.Seconds()))
	}
	r.table(lines...)
}

// parts prints each part alone, and what the whole path reaches of it.
func (r *report) parts(parts []part, runs []run) {
	m := middle(runs)
	perCore := 1e6 / each(m.cost.total(), m.events)
	r.say("")
	lines := []string{"PART ALONE\tEVENTS/S\tCONSUMER µs\tCLICKHOUSE µs\tBROKER µs\tEVENTS/S OF A CORE\tWHOLE PATH OF A CORE / PART"}
	for _, p := range parts {
		own := 1e6 / each(p.cost.total(), p.events)
		lines = append(lines, fmt.Sprintf("%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.0f\t%.2f", p.name, float64(p.events)/p.took.Seconds(),
			each(p.cost.consumer, p.events), each(p.cost.engine, p.events), each(p.cost.broker, p.events), own, perCore/own))
	}
	r.table(lines...)
	for _, p := range parts {
		if p.cost.broker > 0 && p.cost.engine < p.cost.consumer {
			r.say("%s: %.0f events/s of one core of the consumer's process", p.name, 1e6/each(p.cost.consumer, p.events))
		}
	}
}

func (r *report) curve(points []point) {
	r.say("")
	lines := []string{"UNITS\tJOIN OF AN EVENT, ANY UNIT\tRATIO\tBYTES OF STATE A UNIT"}
	for i, p := range points {
		ratio := "-"
		if i > 0 {
			ratio = fmt.Sprintf("%.2f of %d", float64(p.cost)/float64(points[i-1].cost), points[i-1].units)
		}
		lines = append(lines, fmt.Sprintf("%d\t%d ns\t%s\t%d", p.units, p.cost.Nanoseconds(), ratio, p.memory))
	}
	r.table(lines...)
}

func (r *report) live(rate int, delays []time.Duration) {
	if len(delays) == 0 {
		r.err = cmp.Or(r.err, errors.New("nothing of the live stream was seen"))
		return
	}
	r.say("\nFROM ACKNOWLEDGED TO VISIBLE at %d events/s: median %v, p99 %v, most %v (%d samples, looked at every %v)",
		rate, at(delays, 0.5), at(delays, 0.99), at(delays, 1), len(delays), lookTick)
}

// at is a quantile, which some of the delays are at most.
func at(delays []time.Duration, share float64) time.Duration {
	return quantile(delays, share).Round(time.Millisecond)
}

func quantile(delays []time.Duration, share float64) time.Duration {
	if len(delays) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(delays))
	return sorted[int(share*float64(len(sorted)-1))]
}
