package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// TopicSample is a topic as the cluster describes it, with some of its records.
type TopicSample struct {
	Name       string
	Exists     bool
	Partitions int32
	Settings   map[string]string
	Records    []SampledRecord
}

// SampledRecord is a record with its key.
type SampledRecord struct {
	ingest.Record
	Key []byte
}

// sampleWait bounds the time for one topic's sample: a partition may end with
// records that no reader ever gets, such as a transaction's markers.
const sampleWait = 5 * time.Second

// Sample describes topics and reads the last records of each, about n of them
// spread over the partitions. It joins no group and commits nothing.
func Sample(ctx context.Context, cfg Config, topics []string, n int) ([]TopicSample, error) {
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	details, err := admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", err)
	}
	out := make([]TopicSample, 0, len(topics))
	for _, name := range topics {
		s := TopicSample{Name: name}
		if d := details[name]; d.Err == nil && len(d.Partitions) > 0 {
			s.Exists, s.Partitions = true, int32(len(d.Partitions))
			if err := s.fill(ctx, cfg, admin, n); err != nil {
				return nil, fmt.Errorf("sample topic %s: %w", name, err)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func (s *TopicSample) fill(ctx context.Context, cfg Config, admin *kadm.Client, n int) error {
	// A broker may refuse to show its settings; a sample without them is worth having.
	s.Settings = map[string]string{}
	if configs, err := admin.DescribeTopicConfigs(ctx, s.Name); err == nil {
		for _, c := range configs {
			for _, entry := range c.Configs {
				s.Settings[entry.Key] = entry.MaybeValue()
			}
		}
	}
	starts, err := listed(admin.ListStartOffsets(ctx, s.Name))
	if err != nil {
		return fmt.Errorf("list first offsets: %w", err)
	}
	ends, err := listed(admin.ListEndOffsets(ctx, s.Name))
	if err != nil {
		return fmt.Errorf("list end offsets: %w", err)
	}
	each := int64(n)/int64(s.Partitions) + 1
	from := map[int32]kgo.Offset{}
	to := map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(s.Name, end.Partition)
		if begin := max(start.Offset, end.Offset-each); begin < end.Offset {
			from[end.Partition], to[end.Partition] = kgo.NewOffset().At(begin), end.Offset
		}
	})
	return s.read(ctx, cfg, from, to)
}

// read fetches until every partition's end was seen or the time is over.
func (s *TopicSample) read(ctx context.Context, cfg Config, from map[int32]kgo.Offset, to map[int32]int64) error {
	if len(from) == 0 {
		return nil
	}
	client, err := cfg.client(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.Name: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, sampleWait)
	defer cancel()
	for len(to) > 0 && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("read records: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() && r.Offset < to[r.Partition] {
				s.Records = append(s.Records, sampled(r))
			}
			if r.Offset+1 >= to[r.Partition] {
				delete(to, r.Partition)
			}
		})
	}
	return nil
}

func sampled(r *kgo.Record) SampledRecord {
	out := SampledRecord{Key: r.Key, Record: ingest.Record{
		Place: ingest.Place{Offset: r.Offset}, Partition: r.Partition, KafkaT: r.Timestamp.UnixMilli(), Value: r.Value}}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, ingest.Header{Key: h.Key, Value: h.Value})
	}
	return out
}
