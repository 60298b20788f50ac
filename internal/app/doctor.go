package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
)

// Doctor looks at everything that a deployment depends on and changes nothing.
// It samples about so many records of each declared topic.
func (s *Stack) Doctor(ctx context.Context, samples int, now time.Time) ([]doctor.Finding, error) {
	topics, err := s.sampledTopics(ctx, samples)
	if err != nil {
		return nil, err
	}
	out := doctor.CheckTopics(topics)
	for _, t := range topics {
		if t.Exists {
			out = append(out, doctor.CheckSamples(t)...)
		}
	}
	stored, err := s.storedFindings(ctx, topics, now)
	if err != nil {
		return nil, err
	}
	out = append(out, stored...)
	tried, err := s.trySwitches(ctx)
	if err != nil {
		return nil, err
	}
	return append(out, doctor.CheckSwitches(tried)...), nil
}

// sampledTopics reads the declared topics as their consumers would.
func (s *Stack) sampledTopics(ctx context.Context, samples int) ([]doctor.Topic, error) {
	cfg := kafka.DefaultConfig()
	cfg.Brokers = s.Brokers
	var err error
	if cfg.Topics, err = sourceTopics(s.Config.Kafka); err != nil {
		return nil, err
	}
	names := make([]string, len(cfg.Topics))
	for i, t := range cfg.Topics {
		names[i] = t.Name
	}
	sampled, err := kafka.Sample(ctx, cfg, names, samples)
	if err != nil {
		return nil, fmt.Errorf("look at the topics: %w", err)
	}
	decoder := ingest.NewDecoder(ingest.Key{}, s.Config.Privacy.Attributes)
	out := make([]doctor.Topic, len(sampled))
	for i, t := range sampled {
		out[i] = doctor.Topic{Name: t.Name, Exists: t.Exists, Partitions: t.Partitions, Settings: t.Settings,
			Partitioner: cfg.Topics[i].Partitioner.String()}
		for _, r := range t.Records {
			out[i].Samples = append(out[i].Samples, dissect(decoder, r))
		}
	}
	return out, nil
}

// dissect decodes a record and keeps what the join forgets: the unit's own id.
func dissect(d *ingest.Decoder, r kafka.SampledRecord) doctor.Sample {
	out := doctor.Sample{Partition: r.Partition, Key: string(r.Key), KafkaT: r.KafkaT}
	e, dead, ok := d.Decode(r.Record)
	if !ok {
		out.Dead, out.Detail = dead.Reason, dead.Detail
		return out
	}
	var names struct{ Unit string }
	if err := json.Unmarshal(r.Value, &names); err != nil {
		out.Dead, out.Detail = ingest.BadJSON, "the unit cannot be read"
		return out
	}
	out.Unit, out.UnitKind, out.Type, out.ID, out.T = names.Unit, e.UnitKind, e.Type, e.ID, e.T
	return out
}

// storedFindings looks at the tables.
func (s *Stack) storedFindings(ctx context.Context, topics []doctor.Topic, now time.Time) ([]doctor.Finding, error) {
	faults, err := store{s.DB}.CheckChain(ctx)
	if err != nil {
		return nil, fmt.Errorf("check chain: %w", err)
	}
	out := doctor.CheckLedger(faults)
	statuses, err := s.DB.Statuses(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' status: %w", err)
	}
	shards := make([]doctor.Shard, len(statuses))
	for i, st := range statuses {
		shards[i] = doctor.Shard{Shard: st.Shard, State: st.State, Detail: st.Detail, Freshness: st.Freshness, At: st.At}
	}
	partitions := int32(0)
	for _, t := range topics {
		if t.Partitioner != ingest.AnyPartition.String() {
			partitions = max(partitions, t.Partitions)
		}
	}
	return append(out, doctor.CheckShards(shards, partitions, now)...), nil
}

// trySwitches reads every switch that a running experiment names. Nothing is
// switched.
func (s *Stack) trySwitches(ctx context.Context) ([]doctor.Tried, error) {
	switches, err := newSwitches(s.Config.Switches)
	if err != nil {
		return nil, err
	}
	v, err := s.DB.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the configuration in force: %w", err)
	}
	var out []doctor.Tried
	for i := range v.Experiments {
		if e := &v.Experiments[i]; e.KillSwitch != "" {
			out = append(out, trySwitch(ctx, switches, e))
		}
	}
	return out, nil
}

func trySwitch(ctx context.Context, all switches, e *experiment.Experiment) doctor.Tried {
	tried := doctor.Tried{Switch: e.KillSwitch, Experiment: e.Key}
	sw := all[e.KillSwitch]
	if sw == nil {
		tried.Err = errors.New("the configuration has no switch of this name")
		return tried
	}
	state, err := sw.State(ctx, killswitch.Target{Experiment: e.Key})
	tried.On, tried.Err = state == killswitch.StateOn, err
	return tried
}
