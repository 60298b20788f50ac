package notify

import (
	"context"
	"errors"

	"github.com/assay-dev/assay/internal/outbound"
)

// PagerDutyConfig is an integration of type Events API v2.
type PagerDutyConfig struct {
	URL        string // default https://events.pagerduty.com
	RoutingKey outbound.Secret
	Source     string // who speaks: a host
}

// pagerDuty opens an incident for a matter and resolves it. Further messages of
// an open matter become log entries of its alert there: the key is the same.
type pagerDuty struct {
	config PagerDutyConfig
	poster *poster
}

// NewPagerDuty makes the channel.
func NewPagerDuty(c PagerDutyConfig) (Channel, error) {
	if c.RoutingKey == "" {
		return nil, errors.New("routing_key is missing")
	}
	if c.URL == "" {
		c.URL = "https://events.pagerduty.com"
	}
	p, err := newPoster(c.URL, "v2/enqueue", nil, c.RoutingKey)
	if err != nil {
		return nil, err
	}
	return &pagerDuty{c, p}, nil
}

// pagerEvent is an event of the Events API v2: the bounds are 255 characters for
// the key, 1,024 for the summary, 512 KB for all of it.
type pagerEvent struct {
	RoutingKey string        `json:"routing_key"`
	Action     string        `json:"event_action"`
	DedupKey   string        `json:"dedup_key"`
	Payload    *pagerPayload `json:"payload,omitempty"`
	Links      []pagerLink   `json:"links,omitempty"`
	Client     string        `json:"client,omitempty"`
}

type pagerPayload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details"`
}

type pagerLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Send implements Channel.
func (p *pagerDuty) Send(ctx context.Context, m Message) error {
	event := pagerEvent{RoutingKey: string(p.config.RoutingKey), Action: "resolve", DedupKey: "assay/" + m.Key}
	if !m.Resolved {
		event.Action, event.Client, event.Payload = "trigger", "assay", p.payload(m)
		for _, l := range m.Links {
			event.Links = append(event.Links, pagerLink{l.URL, l.Name})
		}
	}
	body, err := encode(event)
	if err != nil {
		return err
	}
	_, err = p.poster.post(ctx, body, nil)
	return err
}

func (p *pagerDuty) payload(m Message) *pagerPayload {
	out := &pagerPayload{
		Summary: m.Title, Source: p.config.Source, Severity: "warning", Timestamp: m.At.Format("2006-01-02T15:04:05.000-0700"),
		Component: m.Subject.Experiment, Group: "assay", Class: m.Matter, Details: map[string]string{"text": m.Text},
	}
	if m.Page {
		out.Severity = "critical"
	}
	for _, f := range m.Facts {
		out.Details[f.Name] = f.Value
	}
	return out
}
