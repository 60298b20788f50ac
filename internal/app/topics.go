package app

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/ingest/sources"
	"github.com/assay-dev/assay/internal/config"
)

// sourceTopics are the topics as they are declared.
func sourceTopics(k config.Kafka) ([]kafka.SourceTopic, error) {
	var out []kafka.SourceTopic
	for _, t := range k.Topics {
		name := t.Partitioner
		if name == "" {
			name = "murmur2"
		}
		p, ok := ingest.ParsePartitioner(name)
		if !ok {
			return nil, fmt.Errorf("kafka.topics: %s: unknown partitioner %q", t.Name, name)
		}
		source := kafka.SourceTopic{Name: t.Name, Partitioner: p, Verify: t.Verify}
		if t.Mapping != "" {
			m, err := sources.Load(t.Mapping)
			if err != nil {
				return nil, fmt.Errorf("kafka.topics: %s: %w", t.Name, err)
			}
			source.Mapping = m.Text()
		}
		out = append(out, source)
	}
	return out, nil
}

// readTopics are the topics that a consumer reads: for one whose producers do not
// key by the unit, the topic of its copies; with a number of shards, for all of them.
func readTopics(declared []kafka.SourceTopic, k config.Kafka) []kafka.SourceTopic {
	group := k.Group
	out := make([]kafka.SourceTopic, 0, len(declared))
	for _, t := range declared {
		switch {
		case k.Shards > 0:
			t = kafka.SourceTopic{Name: kafka.ShardTopic(t.Name, k.Shards), Partitioner: ingest.ByUnit,
				CopyOf: kafka.CopySource{Topic: t.Name, Group: rekeyGroup(group)}}
		case t.Partitioner == ingest.AnyPartition:
			t = kafka.SourceTopic{Name: kafka.CopyTopic(t.Name), Partitioner: ingest.Murmur2,
				CopyOf: kafka.CopySource{Topic: t.Name, Group: rekeyGroup(group)}}
		}
		out = append(out, t)
	}
	return out
}

// producersOf is the partitioner that a topic's producers must have: where it is keyed
// anew, any will do.
func producersOf(t kafka.SourceTopic, k config.Kafka) ingest.Partitioner {
	if k.Shards > 0 {
		return ingest.AnyPartition
	}
	return t.Partitioner
}

// rekeyGroup is the group of the stages beside a group of consumers.
func rekeyGroup(group string) string { return group + ".rekey" }

// mapped makes a decoder by the text of a mapping file.
func mapped(text string, key ingest.Key, attributes []string) (kafka.Expecting, error) {
	m, err := sources.LoadMapping([]byte(text))
	if err != nil {
		return nil, err
	}
	return sources.NewDecoder(m, key, attributes)
}

// stages key anew what is declared with the partitioner any, or everything, over a
// number of shards.
func (s *Stack) stages(ctx context.Context, opt IngestOptions) ([]*kafka.Rekey, error) {
	declared, err := sourceTopics(s.Config.Kafka)
	if err != nil {
		return nil, err
	}
	var beside []string // by whose partitions those of the copies go
	for _, t := range declared {
		if t.Partitioner != ingest.AnyPartition && s.Config.Kafka.Shards == 0 {
			beside = append(beside, t.Name)
		}
	}
	client, err := KafkaClient(s.Config.Kafka)
	if err != nil {
		return nil, err
	}
	var out []*kafka.Rekey
	for _, t := range declared {
		if t.Partitioner != ingest.AnyPartition && s.Config.Kafka.Shards == 0 {
			continue
		}
		cfg := kafka.DefaultRekeyConfig()
		cfg.Brokers, cfg.Client, cfg.Topic, cfg.Beside = s.Brokers, client, t.Name, beside
		cfg.Group, cfg.Partitions = rekeyGroup(s.Config.Kafka.Group), s.Config.Kafka.Partitions
		cfg.UntilEnd, cfg.AcceptGap = opt.UntilEnd, opt.AcceptGap
		cfg.Registerer, cfg.Logger = opt.Registry, s.Log
		if cfg.Convert, err = conversion(t.Mapping); err != nil {
			return nil, fmt.Errorf("kafka.topics: %s: %w", t.Name, err)
		}
		if n := s.Config.Kafka.Shards; n > 0 {
			key, err := consumerKey(ctx, s.Config, s.DB)
			if err != nil {
				return nil, err
			}
			cfg.Target, cfg.Partitions, cfg.UnitOf = kafka.ShardTopic(t.Name, n), n, ingest.NewDecoder(key, nil).UnitOf
		}
		stage, err := kafka.NewRekey(cfg)
		if err != nil {
			return nil, fmt.Errorf("set up the stage of topic %s: %w", t.Name, err)
		}
		out = append(out, stage)
	}
	return out, nil
}

// conversion is how a topic's records become native events. Nothing is hashed or
// left out here: that is up to whoever reads the copies.
func conversion(mapping string) (kafka.Convert, error) {
	if mapping == "" {
		return kafka.ConvertNative(), nil
	}
	m, err := sources.LoadMapping([]byte(mapping))
	if err != nil {
		return nil, err
	}
	d, err := sources.NewDecoder(m, ingest.Key{}, nil)
	if err != nil {
		return nil, err
	}
	return func(rec ingest.Record) ([]kafka.Keyed, *ingest.Dead) {
		events, why := d.Native(rec)
		out := make([]kafka.Keyed, 0, len(events))
		for _, e := range events {
			out = append(out, kafka.Keyed{Unit: e.Unit, Value: e.JSON})
		}
		return out, why
	}, nil
}

// Ingest is the consumer of the configured topics, with the stages that key anew.
func (s *Stack) Ingest(ctx context.Context, opt IngestOptions) (Part, error) {
	stages, err := s.stages(ctx, opt)
	if err != nil {
		return nil, err
	}
	consumer, err := s.Consumer(ctx, opt)
	if err != nil {
		return nil, err
	}
	s.checked("consumer", consumer.Ready, nil)
	return func(ctx context.Context) error {
		parts := []Part{consumer.Run}
		for _, stage := range stages {
			if err := stage.Prepare(ctx); err != nil {
				return err
			}
			if !opt.UntilEnd {
				parts = append(parts, stage.Run)
			} else if err := stage.Run(ctx); err != nil { // the copies' end is known when they are written
				return err
			}
		}
		return Together(ctx, parts...)
	}, nil
}
