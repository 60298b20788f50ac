package notify

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// harmful is a message with everything that one can have.
func harmful() Message {
	return Message{
		Key: "kill/checkout/1", Matter: "kill", Page: true,
		Subject: Subject{Experiment: "checkout", Iteration: 1, Guardrail: "errors", Arm: "treatment"},
		Since:   noon, At: noon.Add(2 * time.Second),
		Title: "checkout: harm, turning it off", Text: "errors in treatment: worse than control by 15 %",
		Facts: []Fact{{"harm", "0.15, at least 0.12"}, {"watermark", "0:17 1:16"}},
		Links: []Link{{"runbook", "https://runbooks.example/guardrails.md#harm"}},
	}
}

func about(key string) Message { return Message{Key: key, Title: key, At: time.Now()} }

// script is a channel that does in turn what it is told, then succeeds.
type script struct {
	mu    sync.Mutex
	steps []func(context.Context) error
	sent  []Message
	tried []string    // key of every attempt
	at    []time.Time // and when it was
}

func (s *script) Send(ctx context.Context, m Message) error {
	s.mu.Lock()
	s.tried, s.at = append(s.tried, m.Key), append(s.at, time.Now())
	var step func(context.Context) error
	if len(s.steps) > 0 {
		step, s.steps = s.steps[0], s.steps[1:]
	}
	s.mu.Unlock()
	if step != nil {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m)
	return nil
}

func (s *script) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, m := range s.sent {
		keys = append(keys, m.Key)
	}
	return keys
}

// hang waits for the context.
func hang(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func failing(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// counts are the outcomes of one channel, those that happened.
func counts(t *testing.T, r *prometheus.Registry, channel string) map[string]int {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if n := int(m.GetCounter().GetValue()); labels["channel"] == channel && n > 0 {
				out[labels["outcome"]] = n
			}
		}
	}
	return out
}
