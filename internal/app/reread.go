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
	return c.Reread(ctx, r)
}
