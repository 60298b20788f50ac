package killswitch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// maxID bounds how a system names its answer, in bytes.
const maxID = 200

// door sends calls. Its errors name the host and nothing else of the address: a
// path or a query may be the secret.
type door struct {
	client  *http.Client
	timeout time.Duration
	hider   outbound.Hider
}

func newDoor(c Config, transport http.RoundTripper) door {
	d := door{timeout: c.Timeout, client: outbound.NewClient(transport)}
	d.hider.Hide(c.Secret)
	for _, set := range []map[string]Secret{c.Headers, c.ReadBack.Headers} {
		for _, value := range set {
			d.hider.Hide(value)
		}
	}
	return d
}

// send makes one call, no longer than the timeout and the time left.
func (d door) send(ctx context.Context, call Call, left time.Duration) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, min(d.timeout, left))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, call.Method, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return Answer{}, errors.New("the address or the method is not valid")
	}
	req.Header = call.Header
	response, err := d.client.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", call.Method, req.URL.Host, outbound.Bare(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, outbound.MaxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: read the answer: %w", call.Method, req.URL.Host, outbound.Bare(err))
	}
	return Answer{response.StatusCode, response.Header, body}, nil
}

// describe is an answer in one line, without secrets.
func (d door) describe(a Answer) string {
	status := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if text := d.hider.Show(a.Body); text != "" {
		return status + ": " + text
	}
	return status
}

// responseID is how the system names its answer, for its support.
func responseID(h http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Correlation-Id"} {
		if id := h.Get(name); id != "" {
			return id[:min(len(id), maxID)]
		}
	}
	return ""
}
