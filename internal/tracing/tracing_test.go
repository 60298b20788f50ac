package tracing_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/assay-dev/assay/internal/tracing"
)

// sent runs a collector around what is traced and returns the spans that it got.
func sent(t *testing.T, share float64, do func(*tracing.Tracer)) (spans []*traces.Span) {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var got collector.ExportTraceServiceRequest
		b, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(b, &got)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, of := range got.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				spans = append(spans, scope.Spans...)
			}
		}
	}))
	defer server.Close()
	tracer, err := tracing.New(t.Context(), tracing.Config{Endpoint: server.URL + "/v1/traces", Share: share, Code: "test"})
	if err != nil {
		t.Fatal(err)
	}
	do(tracer)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return spans
}

func TestTrace(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	spans := sent(t, 1, func(tr *tracing.Tracer) {
		tr.Trace(tracing.Span{Name: "batch", Began: began, Ended: at(300), Numbers: map[string]int64{"shard": 3}},
			[]tracing.Span{{Name: "decode", Began: at(10), Ended: at(20)}, {Name: "append", Began: at(200), Ended: at(300)}})
	})
	byName := map[string]*traces.Span{}
	for _, s := range spans {
		byName[s.Name] = s
	}
	root := byName["batch"]
	if len(spans) != 3 || root == nil || len(root.ParentSpanId) != 0 || root.Attributes[0].Key != "assay.shard" || root.Attributes[0].Value.GetIntValue() != 3 {
		t.Fatalf("%d spans, the whole is %v", len(spans), root)
	}
	for name, want := range map[string][2]int{"decode": {10, 20}, "append": {200, 300}} {
		s := byName[name]
		if s == nil || string(s.ParentSpanId) != string(root.SpanId) || s.StartTimeUnixNano != uint64(at(want[0]).UnixNano()) || s.EndTimeUnixNano != uint64(at(want[1]).UnixNano()) {
			t.Errorf("%s is %v", name, s)
		}
	}
}

// TestShare: of a thousand traces a small share is sent, each of them whole.
func TestShare(t *testing.T) {
	now := time.Now()
	spans := sent(t, 0.05, func(tr *tracing.Tracer) {
		for range 1000 {
			tr.Trace(tracing.Span{Name: "batch", Began: now, Ended: now}, []tracing.Span{{Name: "decode", Began: now, Ended: now}})
		}
	})
	// Fewer than 10 or more than 130 of 1,000 at 5 % is a chance below 1e-12.
	if n := len(spans) / 2; len(spans)%2 != 0 || n < 10 || n > 130 {
		t.Errorf("%d spans of 1,000 traces", len(spans))
	}
}
