// Package tracing tells an OpenTelemetry collector of the way of a batch: one trace a
// part of the ledger, with a span for each stage. It speaks OTLP over HTTP, keeps what it
// cannot send in a bounded queue, and drops what does not fit: nothing that counts waits
// for it.
package tracing

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says where traces go.
type Config struct {
	Endpoint string  // of the collector, such as http://127.0.0.1:4318/v1/traces
	Share    float64 // of the batches that are traced, above 0 and at most 1
	Code     string  // version of the program
}

// Span is a stretch of time with what is to be said of it. Its numbers are by name.
type Span struct {
	Name         string
	Began, Ended time.Time
	Numbers      map[string]int64
}

// Tracer sends traces. Its methods may be called by several goroutines at once.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// New makes a tracer. It connects when there is something to be sent.
func New(ctx context.Context, c Config) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.Endpoint))
	if err != nil {
		return nil, fmt.Errorf("set up traces: %w", err)
	}
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter),
		sdk.WithSampler(sdk.TraceIDRatioBased(c.Share)),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "assay"), attribute.String("service.version", c.Code))),
	)
	return &Tracer{provider: p, tracer: p.Tracer("github.com/assay-dev/assay")}, nil
}

// Trace sends a trace of a span and what lies in it.
func (t *Tracer) Trace(whole Span, parts []Span) {
	ctx, root := t.begin(context.Background(), whole)
	if root.IsRecording() {
		for _, p := range parts {
			_, span := t.begin(ctx, p)
			span.End(trace.WithTimestamp(p.Ended))
		}
	}
	root.End(trace.WithTimestamp(whole.Ended))
}

func (t *Tracer) begin(ctx context.Context, s Span) (context.Context, trace.Span) {
	attributes := make([]attribute.KeyValue, 0, len(s.Numbers))
	for name, n := range s.Numbers {
		attributes = append(attributes, attribute.Int64("assay."+name, n))
	}
	return t.tracer.Start(ctx, s.Name, trace.WithTimestamp(s.Began), trace.WithAttributes(attributes...))
}

// Close sends what waits, for as long as the context lets it.
func (t *Tracer) Close(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}
