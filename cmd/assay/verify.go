package main

import (
	"errors"
	"fmt"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// errDifferent says that a verification found differences. They have been printed.
var errDifferent = errors.New("differences")

type verifyCmd struct {
	Experiment string `help:"Key of one experiment (default: all)." placeholder:"KEY"`
	Slice      uint64 `help:"How many events one query recounts; it bounds the memory." default:"500000"`
}

// Run recounts everything from the stored events and compares. Exit code 0 means
// that nothing differs.
func (c verifyCmd) Run(env *environment) error {
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		if c.Experiment != "" {
			if _, err := find(v, c.Experiment); err != nil {
				return err
			}
		}
		show := env.progress()
		found, err := s.DB.Verify(env.ctx, clickhouse.VerifySpec{Experiment: c.Experiment, Slice: c.Slice, Progress: func(at clickhouse.VerifyProgress) {
			show.Step(fmt.Sprintf("shard %d, %d events: %s", at.Shard, at.Events, at.Step), at.Share(), 1)
		}})
		show.End()
		if err != nil {
			return err
		}
		type result struct {
			Differences int `json:"differences"`
			*clickhouse.Verification
		}
		err = env.print(result{found.Differences(), found}, func() error {
			for _, line := range verifyText(found) {
				env.println("%s", line)
			}
			return nil
		})
		if err == nil && found.Differences() > 0 {
			return errDifferent
		}
		return err
	})
}

// verifyText is a verification for people: what was looked at, what differs.
func verifyText(v *clickhouse.Verification) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	var events uint64
	sums := 0
	for _, s := range v.Shards {
		say("shard %d  %d events, %d sums, up to part %d of %s, under version %d",
			s.Shard, s.Events, s.Cells, s.Seq, s.WrittenAt.UTC().Format("2006-01-02 15:04:05"), s.Version)
		events, sums = events+s.Events, sums+s.Cells
	}
	for _, c := range v.Closed {
		say("%s iteration %d: not recomputable since %s", c.Experiment, c.Iteration, c.Since.Format("2006-01-02 15:04"))
	}
	out = append(out, differenceText(v)...)
	switch n := v.Differences(); {
	case n > 0:
		say("%d differences", n)
	case len(v.Closed) > 0:
		say("difference 0 in what can be recomputed: %d sums from %d events in %d shards", sums, events, len(v.Shards))
	default:
		say("difference 0: %d sums recounted from %d events in %d shards, to the last bit", sums, events, len(v.Shards))
	}
	return out
}

// differenceText names each difference.
func differenceText(v *clickhouse.Verification) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, d := range v.Chain {
		say("CHAIN           shard %d: %s", d.Shard, d.Problem)
	}
	for _, d := range v.Reconciliation {
		say("RECONCILIATION  shard %d, topic %s, offsets %d to %d: %d offsets without a fate, %d parts out of line",
			d.Shard, d.Topic, d.From, d.Next-1, d.Difference, d.Breaks)
	}
	for _, d := range v.Lacking {
		say("ROWS            shard %d, topic %s, offsets %d to %d (part %d): %d events and %d dead letters lack",
			d.Shard, d.Topic, d.From, d.Next-1, d.Seq, d.Events, d.Dead)
	}
	for _, d := range v.Clashes {
		say("PLACE           shard %d, topic %s, offset %d: stored with %d different contents", d.Shard, d.Topic, d.Offset, d.Contents)
	}
	for _, d := range v.Fates {
		say("COUNT           shard %d, topic %s: %d %s by the stored events, %d in the marks", d.Shard, d.Topic, d.Expected, d.Fate, d.Found)
	}
	for _, d := range v.Cells {
		say("SUM             shard %d, %s: expected %v; found %v", d.Shard, cellText(d.Experiment, d.Iteration, d.Phase, d.Settling, d.Variant, d.Metric,
			d.Slot.Format("2006-01-02 15:04"), d.Dimension, d.Value), d.Expected, d.Found)
	}
	for _, d := range v.Projections {
		slot := ""
		if !d.Slot.IsZero() {
			slot = d.Slot.Format("2006-01-02 15:04")
		}
		say("PROJECTION      %s of the ledger, shard %d, %s: the rows give %s; the projection gives %s", d.Projection, d.Shard,
			cellText(d.Experiment, d.Iteration, d.Phase, d.Settling, d.Variant, d.Metric, slot, d.Dimension, d.Value), d.Expected, d.Found)
	}
	return out
}

// cellText names a cell.
func cellText(experiment string, iteration uint32, phase uint16, settling bool, variant, metric, slot, dimension, value string) string {
	if experiment == "" {
		return "position of the shard"
	}
	text := fmt.Sprintf("%s iteration %d phase %d", experiment, iteration, phase)
	if settling {
		text += " settling"
	}
	text += fmt.Sprintf(", variant %q, metric %s", variant, metric)
	if slot != "" {
		text += ", slot " + slot
	}
	switch {
	case dimension != "":
		text += fmt.Sprintf(", %s=%s", dimension, value)
	case value != "":
		text += fmt.Sprintf(", %s", value)
	}
	return text
}
