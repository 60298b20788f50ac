package app

import (
	"context"
	"time"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/tracing"
)

// lastTraces is how long a process that ends waits for its collector.
const lastTraces = 2 * time.Second

// traced sends the way of batches to the collector; nil where none is configured.
func (s *Stack) traced(ctx context.Context) (func(kafka.Way), error) {
	c := s.Config.Tracing
	if c.Endpoint == "" {
		return nil, nil
	}
	t, err := tracing.New(ctx, tracing.Config{Endpoint: c.Endpoint, Share: c.Share, Code: s.Code})
	if err != nil {
		return nil, err
	}
	s.onClose(func() error {
		closing, cancel := context.WithTimeout(context.Background(), lastTraces)
		defer cancel()
		if err := t.Close(closing); err != nil {
			s.Log.Warn("traces not sent", "error", err) // no reason to end with a fault
		}
		return nil
	})
	return func(w kafka.Way) { t.Trace(spansOf(w)) }, nil
}

// spansOf is the way of a batch as spans. A stage that was passed several times, like
// reading, is one span from its first stretch to its last.
func spansOf(w kafka.Way) (whole tracing.Span, parts []tracing.Span) {
	whole = tracing.Span{Name: "batch", Numbers: map[string]int64{
		"shard": int64(w.Shard), "part": int64(w.Seq), "records": int64(w.Records), "rows": int64(w.Rows)}}
	for _, st := range w.Stages {
		parts = append(parts, tracing.Span{Name: string(st.Stage), Began: st.Began, Ended: st.Ended,
			Numbers: map[string]int64{"records": int64(st.Records), "busy_us": st.Busy.Microseconds()}})
		if whole.Began.IsZero() || st.Began.Before(whole.Began) {
			whole.Began = st.Began
		}
		if st.Ended.After(whole.Ended) {
			whole.Ended = st.Ended
		}
	}
	return whole, parts
}
