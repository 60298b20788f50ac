package main

import (
	"fmt"

	"github.com/assay-dev/assay/internal/app"
)

type moveCmd struct {
	AsUser
	Shards []uint16 `arg:"" name:"shard" help:"Numbers of the shards: of the partitions."`
	To     string   `help:"Name of the node that they go to, as in clickhouse.nodes." required:"" placeholder:"NODE"`
}

// Run moves one shard after another.
func (c moveCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	c.over(&cfg)
	return env.with(cfg, app.Options{}, func(s *app.Stack) error {
		for _, shard := range c.Shards {
			err := s.DB.Move(env.ctx, shard, c.To, author(""), func(step string) {
				_, _ = fmt.Fprintf(env.err, "shard %d: %s\n", shard, step)
			})
			if err != nil {
				return app.WithHint(err, "results are blind until it is done: mend the cause and give the same command again, it goes on where it stopped")
			}
		}
		return env.print(map[string]any{"shards": c.Shards, "node": c.To}, func() error {
			env.println("shards %v are on node %s", c.Shards, c.To)
			return nil
		})
	})
}
