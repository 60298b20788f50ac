package killswitch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

const (
	maxAnswer = 64 << 10 // bytes of an answer that are read
	maxDetail = 200      // bytes of an answer that are shown
)

// door sends calls. It follows no redirect, since the credentials are meant for
// the configured host alone, and its errors name the host and nothing else of
// the address: a path or a query may be the secret.
type door struct {
	client  *http.Client
	timeout time.Duration
	secrets []string
}

func newDoor(c Config, transport http.RoundTripper) door {
	d := door{timeout: c.Timeout, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.conceal(c.Secret)
	for _, set := range []map[string]Secret{c.Headers, c.ReadBack.Headers} {
		for _, value := range set {
			d.conceal(value)
		}
	}
	return d
}

// conceal remembers a text, and the token of a "Bearer TOKEN", that answers may
// echo. Very short ones would blank ordinary words.
func (d *door) conceal(s Secret) {
	for _, part := range append(strings.Fields(string(s)), string(s)) {
		if len(part) >= 8 {
			d.secrets = append(d.secrets, part)
		}
	}
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
		return Answer{}, fmt.Errorf("%s %s: %w", call.Method, req.URL.Host, bare(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: read the answer: %w", call.Method, req.URL.Host, bare(err))
	}
	return Answer{response.StatusCode, response.Header, body}, nil
}

// bare takes the address out of an error of net/http.
func bare(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return err
}

// describe is an answer in one line, without secrets.
func (d door) describe(a Answer) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, string(a.Body))
	for _, secret := range d.secrets {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	text = strings.TrimSpace(text)
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	status := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if text == "" {
		return status
	}
	return status + ": " + text
}

// responseID is how the system names its answer, for its support.
func responseID(h http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Correlation-Id"} {
		if id := h.Get(name); id != "" {
			return id[:min(len(id), maxDetail)]
		}
	}
	return ""
}
