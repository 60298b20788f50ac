package main

import (
	"time"

	"github.com/assay-dev/assay/internal/app"
)

type retentionCmd struct {
	Author string        `help:"Who moves the floors (default: the user of this machine)." placeholder:"NAME"`
	Wait   time.Duration `help:"How long to wait until the shards have adopted the floors." default:"2m" placeholder:"2m"`

	As asAccount `embed:""`
}

// Help is the manual's part about it.
func (retentionCmd) Help() string {
	return manual("Carries out privacy.retention: moves the floor of each unit kind to so long ago, as far as iterations that have not ended let it, waits until every shard has adopted the floors, and drops the months of events that lie wholly below, or deletes from them the unit kinds that are kept for a shorter time. Results stay; iterations that began before their floor cannot be computed again. Deleting needs the right to alter. Run it once a month.",
		[]string{"assay retention", "assay retention --user assay_admin --password-env ASSAY_ADMIN_PASSWORD"})
}

// Run moves the floors and drops what lies below.
func (c retentionCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	c.As.over(&cfg)
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		done, err := s.Retain(env.ctx, author(c.Author), c.Wait, time.Now)
		if err != nil {
			return err
		}
		return env.print(done, func() error {
			env.printMoved(&done.Moved)
			for _, h := range done.Held {
				env.println("the floor of %s stays at %s, not %s: an iteration that has not ended needs the events", h.Kind, h.Limit.Format(time.DateOnly), h.Wanted.Format(time.DateOnly))
			}
			return nil
		})
	})
}
