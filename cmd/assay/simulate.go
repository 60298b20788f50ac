package main

import (
	"time"

	"github.com/assay-dev/assay/internal/app"
)

type simulateCmd struct {
	For time.Duration `help:"End by itself after this time." placeholder:"60s"`
}

// Run sends the demo's traffic, with a flag service of its own, to the broker.
func (c simulateCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	ctx, cancel := env.within(c.For)
	defer cancel()
	tally, err := app.Simulate(ctx, cfg)
	if err != nil {
		return err
	}
	return env.print(tally, func() error {
		env.println("%d visitors, %d records sent", tally.Visitors, tally.Records)
		return nil
	})
}
