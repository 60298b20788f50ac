package main

import (
	"fmt"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
)

type rereadCmd struct {
	Topic     string `required:"" help:"A declared topic." placeholder:"NAME"`
	Partition int32  `required:"" help:"Number of the partition." placeholder:"P"`
	From      int64  `required:"" help:"First offset." placeholder:"OFFSET"`
	To        int64  `required:"" help:"First offset after the range; at most how far the shard was counted." placeholder:"OFFSET"`
}

// Run writes the rows of a range again that was counted. The ledger stays as it is.
func (c rereadCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	r := kafka.Rereading{Topic: c.Topic, Partition: c.Partition, From: c.From, To: c.To}
	show := env.progress()
	r.Progress = func(at int64) {
		show.Step(fmt.Sprintf("read up to offset %d", at), float64(at-c.From), float64(c.To-c.From))
	}
	return env.with(cfg, app.Options{Kafka: true, Migrate: true}, func(s *app.Stack) error {
		done, err := s.Reread(env.ctx, r)
		show.End()
		if err != nil {
			return err
		}
		return env.print(done, func() error {
			env.println("%s, partition %d, offsets %d to %d: %d events and %d dead letters written again; nothing was counted",
				c.Topic, c.Partition, c.From, c.To-1, done.Events, done.Dead)
			return nil
		})
	})
}
