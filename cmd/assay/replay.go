package main

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/ingest/sources"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/config"
)

type replayCmd struct {
	File    string `arg:"" help:"File of rows: CSV with a header line, or NDJSON." type:"existingfile"`
	Mapping string `required:"" help:"How a row becomes events: a mapping file, or the name of one that is part of assay (see docs/sources.md)." placeholder:"NAME|FILE"`
}

// Run sends the file's events to Kafka. Running it again changes nothing: ids are
// made of the file's hash and the line.
func (c replayCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	m, err := sources.Load(c.Mapping)
	if err != nil {
		return usage(err)
	}
	var report sources.Report
	err = app.WithBrokers(env.ctx, cfg, env.log(cfg), func(brokers []string) error {
		report, err = c.send(env, cfg, brokers, m)
		return err
	})
	if err != nil {
		return err
	}
	return env.print(report, func() error {
		env.println("%d rows: %d exposures, %d outcomes, %d broken", report.Rows, report.Exposures, report.Outcomes, report.Broken)
		if report.Filtered > 0 {
			env.println("%d rows are no events by the mapping", report.Filtered)
		}
		for _, e := range report.Errors {
			env.println("  %s", e)
		}
		return nil
	})
}

func (c replayCmd) send(env *environment, cfg config.Config, brokers []string, m *sources.Mapping) (sources.Report, error) {
	to := kafka.DefaultProducerConfig()
	to.Brokers = brokers
	to.Exposures, to.Outcomes = cfg.Kafka.Topics[0].Name, cfg.Kafka.Topics[len(cfg.Kafka.Topics)-1].Name
	var err error
	if to.Client, err = app.KafkaClient(cfg.Kafka); err != nil {
		return sources.Report{}, err
	}
	p, err := kafka.NewProducer(to)
	if err != nil {
		return sources.Report{}, err
	}
	defer p.Close()
	ctx, cancel := context.WithCancel(env.ctx)
	defer cancel()
	return sources.Replay(ctx, c.File, m, p, env.sending(c.File))
}

// sending shows how far a file is.
func (e *environment) sending(name string) func(sources.Progress) {
	show := e.progress()
	return func(p sources.Progress) {
		show.Step(fmt.Sprintf("%s: %d rows", name, p.Rows), float64(p.Bytes), float64(p.Size))
		if p.Bytes >= p.Size {
			show.End()
		}
	}
}
