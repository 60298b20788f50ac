package notify

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// AlertmanagerConfig says where an Alertmanager is: API v2, 0.16 and newer.
type AlertmanagerConfig struct {
	URL     string // of the Alertmanager, without /api/v2
	Headers map[string]outbound.Secret
}

// alertmanager posts to /api/v2/alerts. An alert is known there by its labels, so
// they are made of nothing that changes within a matter. It is sent again while
// it is open, since Alertmanager takes silence for its end (resolve_timeout), and
// with endsAt when it is over.
type alertmanager struct{ poster *poster }

// NewAlertmanager makes the channel.
func NewAlertmanager(c AlertmanagerConfig) (Channel, error) {
	p, err := newPoster(c.URL, "api/v2/alerts", c.Headers)
	if err != nil {
		return nil, err
	}
	return &alertmanager{p}, nil
}

// postableAlert is as in the OpenAPI document of Alertmanager's API v2.
type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Send implements Channel.
func (a *alertmanager) Send(ctx context.Context, m Message) error {
	alert := postableAlert{Labels: alertLabels(m), Annotations: alertAnnotations(m), StartsAt: m.Since}
	if m.Resolved {
		alert.EndsAt = m.At
		if m.At.Before(m.Since) { // refused there: clocks of two guards may differ
			alert.StartsAt = m.At
		}
	}
	body, err := encode([]postableAlert{alert})
	if err != nil {
		return err
	}
	_, err = a.poster.post(ctx, body, nil)
	return err
}

// alertLabels name the matter, with nothing in them that changes while it is open.
func alertLabels(m Message) map[string]string {
	labels := map[string]string{
		"alertname": "AssayGuard", "key": m.Key, "matter": m.Matter, "severity": m.severity(),
		"experiment": m.Subject.Experiment, "guardrail": m.Subject.Guardrail, "arm": m.Subject.Arm,
	}
	if m.Subject.Iteration > 0 {
		labels["iteration"] = strconv.FormatUint(uint64(m.Subject.Iteration), 10)
	}
	for name, value := range labels {
		if value == "" { // an empty label is none
			delete(labels, name)
		}
	}
	return labels
}

// alertAnnotations are what is told.
func alertAnnotations(m Message) map[string]string {
	out := map[string]string{"summary": m.Title, "description": m.Text}
	for _, f := range m.Facts {
		out[snake(f.Name)] = f.Value
	}
	for _, l := range m.Links {
		out[snake(l.Name)+"_url"] = l.URL
	}
	return out
}

// snake is a fact's name for machines.
func snake(name string) string { return strings.ReplaceAll(name, " ", "_") }
