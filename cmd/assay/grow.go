package main

import (
	"fmt"

	"github.com/assay-dev/assay/internal/app"
)

type growCmd struct {
	AsUser
	From string `help:"Database that is grown from, on the same server as that of this configuration." required:"" placeholder:"DATABASE"`
	Last bool   `help:"The old consumers and guards have stopped: the last pass, after which the old database takes nothing any more."`
}

// Run makes one pass.
func (c growCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	c.over(&cfg)
	return env.with(cfg, app.Options{Kafka: true, Migrate: true}, func(s *app.Stack) error {
		tell := func(step string) { _, _ = fmt.Fprintln(env.err, step) }
		done, err := s.Grow(env.ctx, app.GrowOptions{From: c.From, Last: c.Last, Tell: tell})
		if err != nil {
			return err
		}
		return env.print(done, func() error {
			for _, line := range grownText(c.From, cfg.ClickHouse.Database, done) {
				env.println("%s", line)
			}
			return nil
		})
	})
}

// grownText is what a pass did, for people.
func grownText(from, to string, g app.Grown) []string {
	out := []string{fmt.Sprintf("%d events copied to the new shards; %d decisions carried, their chain is whole; version %d", g.Copied, g.Decisions, g.Version)}
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if g.Astray > 0 {
		say("%d events lay in a wrong partition for their unit and were in no number: they stay in %s", g.Astray, from)
	}
	if g.Lacking > 0 {
		say("%d records that %s knew to be lost are named beside the new results as well", g.Lacking, from)
	}
	for _, name := range g.Left {
		say("%s began before the floor: its sums are in %s alone", name, from)
	}
	say("difference 0: %d cells of %s, at part %v of its shards, and of %s", g.Cells, from, g.Vector, to)
	if g.Closed {
		say("%s takes nothing any more; start assay ingest and assay guard with this configuration", from)
	} else {
		say("what came since is copied by the next pass; stop the old assay guard and assay ingest, then do the last one with --last")
	}
	return out
}
