package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// poster posts JSON to one address. Its errors name the host and nothing else of
// the address, and no secret.
type poster struct {
	client *http.Client
	url    string
	host   string
	header http.Header
	hider  outbound.Hider
	now    func() time.Time
}

// newPoster checks the address and adds the path to it. What it is given as secrets
// is not shown when an answer echoes it.
func newPoster(address, path string, headers map[string]outbound.Secret, secrets ...outbound.Secret) (*poster, error) {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return nil, errors.New("url is missing")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("url must begin with https:// (or http://) and have a host")
	case u.User != nil:
		return nil, errors.New("url must not carry a password; use headers")
	}
	if path != "" {
		u = u.JoinPath(path)
	}
	p := &poster{client: outbound.NewClient(outbound.NewTransport()), url: u.String(), host: u.Host, header: http.Header{}, now: time.Now}
	for _, s := range secrets {
		p.hider.Hide(s)
	}
	for name, value := range headers {
		p.header.Set(name, string(value))
		p.hider.Hide(value)
	}
	p.header.Set("Content-Type", "application/json; charset=utf-8")
	p.header.Set("User-Agent", "assay")
	return p, nil
}

// answer is a response that means success by its status.
type answer struct {
	header http.Header
	body   []byte
}

// encode is JSON as it is sent.
func encode(body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, final(fmt.Errorf("write the message: %w", err))
	}
	return b, nil
}

// post sends a body. sign, where there is one, adds headers that depend on it.
func (p *poster) post(ctx context.Context, body []byte, sign func(http.Header)) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, final(errors.New("the address is not valid"))
	}
	req.Header = p.header.Clone()
	if sign != nil {
		sign(req.Header)
	}
	response, err := p.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("post to %s: %w", p.host, outbound.Bare(err))
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(io.LimitReader(response.Body, outbound.MaxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("post to %s: read the answer: %w", p.host, outbound.Bare(err))
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return answer{response.Header, read}, nil
	}
	return answer{}, &Failure{
		Err:   fmt.Errorf("%s answered %d %s: %s", p.host, response.StatusCode, http.StatusText(response.StatusCode), p.hider.Show(read)),
		Final: !temporary(response.StatusCode), After: outbound.RetryAfter(response.Header, p.now()),
	}
}

// temporary tells whether the same message may be taken later.
func temporary(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}
