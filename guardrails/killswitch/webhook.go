package killswitch

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// webhook is the vendor for everything that can receive a signed POST: the
// call follows Standard Webhooks, the state is any JSON document.
type webhook struct {
	config Config
	key    []byte
	path   jsonPath
}

// message is the body. It is the same at every attempt of one kill.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of the decision
	Data      struct {
		Action     string `json:"action"`
		Experiment string `json:"experiment"`
		Iteration  uint32 `json:"iteration"`
		Flag       string `json:"flag"`
		Reason     string `json:"reason"`
		Evidence   string `json:"evidence,omitempty"`
	} `json:"data"`
}

func newWebhook(c Config) (Vendor, error) {
	if c.Secret == "" {
		return nil, errors.New("a webhook needs a secret, so that the receiver can tell who calls")
	}
	key, err := outbound.SigningKey(c.Secret)
	if err != nil {
		return nil, err
	}
	w := webhook{config: c, key: key}
	if c.ReadBack.URL == "" {
		return w, nil
	}
	if w.path, err = parsePath(c.ReadBack.Path); err != nil {
		return nil, fmt.Errorf("read_back.path: %w", err)
	}
	if c.ReadBack.Off == "" {
		return nil, errors.New("read_back.off is missing: the value at the path when the switch is off, such as false")
	}
	return w, nil
}

// Off implements Vendor.
func (w webhook) Off(r Request, at time.Time) (Call, error) {
	if r.Key == "" {
		return Call{}, errors.New("the request has no idempotency key")
	}
	m := message{Type: "experiment.kill", Timestamp: r.DecidedAt.UTC()}
	m.Data.Action, m.Data.Experiment, m.Data.Iteration = "off", r.Experiment, r.Iteration
	m.Data.Flag, m.Data.Reason, m.Data.Evidence = r.flag(), r.Reason, r.Evidence
	body, err := json.Marshal(m)
	if err != nil {
		return Call{}, fmt.Errorf("write the message: %w", err)
	}
	h := headers(w.config.Headers)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "assay")
	outbound.Sign(h, w.key, r.Key, at, body)
	return Call{w.config.Method, expand(w.config.URL, r.Target), h, body}, nil
}

// Classify implements Vendor with the plain meaning of HTTP.
func (w webhook) Classify(a Answer) Class { return classifyStatus(a.Status) }

// Read implements Vendor.
func (w webhook) Read(t Target) (Call, bool) {
	back := w.config.ReadBack
	if back.URL == "" {
		return Call{}, false
	}
	h := headers(back.Headers)
	h.Set("Accept", "application/json")
	h.Set("User-Agent", "assay")
	return Call{Method: back.Method, URL: expand(back.URL, t), Header: h}, true
}

// State implements Vendor. Any value other than the expected one is "on":
// only that exact text counts as off.
func (w webhook) State(a Answer) (State, error) {
	if classifyStatus(a.Status) != ClassAccepted {
		return StateUnknown, errors.New("the state was not answered")
	}
	value, err := w.path.find(a.Body)
	switch {
	case err != nil:
		return StateUnknown, err
	case value == w.config.ReadBack.Off:
		return StateOff, nil
	default:
		return StateOn, nil
	}
}
