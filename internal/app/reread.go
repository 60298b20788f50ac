package app

import (
	"context"

	"github.com/assay-dev/assay/ingest/kafka"
)

// Reread reads a range of offsets again and writes its event rows and dead letters
// again. Nothing is counted.
func (s *Stack) Reread(ctx context.Context, r kafka.Rereading) (kafka.Reread, error) {
	c, err := s.Consumer(ctx, IngestOptions{Alone: true})
	if err != nil {
		return kafka.Reread{}, err
	}
	return c.Reread(ctx, store{s.DB}, r)
}

// DecodedRanges implements kafka.Counted.
func (s store) DecodedRanges(ctx context.Context, shard uint16, topic string, from, next int64) ([]kafka.Range, error) {
	all, err := s.Decoded(ctx, shard, topic, from, next)
	out := make([]kafka.Range, len(all))
	for i, r := range all {
		out[i] = kafka.Range{Topic: topic, From: r.From, Next: r.Next, Decode: r.Decode, Config: r.Config}
	}
	return out, err
}
