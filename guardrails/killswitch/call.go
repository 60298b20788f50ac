package killswitch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

const (
	maxAnswer = 4 << 20 // bytes of an answer that are read; a flag with many rules is long
	maxID     = 200     // bytes of how a system names its answer
)

// door sends calls. Its errors name the host and nothing else of the address: a
// path or a query may be the secret.
type door struct {
	client  *http.Client
	timeout time.Duration
	hider   outbound.Hider
}

func newDoor(c Config, transport http.RoundTripper) door {
	d := door{timeout: c.Timeout, client: outbound.NewClient(disk{transport})}
	for _, secret := range c.System.secrets() {
		d.hider.Hide(secret)
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
	maps.Copy(req.Header, call.Header)
	req.Header.Set("User-Agent", "assay")
	response, err := d.client.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", call.Method, req.URL.Host, outbound.Bare(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errors.New("it is longer than 4 MiB") // half a flag must never be written back
	}
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: read the answer: %w", call.Method, req.URL.Host, outbound.Bare(err))
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// describe is an answer in one line, without secrets.
func (d door) describe(a Answer) string {
	status := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if text := d.hider.Show(a.Body[:min(len(a.Body), outbound.MaxAnswer)]); text != "" {
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
