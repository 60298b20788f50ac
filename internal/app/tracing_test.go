package app

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/config"
)

// TestTraced: without an endpoint nobody is told; with one, the collector is, by the
// time that the process has ended.
func TestTraced(t *testing.T) {
	var got atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got.Add(n)
	}))
	defer server.Close()
	s := &Stack{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}
	if tell, err := s.traced(t.Context()); tell != nil || err != nil {
		t.Fatalf("by default: %t, %v", tell != nil, err)
	}
	s.Config.Tracing = config.Tracing{Endpoint: server.URL + "/v1/traces", Share: 1}
	tell, err := s.traced(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	way := kafka.Way{Shard: 2, Seq: 7, Records: 3, Stages: []kafka.Stretch{
		{Stage: kafka.Decode, Began: at(10), Ended: at(50), Busy: 5 * time.Millisecond}, {Stage: kafka.Append, Began: at(60), Ended: at(90)}}}
	tell(way)
	if err := s.Close(); err != nil || got.Load() == 0 {
		t.Errorf("the collector got %d bytes, %v", got.Load(), err)
	}
	whole, parts := spansOf(way)
	if !whole.Began.Equal(at(10)) || !whole.Ended.Equal(at(90)) || whole.Numbers["part"] != 7 || len(parts) != 2 || parts[0].Numbers["busy_us"] != 5000 {
		t.Errorf("%+v, %+v", whole, parts)
	}
}
