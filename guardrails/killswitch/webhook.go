package killswitch

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// Webhook is everything that can receive a signed POST: the call follows
// Standard Webhooks, the state is any JSON document. Its addresses may contain
// {experiment}, {flag} and {arm}, which are replaced by the keys of the Target.
type Webhook struct {
	URL      string            // where the off call goes
	Method   string            // default POST
	Headers  map[string]Secret // sent with the off call, such as Authorization
	Secret   Secret            // signs the call
	ReadBack ReadBack
}

// ReadBack says how the state of the switch is read. Without a URL nothing is
// read, and no kill is ever verified.
type ReadBack struct {
	URL     string
	Method  string // default GET
	Headers map[string]Secret
	Path    string // into the JSON answer, such as data.enabled
	Off     string // the text of the value at Path when it is off, such as false
	Traffic string // path to the percentage of units that take part, for ramps
}

// webhook is the vendor.
type webhook struct {
	config Webhook
	key    []byte
	path   jsonPath

	traffic jsonPath
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
		Arm        string `json:"arm,omitempty"` // only this one
		Reason     string `json:"reason"`
		Evidence   string `json:"evidence,omitempty"`
	} `json:"data"`
}

func (w Webhook) secrets() []Secret {
	return slices.Concat([]Secret{w.Secret}, slices.Collect(maps.Values(w.Headers)), slices.Collect(maps.Values(w.ReadBack.Headers)))
}

func (w Webhook) vendor() (Vendor, error) {
	w.Method = cmp.Or(w.Method, http.MethodPost)
	w.ReadBack.Method = cmp.Or(w.ReadBack.Method, http.MethodGet)
	if err := checkURL("url", w.URL); err != nil {
		return nil, err
	}
	if w.Secret == "" {
		return nil, errors.New("a webhook needs a secret, so that the receiver can tell who calls")
	}
	key, err := outbound.SigningKey(w.Secret)
	if err != nil {
		return nil, err
	}
	out := webhook{config: w, key: key}
	if w.ReadBack.URL == "" {
		return out, nil
	}
	if err := checkURL("read_back.url", w.ReadBack.URL); err != nil {
		return nil, err
	}
	if out.path, err = parsePath(w.ReadBack.Path); err != nil {
		return nil, fmt.Errorf("read_back.path: %w", err)
	}
	if w.ReadBack.Traffic != "" {
		if out.traffic, err = parsePath(w.ReadBack.Traffic); err != nil {
			return nil, fmt.Errorf("read_back.traffic: %w", err)
		}
	}
	if w.ReadBack.Off == "" {
		return nil, errors.New("read_back.off is missing: the value at the path when the switch is off, such as false")
	}
	return out, nil
}

// Off implements Vendor. Its answers have the plain meaning of HTTP.
func (w webhook) Off(r Request, at time.Time) (Step, error) {
	if r.Key == "" {
		return Step{}, errNoKey
	}
	m := message{Type: "experiment.kill", Timestamp: r.DecidedAt.UTC()}
	m.Data.Action, m.Data.Experiment, m.Data.Iteration = "off", r.Experiment, r.Iteration
	m.Data.Flag, m.Data.Arm, m.Data.Reason, m.Data.Evidence = r.flag(), r.Arm, r.Reason, r.Evidence
	body, err := json.Marshal(m)
	if err != nil {
		return Step{}, fmt.Errorf("write the message: %w", err)
	}
	return w.post(r, at, body), nil
}

// errNoKey refuses a message that a receiver could not tell from another.
var errNoKey = errors.New("the request has no idempotency key")

// post is a signed message.
func (w webhook) post(r Request, at time.Time, body []byte) Step {
	h := headers(w.config.Headers)
	h.Set("Content-Type", "application/json")
	outbound.Sign(h, w.key, r.Key, at, body)
	address := expand(cmp.Or(r.address, w.config.URL), r.Target)
	return Step{Call: Call{w.config.Method, address, h, body}, Then: plain}
}

// readCall asks for the state.
func (w webhook) readCall(t Target) Call {
	back := w.config.ReadBack
	h := headers(back.Headers)
	h.Set("Accept", "application/json")
	return Call{Method: back.Method, URL: expand(back.URL, t), Header: h}
}

// Read implements Vendor. Any value other than the expected one is "on": only
// that exact text counts as off.
func (w webhook) Read(t Target) (Step, bool) {
	back := w.config.ReadBack
	if back.URL == "" {
		return Step{}, false
	}
	return Step{Call: w.readCall(t), Then: func(a Answer) Reply {
		return readState(a, func(body []byte) (bool, error) {
			value, err := w.path.find(body)
			return value == back.Off, err
		})
	}}, true
}

// Needs implements Vendor.
func (w webhook) Needs() string { return "what the receiver asks for, in headers" }
