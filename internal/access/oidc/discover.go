package oidc

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// metadata is what a provider says of itself (OpenID Connect Discovery 1.0).
type metadata struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	EndSession    string   `json:"end_session_endpoint"`
	Methods       []string `json:"token_endpoint_auth_methods_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
}

const (
	// rediscover is how long what a provider says of itself is used.
	rediscover = time.Hour
	// again lies between two questions that it does not answer.
	again = 5 * time.Second
)

// metadata reads the discovery document when it is needed. While the provider does not
// answer, what it said before is used.
func (l *Login) metadata(ctx context.Context) (metadata, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found.Issuer != "" && l.cfg.Now().Sub(l.read) < rediscover {
		return l.found, nil
	}
	var m metadata
	err := ErrProvider
	if now := l.cfg.Now(); now.Sub(l.tried) >= again {
		l.tried = now
		m, err = l.discover(ctx)
	}
	if err != nil {
		if l.found.Issuer != "" {
			return l.found, nil
		}
		return m, err
	}
	l.found, l.read, l.tried = m, l.cfg.Now(), time.Time{}
	return m, nil
}

func (l *Login) discover(ctx context.Context) (metadata, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var m metadata
	issuer := l.verifier.cfg.Issuer
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", http.NoBody)
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrProvider, outbound.Bare(err))
	}
	status, err := l.ask(req, &m)
	switch {
	case err != nil:
		return metadata{}, err
	case status != http.StatusOK:
		return metadata{}, fmt.Errorf("%w: its discovery document is answered with %d", ErrProvider, status)
	case m.Issuer != issuer: // Discovery 4.3: they must be the same, letter by letter
		return metadata{}, fmt.Errorf("%w: its discovery document is of another issuer", ErrProvider)
	case len(m.Challenges) > 0 && !slices.Contains(m.Challenges, "S256"):
		return metadata{}, fmt.Errorf("%w: it does not support PKCE with S256", ErrProvider)
	}
	for _, address := range []string{m.Authorization, m.Token} {
		if !sameScheme(address, issuer) {
			return metadata{}, fmt.Errorf("%w: its discovery document names no endpoint with the issuer's scheme", ErrProvider)
		}
	}
	if !sameScheme(m.EndSession, issuer) {
		m.EndSession = ""
	}
	return m, nil
}

// sameScheme holds an address to the scheme of the issuer, which the configuration has
// checked.
func sameScheme(address, issuer string) bool {
	a, err := url.Parse(address)
	if err != nil || a.Host == "" {
		return false
	}
	i, err := url.Parse(issuer)
	return err == nil && a.Scheme == i.Scheme
}
