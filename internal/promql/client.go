package promql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
	"github.com/assay-dev/assay/internal/signals"
)

// Config says whom to ask.
type Config struct {
	Address string // of the server, such as http://127.0.0.1:9090; what it is served below may follow; empty: no query has an answer
	Token   outbound.Secret
	Health  map[string]string // addresses of health endpoints by name
	Timeout time.Duration     // of one question
}

// Client asks. It may be used from several goroutines.
type Client struct {
	config Config
	query  string // address that queries go to
	client *http.Client
	hider  outbound.Hider
}

// New makes a client. It asks nothing yet.
func New(c Config) (*Client, error) {
	out := &Client{config: c, client: outbound.NewClient(outbound.NewTransport())}
	out.hider.Hide(c.Token)
	for name, address := range c.Health {
		if _, err := parse(address); err != nil {
			return nil, fmt.Errorf("health endpoint %s: %w", name, err)
		}
	}
	if c.Address == "" {
		return out, nil
	}
	u, err := parse(c.Address)
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	out.query = u.JoinPath("api/v1/query").String()
	return out, nil
}

func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the address must begin with https:// (or http://) and have a host")
	case u.User != nil:
		return nil, errors.New("the address must not carry a password")
	}
	return u, nil
}

// Close lets idle connections go.
func (c *Client) Close() { c.client.CloseIdleConnections() }

// Fault is a question without a number: why, and what was said. It holds no secret,
// and of an address no more than the host.
type Fault struct {
	Gap    signals.Gap
	Detail string
}

// Error implements error.
func (f *Fault) Error() string { return string(f.Gap) + ": " + f.Detail }

func fault(gap signals.Gap, format string, args ...any) error {
	return &Fault{gap, fmt.Sprintf(format, args...)}
}

// Value is the value of a query at a time: a scalar, or the only element of a vector.
// The error is a *[Fault].
func (c *Client) Value(ctx context.Context, query string, at time.Time) (float64, error) {
	if c.query == "" {
		return 0, fault(signals.NotConfigured, "signals.prometheus names no server")
	}
	form := url.Values{
		"query": {query}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)},
		"timeout": {strconv.FormatInt(c.config.Timeout.Milliseconds(), 10) + "ms"},
	}
	status, body, err := c.ask(ctx, http.MethodPost, c.query, form)
	if err != nil {
		return 0, err
	}
	return c.read(status, body)
}

// Healthy is 1 when an endpoint answers with 2xx in time, else 0. A health check that is
// not answered has failed; the error, a *[Fault], is for what could not be asked.
func (c *Client) Healthy(ctx context.Context, name string) (float64, error) {
	address, ok := c.config.Health[name]
	if !ok {
		return 0, fault(signals.NotConfigured, "signals.health names no endpoint %s", name)
	}
	status, _, err := c.ask(ctx, http.MethodGet, address, nil)
	if ctx.Err() != nil || errors.Is(err, outbound.ErrForbidden) {
		return 0, fault(signals.Unreachable, "it was not asked: %v", outbound.Bare(errors.Join(ctx.Err(), err)))
	}
	if err == nil && 200 <= status && status <= 299 {
		return 1, nil
	}
	return 0, nil
}

// ask sends one request and reads what comes back, up to a limit.
func (c *Client) ask(ctx context.Context, method, address string, form url.Values) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	var content io.Reader = http.NoBody
	if form != nil {
		content = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return 0, nil, fault(signals.BadAnswer, "no request can be made of it: %v", outbound.Bare(err))
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.config.Token != "" {
			request.Header.Set("Authorization", "Bearer "+string(c.config.Token))
		}
	}
	request.Header.Set("Accept", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return 0, nil, unanswered(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err = io.ReadAll(io.LimitReader(response.Body, outbound.MaxAnswer)); err != nil && form != nil {
		return 0, nil, unanswered(err)
	}
	return response.StatusCode, body, nil
}

// unanswered tells a server that is slow from one that is not there.
func unanswered(err error) error {
	var late net.Error
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		return errors.Join(outbound.ErrForbidden, fault(signals.Unreachable, "%v", outbound.ErrForbidden))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return fault(signals.TimedOut, "no answer in time")
	}
	return fault(signals.Unreachable, "%v", outbound.Bare(err))
}

// answer is what the API answers, of any kind.
type answer struct {
	Status    string `json:"status"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
	Data      struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	} `json:"data"`
}

// sample is a time and a number as text.
type sample [2]json.RawMessage

func (c *Client) read(status int, body []byte) (float64, error) {
	var a answer
	broken := json.Unmarshal(body, &a) != nil
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return 0, fault(signals.Denied, "the server answered %d %s", status, http.StatusText(status))
	case a.ErrorType == "timeout", a.ErrorType == "canceled":
		return 0, fault(signals.TimedOut, "%s", c.hider.Show([]byte(a.Error)))
	case a.ErrorType == "bad_data", a.ErrorType == "execution":
		return 0, fault(signals.BadQuery, "%s", c.hider.Show([]byte(a.Error)))
	case status >= 500, status == http.StatusTooManyRequests:
		return 0, fault(signals.Unreachable, "the server answered %d %s", status, http.StatusText(status))
	case status != http.StatusOK, broken, a.Status != "success":
		return 0, fault(signals.BadAnswer, "it answered %d, and nothing that a Prometheus would: %s", status, c.hider.Show(body[:min(len(body), 200)]))
	}
	switch a.Data.Type {
	case "scalar":
		var s sample
		if json.Unmarshal(a.Data.Result, &s) != nil {
			return 0, fault(signals.BadAnswer, "its scalar cannot be read")
		}
		return number(s)
	case "vector":
		var elements []struct {
			Value     sample          `json:"value"`
			Histogram json.RawMessage `json:"histogram"`
		}
		switch err := json.Unmarshal(a.Data.Result, &elements); {
		case err != nil:
			return 0, fault(signals.BadAnswer, "its vector cannot be read")
		case len(elements) == 0:
			return 0, fault(signals.NoData, "the answer is empty: nothing has these labels now")
		case len(elements) > 1:
			return 0, fault(signals.ManySeries, "the answer has %d elements: aggregate them, as sum(…) does", len(elements))
		case elements[0].Histogram != nil:
			return 0, fault(signals.NotANumber, "the answer is a histogram: take a quantile of it")
		}
		return number(elements[0].Value)
	}
	return 0, fault(signals.BadQuery, "the answer is a %.20s: signals want one number", a.Data.Type)
}

// number reads a sample's value. What is no number is a gap: a ratio of nothing is NaN.
func number(s sample) (float64, error) {
	var text string
	if json.Unmarshal(s[1], &text) != nil {
		return 0, fault(signals.BadAnswer, "its value cannot be read")
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !math.IsInf(v, 0):
		return 0, fault(signals.BadAnswer, "its value cannot be read")
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fault(signals.NotANumber, "the value is %s", text)
	}
	return v, nil
}
