package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// FlagClient asks a FlagService, as a product's own client would.
type FlagClient struct {
	url  string
	http *http.Client
}

// NewFlagClient makes a client of the service at an address such as
// http://127.0.0.1:8345. It keeps a few connections open, so that an
// assignment costs one round trip; transport is nil for the usual one.
func NewFlagClient(url string, transport http.RoundTripper) *FlagClient {
	if transport == nil {
		transport = &http.Transport{MaxIdleConns: askers, MaxIdleConnsPerHost: askers}
	}
	return &FlagClient{url: url + "/assign", http: &http.Client{Transport: transport, Timeout: readTimeout}}
}

// Assign returns the unit's variant, "" when the flag is off.
func (c *FlagClient) Assign(ctx context.Context, flag, unit string) (string, error) {
	body, err := json.Marshal(map[string]string{"flag": flag, "unit": unit})
	if err != nil {
		return "", fmt.Errorf("ask for a variant: %w", err)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask for a variant: %w", err)
	}
	q.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(q)
	if err != nil {
		return "", fmt.Errorf("ask for a variant: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	// Reading to the end is what lets the connection be used again.
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return "", fmt.Errorf("read a variant: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask for a variant of %s: %s", flag, response.Status)
	}
	var a assignment
	if err := json.Unmarshal(answer, &a); err != nil {
		return "", fmt.Errorf("read a variant: %w", err)
	}
	if a.Variant == nil {
		return "", nil
	}
	return *a.Variant, nil
}

// CloseIdle closes the connections that are kept open.
func (c *FlagClient) CloseIdle() { c.http.CloseIdleConnections() }
