package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// mostParts is how many parts a shard of the ledger may have at any time.
const mostParts = 300

// benchKills measures kills, and then the rounds of a guard of many experiments,
// each on servers of its own.
func benchKills(ctx context.Context, dir string, o options, r *report) error {
	if o.trials > 0 {
		if err := benchTrials(ctx, filepath.Join(dir, "kill"), o, r); err != nil {
			return fmt.Errorf("kills: %w", err)
		}
	}
	if o.loop > 0 {
		if err := benchLoop(ctx, filepath.Join(dir, "loop"), o, r); err != nil {
			return fmt.Errorf("the loop: %w", err)
		}
	}
	return nil
}

func benchTrials(ctx context.Context, dir string, o options, r *report) error {
	set, err := files(trialFiles(o.ended + o.trials)...)
	if err != nil {
		return err
	}
	b, err := start(ctx, dir, o, set)
	if err != nil {
		return err
	}
	r.say("%d harmed experiments above %d events/s of others from %s, %d shards", o.trials, o.rate, b.broker.name, o.partitions)
	if o.ended > 0 {
		r.say("%d others were killed before", o.ended)
	}
	stop, err := startProfile(o.profile)
	if err != nil {
		return errors.Join(err, b.close())
	}
	k, err := b.kill(ctx, dir, o)
	if err = errors.Join(err, stop(), b.close()); err != nil {
		return err
	}
	r.kills(k)
	if k.parts.ledgerMost >= mostParts {
		return fmt.Errorf("a shard of the ledger had %d parts, it must stay below %d", k.parts.ledgerMost, mostParts)
	}
	return nil
}

func benchLoop(ctx context.Context, dir string, o options, r *report) error {
	set, err := loopFiles(o.loop)
	if err != nil {
		return err
	}
	b, err := start(ctx, dir, o, set)
	if err != nil {
		return err
	}
	l, err := b.loop(ctx, dir, o)
	if err = errors.Join(err, b.close()); err != nil {
		return err
	}
	r.loop(l, o)
	return nil
}

// delays of the trials, one after the other, from the event that shows the harm.
type delays struct {
	committed, looked, decided, sending, sent, called []time.Duration

	begins []time.Duration // of the trials, after the start of the run
}

// measured takes the trials apart. Those that the guard ended before the oracle,
// because shards are read in another order than they are written, have no delay.
func (k *killing) measured() (d delays, early int) {
	for _, t := range k.trials {
		if t.shown.IsZero() || !t.acked {
			early++
			continue
		}
		commit := k.commits.of(t.place, t.offset)
		d.committed = append(d.committed, commit.Sub(t.shown))
		d.looked = append(d.looked, t.looked.Sub(commit))
		d.decided = append(d.decided, t.decided.Sub(t.looked))
		if !t.sending.IsZero() { // of several guards the observed one need not have heard of it
			d.sending = append(d.sending, t.sending.Sub(t.decided))
			d.sent = append(d.sent, k.calls.arrived(t.key).Sub(t.sending))
		}
		d.called = append(d.called, k.calls.arrived(t.key).Sub(t.shown))
		d.begins = append(d.begins, t.begins)
	}
	return d, early
}

func (r *report) kills(k *killing) {
	d, early := k.measured()
	r.say("\nFROM THE EVENT THAT SHOWS HARM TO THE OFF CALL: p50 %v, p90 %v, p99 %v, most %v (%d kills; %d more were called off before it)",
		at(d.called, 0.5), at(d.called, 0.9), at(d.called, 0.99), at(d.called, 1), len(d.called), early)
	r.histogram(d.called)
	r.table("  STEP\tMEDIAN\tP90\tMOST",
		row("produced → in the ledger", d.committed), row("in the ledger → read by the look", d.looked), row("read → decision written", d.decided),
		row("decided → \"sending\" written", d.sending), row("written → the call arrives", d.sent), row("a look's reading", k.looks))
	r.minutes(d)
	r.spent(k.costs)
	r.say("  of the median %.2f is until the ledger has the event, which nothing that reads it can beat",
		at(d.committed, 0.5).Seconds()/at(d.called, 0.5).Seconds())
	r.say("  parts of the ledger in a shard: %d at the end, at most %d", k.parts.ledger, k.parts.ledgerMost)
}

func row(name string, d []time.Duration) string {
	return fmt.Sprintf("  %s\t%v\t%v\t%v", name, at(d, 0.5), at(d, 0.9), at(d, 1))
}

// minutes shows whether kills take longer as the run goes on.
func (r *report) minutes(d delays) {
	lines := []string{"  TRIALS BEGUN IN MINUTE\tKILLS\tMEDIAN\tMOST\tOF IT: IN THE LEDGER\tREAD BY THE LOOK"}
	for from := 0; from < len(d.begins); {
		minute, to := d.begins[from]/time.Minute, from
		for to < len(d.begins) && d.begins[to]/time.Minute == minute {
			to++
		}
		lines = append(lines, fmt.Sprintf("  %d\t%d\t%v\t%v\t%v\t%v", minute+1, to-from,
			at(d.called[from:to], 0.5), at(d.called[from:to], 1), at(d.committed[from:to], 0.5), at(d.looked[from:to], 0.5)))
		from = to
	}
	if len(lines) > 2 {
		r.table(lines...)
	}
}

// spent shows what the processes took in each minute.
func (r *report) spent(costs []cost) {
	if len(costs) < 2 {
		return
	}
	lines := []string{"  PROCESSOR TIME IN MINUTE\tCONSUMER, GUARD AND LOAD\tCLICKHOUSE\tBROKER"}
	for i := range costs[1:] {
		c := costs[i+1].minus(costs[i])
		lines = append(lines, fmt.Sprintf("  %d\t%v\t%v\t%v", i+1, c.consumer.Round(time.Second/10), c.engine, c.broker))
	}
	r.table(lines...)
}

// histogram draws how many delays fall into each quarter of a second, or of longer
// steps where there would be too many.
func (r *report) histogram(d []time.Duration) {
	const most = 16
	step := 250 * time.Millisecond
	for at(d, 1) > most*step {
		step *= 2
	}
	var counts [most + 1]int
	for _, v := range d {
		counts[max(0, int(v/step))]++
	}
	for i := range int(at(d, 1)/step) + 1 {
		r.say("  %6.2f s  %3d  %s", (time.Duration(i) * step).Seconds(), counts[i], strings.Repeat("▇", counts[i]))
	}
}

func (r *report) loop(l *looping, o options) {
	r.say("\nA ROUND OF THE GUARD over %d experiments of 10 guardrails, parts of the ledger in a shard %d", o.loop, l.parts.ledger)
	lines := []string{"  ROUNDS\tREAD\tCOMPUTE\tJUDGE\tTOGETHER\tMOST"}
	lines = append(lines, rounds(fmt.Sprintf("under %d events/s", o.rate), l.all[:l.loads]), rounds("after it, no merges", l.all[l.loads:]))
	r.table(lines...)
	if l.costs > 0 {
		n := time.Duration(l.costs)
		r.say("  processor time of a round after it, the second of waiting included: guard %v, ClickHouse %v",
			(l.cost.consumer / n).Round(time.Millisecond), (l.cost.engine / n).Round(time.Millisecond))
	}
}

func rounds(name string, all []round) string {
	var read, compute, judge, total []time.Duration
	for _, x := range all {
		read, compute, judge, total = append(read, x.read), append(compute, x.compute), append(judge, x.judge), append(total, x.total())
	}
	return fmt.Sprintf("  %s (%d)\t%v\t%v\t%v\t%v\t%v", name, len(all), at(read, 0.5), at(compute, 0.5), at(judge, 0.5), at(total, 0.5), at(total, 1))
}
