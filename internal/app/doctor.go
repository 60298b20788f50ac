package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/ingest/sources"
	"github.com/assay-dev/assay/internal/doctor"
)

// Doctor looks at everything that a deployment depends on and changes nothing.
// It samples about so many records of each declared topic, and of another one if
// it is named: for that it only says which mapping fits. With tell, the channels to
// people get a test message.
func (s *Stack) Doctor(ctx context.Context, samples int, other string, tell bool, now time.Time) (doctor.Report, error) {
	var out doctor.Report
	if other != "" {
		return out, s.propose(ctx, other, samples, &out)
	}
	topics, err := s.sampledTopics(ctx, samples, &out)
	if err != nil {
		return out, err
	}
	out.Findings = append(out.Findings, doctor.CheckTopics(topics)...)
	for _, t := range topics {
		if t.Exists {
			out.Findings = append(out.Findings, doctor.CheckSamples(t)...)
		}
	}
	stored, err := s.storedFindings(ctx, topics, now)
	if err != nil {
		return out, err
	}
	all, err := s.allSwitches()
	if err != nil {
		return out, err
	}
	v, err := s.DB.Version(ctx)
	if err != nil {
		return out, fmt.Errorf("read the configuration in force: %w", err)
	}
	tried, ramped := all.tryAll(ctx, &v, now), all.tryRamps(ctx, &v, now)
	asked, err := s.askedSignals(ctx, &v, now)
	if err != nil {
		return out, err
	}
	told, err := s.Told(ctx, tell, now)
	if err != nil {
		return out, err
	}
	watched, err := s.watched(ctx, now)
	if err != nil {
		return out, err
	}
	out.Findings = slices.Concat(out.Findings, stored, doctor.CheckSwitches(tried), doctor.CheckRamps(ramped), doctor.CheckSignals(asked), doctor.CheckWatch(watched, now), told)
	doctor.Sort(out.Findings)
	return out, nil
}

// sample reads records of topics as a consumer would.
func (s *Stack) sample(ctx context.Context, names []string, n int) ([]kafka.TopicSample, error) {
	cfg := kafka.DefaultConfig()
	cfg.Brokers = s.Brokers
	var err error
	if cfg.Client, err = KafkaClient(s.Config.Kafka); err != nil {
		return nil, err
	}
	sampled, err := kafka.Sample(ctx, cfg, names, n)
	if err != nil {
		return nil, fmt.Errorf("look at the topics: %w", err)
	}
	return sampled, nil
}

// sampledTopics are the declared topics, with proposals for those that are hardly
// readable as they are declared.
func (s *Stack) sampledTopics(ctx context.Context, samples int, report *doctor.Report) ([]doctor.Topic, error) {
	declared, err := sourceTopics(s.Config.Kafka)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(declared))
	for i, t := range declared {
		names[i] = t.Name
	}
	sampled, err := s.sample(ctx, names, samples)
	if err != nil {
		return nil, err
	}
	out := make([]doctor.Topic, len(sampled))
	for i, t := range sampled {
		out[i] = doctor.Topic{Name: t.Name, Exists: t.Exists, Partitions: t.Partitions, Settings: t.Settings,
			Partitioner: producersOf(declared[i], s.Config.Kafka).String()}
		d, err := newDissector(declared[i].Mapping, s.Config.Privacy.Attributes)
		if err != nil {
			return nil, fmt.Errorf("kafka.topics: %s: %w", t.Name, err)
		}
		dead := 0
		for _, r := range t.Records {
			for _, sample := range d.dissect(r) {
				out[i].Samples = append(out[i].Samples, sample)
				if sample.Dead != "" && sample.Dead != ingest.Filtered {
					dead++
				}
			}
		}
		if 2*dead > len(out[i].Samples) {
			proposeFor(t, report)
		}
	}
	return out, nil
}

// propose looks at a topic that need not be declared.
func (s *Stack) propose(ctx context.Context, topic string, samples int, report *doctor.Report) error {
	sampled, err := s.sample(ctx, []string{topic}, samples)
	if err != nil {
		return err
	}
	if !sampled[0].Exists {
		return WithHint(fmt.Errorf("topic %s does not exist", topic), "correct its name, or the addresses of the brokers")
	}
	proposeFor(sampled[0], report)
	return nil
}

func proposeFor(t kafka.TopicSample, report *doctor.Report) {
	records := make([]ingest.Record, len(t.Records))
	for i, r := range t.Records {
		records[i] = r.Record
	}
	var proposals []doctor.Proposal
	for _, p := range sources.Detect(records) {
		proposals = append(proposals, doctor.Proposal{Mapping: p.Mapping, Share: p.Share(),
			Exposures: p.Exposures, Outcomes: p.Outcomes, Filtered: p.Filtered, Several: p.Several > 0})
		if p.Draft != "" {
			report.Drafts = append(report.Drafts, doctor.Draft{Topic: t.Name, Text: p.Draft})
		}
	}
	report.Findings = append(report.Findings, doctor.CheckMappings(t.Name, proposals)...)
}

// dissector decodes records and keeps what the join forgets: the unit's own id.
type dissector struct {
	native *ingest.Decoder
	mapped *sources.Decoder // nil: native events
}

func newDissector(mapping string, attributes []string) (dissector, error) {
	d := dissector{native: ingest.NewDecoder(ingest.Key{}, attributes)}
	if mapping == "" {
		return d, nil
	}
	m, err := sources.LoadMapping([]byte(mapping))
	if err != nil {
		return d, err
	}
	d.mapped, err = sources.NewDecoder(m, ingest.Key{}, attributes)
	return d, err
}

// dissect gives a sample for each event of the record, and for what is wrong with it.
func (d dissector) dissect(r kafka.SampledRecord) []doctor.Sample {
	if d.mapped == nil {
		var names struct{ Unit string }
		// What cannot be read has no unit either, and the decoder says why.
		_ = json.Unmarshal(r.Value, &names)
		return []doctor.Sample{d.event(r, r.Value, names.Unit)}
	}
	events, why := d.mapped.Native(r.Record)
	out := make([]doctor.Sample, 0, len(events)+1)
	for _, e := range events {
		out = append(out, d.event(r, e.JSON, e.Unit))
	}
	if why != nil {
		out = append(out, doctor.Sample{Partition: r.Partition, Key: string(r.Key), KafkaT: r.KafkaT, Dead: why.Reason, Detail: why.Detail})
	}
	return out
}

func (d dissector) event(r kafka.SampledRecord, value []byte, unit string) doctor.Sample {
	out := doctor.Sample{Partition: r.Partition, Key: string(r.Key), KafkaT: r.KafkaT}
	rec := r.Record
	rec.Value = value
	e, dead, ok := d.native.Decode(rec)
	if !ok {
		out.Dead, out.Detail = dead.Reason, dead.Detail
		return out
	}
	out.Unit, out.UnitKind, out.Type, out.ID, out.T = unit, e.UnitKind, e.Type, e.ID, e.T
	return out
}

// storedFindings looks at the tables.
func (s *Stack) storedFindings(ctx context.Context, topics []doctor.Topic, now time.Time) ([]doctor.Finding, error) {
	out, err := s.nodeFindings(ctx)
	if err != nil || doctor.Worst(out) == doctor.Fault { // without a node nothing else can be read
		return out, err
	}
	faults, err := s.DB.CheckChain(ctx)
	if err != nil {
		return nil, fmt.Errorf("check chain: %w", err)
	}
	out = append(out, doctor.CheckLedger(faultsByShard(faults))...)
	statuses, err := s.DB.Statuses(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' status: %w", err)
	}
	shards := make([]doctor.Shard, len(statuses))
	for i, st := range statuses {
		shards[i] = doctor.Shard{Shard: st.Shard, State: st.State, Detail: st.Detail, Freshness: st.Freshness, At: st.At}
	}
	partitions := s.Config.Kafka.Shards
	for _, t := range topics {
		if t.Partitioner != ingest.AnyPartition.String() {
			partitions = max(partitions, t.Partitions)
		}
	}
	out = append(out, doctor.CheckShards(shards, partitions, now)...)
	unknown, err := s.DB.UnknownExperiments(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for experiments without a file: %w", err)
	}
	strangers := make([]doctor.Stranger, len(unknown))
	for i, u := range unknown {
		strangers[i] = doctor.Stranger{Key: u.Key, Exposures: u.Exposures, Last: u.Last}
	}
	return append(out, doctor.CheckExperiments(strangers)...), nil
}
