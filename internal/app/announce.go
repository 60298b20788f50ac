package app

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/announce"
)

// Announce publishes the decision log on its topic. Without a topic or without
// brokers, which a guard can do without, there is nothing to do.
func (s *Stack) Announce(registry prometheus.Registerer) (Part, error) {
	topic := s.Config.Kafka.Decisions
	if topic == "" || len(s.Brokers) == 0 {
		s.Log.Info("decisions are published nowhere", "topic", topic, "brokers", len(s.Brokers))
		return func(context.Context) error { return nil }, nil
	}
	client, err := KafkaClient(s.Config.Kafka)
	if err != nil {
		return nil, err
	}
	a, err := announce.New(announce.Config{
		Topic: topic, Brokers: s.Brokers, Client: client, Logger: s.Log, Metrics: registry,
	}, journal{s.DB})
	if err != nil {
		return nil, fmt.Errorf("set up the topic of decisions: %w", err)
	}
	return a.Run, nil
}
