package notify

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// WebhookConfig is an address that gets every message, signed.
type WebhookConfig struct {
	URL     string
	Secret  outbound.Secret
	Headers map[string]outbound.Secret
}

// webhook posts as Standard Webhooks has it. The id of a message is the same at
// every attempt, and when it is told again after a restart.
type webhook struct {
	poster *poster
	key    []byte
}

// NewWebhook makes the channel.
func NewWebhook(c WebhookConfig) (Channel, error) {
	if c.Secret == "" {
		return nil, errors.New("secret is missing: the receiver must be able to tell who calls")
	}
	key, err := outbound.SigningKey(c.Secret)
	if err != nil {
		return nil, err
	}
	p, err := newPoster(c.URL, "", c.Headers, c.Secret)
	if err != nil {
		return nil, err
	}
	return &webhook{p, key}, nil
}

// webhookBody is what is posted.
type webhookBody struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	Key        string            `json:"key"`
	Matter     string            `json:"matter"`
	Severity   string            `json:"severity"`
	Status     string            `json:"status"` // firing or resolved
	Since      time.Time         `json:"since"`
	Experiment string            `json:"experiment,omitempty"`
	Iteration  uint32            `json:"iteration,omitempty"`
	Guardrail  string            `json:"guardrail,omitempty"`
	Arm        string            `json:"arm,omitempty"`
	Title      string            `json:"title"`
	Text       string            `json:"text"`
	Facts      map[string]string `json:"facts"`
	Links      map[string]string `json:"links"`
}

// Send implements Channel.
func (w *webhook) Send(ctx context.Context, m Message) error {
	data := webhookData{
		Key: m.Key, Matter: m.Matter, Severity: m.severity(), Status: "firing", Since: m.Since,
		Experiment: m.Subject.Experiment, Iteration: m.Subject.Iteration, Guardrail: m.Subject.Guardrail, Arm: m.Subject.Arm,
		Title: m.Title, Text: m.Text, Facts: map[string]string{}, Links: map[string]string{},
	}
	if m.Resolved {
		data.Status = "resolved"
	}
	for _, f := range m.Facts {
		data.Facts[snake(f.Name)] = f.Value
	}
	for _, l := range m.Links {
		data.Links[snake(l.Name)] = l.URL
	}
	body, err := encode(webhookBody{Type: "guard.alert", Timestamp: m.At, Data: data})
	if err != nil {
		return err
	}
	_, err = w.poster.post(ctx, body, func(h http.Header) {
		outbound.Sign(h, w.key, m.id(), w.poster.now(), body)
	})
	return err
}
