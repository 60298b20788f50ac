package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/door"
	"github.com/assay-dev/assay/internal/access/oidc"
	"github.com/assay-dev/assay/internal/access/tokenfile"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/outbound"
)

// Tokens is the file that keeps them.
func Tokens(c config.Config) *tokenfile.File {
	if c.Access.Tokens != "" {
		return tokenfile.Open(c.Access.Tokens)
	}
	return tokenfile.Open(filepath.Join(c.Data, "tokens.json"))
}

// door makes the middleware. secret is the token that the process shows at its start;
// "" where everything needs a login, or nothing can be changed.
func (s *Stack) door(a config.Access, registry prometheus.Registerer, user string, audit *slog.Logger) (d *door.Door, secret string, err error) {
	cfg := door.Config{
		Login: a.Login, OpenMetrics: a.OpenMetrics, Hosts: a.Hosts, Secure: a.Proxy || a.TLS.Cert != "",
		Session: a.Session.Std(), Owners: a.Owners, Tokens: Tokens(s.Config), Experiments: owners{s.DB},
		Metrics: registry, Log: audit,
	}
	if a.OIDC != nil {
		if cfg.JWT, err = verifier(*a.OIDC, a.OIDC.Audience); err != nil {
			return nil, "", err
		}
		if cfg.Provider, err = provider(*a.OIDC); err != nil {
			return nil, "", err
		}
	}
	if !a.Login && user != "" {
		if secret, err = access.NewSecret(rand.Reader); err != nil {
			return nil, "", err
		}
		cfg.Terminal = &door.Terminal{Hash: access.HashOf(secret), Name: user}
	}
	d, err = door.New(cfg)
	return d, secret, err
}

// provider logs people in at the identity provider; nil where it does not know us.
func provider(o config.OIDC) (door.Provider, error) {
	if o.ClientID == "" {
		return nil, nil
	}
	v, err := verifier(o, o.ClientID)
	if err != nil {
		return nil, err
	}
	secret, err := o.ClientSecret.Resolve()
	if err != nil {
		return nil, fmt.Errorf("access.oidc.client_secret: %w", err)
	}
	cfg := oidc.LoginConfig{ID: o.ClientID, Secret: secret, Scopes: o.Scopes}
	if len(cfg.Scopes) == 0 {
		cfg.Scopes = []string{"email", "profile"}
	}
	return oidc.NewLogin(cfg, v, outbound.NewTransport())
}

// verifier believes the provider's tokens for an audience.
func verifier(o config.OIDC, audience string) (*oidc.Verifier, error) {
	roles, everyone, err := o.Grants()
	if err != nil {
		return nil, fmt.Errorf("access.oidc: %w", err)
	}
	cfg := oidc.Config{
		Issuer: o.Issuer, Audience: audience, Name: o.Name, Groups: o.Groups, Roles: roles, Everyone: everyone,
	}
	if cfg.Name == "" {
		cfg.Name = "email"
	}
	if cfg.Groups == "" {
		cfg.Groups = "groups"
	}
	return oidc.New(cfg, oidc.NewKeys(o.JWKS, outbound.NewTransport(), time.Now)), nil
}

// owners is the configuration in force as what the door asks of it.
type owners struct{ db *clickhouse.DB }

// Owner implements access.Lookup. An experiment that is not there has none.
func (o owners) Owner(ctx context.Context, key string) (string, error) {
	v, err := o.db.Version(ctx)
	if err != nil {
		return "", fmt.Errorf("read the configuration in force: %w", err)
	}
	if e := v.Find(key); e != nil {
		return e.Owner, nil
	}
	return "", nil
}

// Readers implements access.Lookup.
func (o owners) Readers(ctx context.Context, key string) ([]string, error) {
	v, err := o.db.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the configuration in force: %w", err)
	}
	if e := v.Find(key); e != nil {
		return e.Readers, nil
	}
	return nil, nil
}

// serverTLS is the certificate that the door shows, nil without one.
func serverTLS(c config.DoorTLS) (*tls.Config, error) {
	if c.Cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, WithHint(fmt.Errorf("access.tls: %w", err), "cert and key name PEM files; a renewed certificate is read at the next start")
	}
	t := tlsConfig()
	t.Certificates = []tls.Certificate{pair}
	return t, nil
}

// keepLink writes down the link with which who started the process can act in a
// browser: to a file that nobody else reads, which goes away with the process.
func (s *Stack) keepLink(addr, link string) (file string, err error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("write the link: %w", err)
	}
	if err := os.MkdirAll(s.Config.Data, 0o700); err != nil {
		return "", fmt.Errorf("write the link: %w", err)
	}
	file = filepath.Join(s.Config.Data, "door-"+port+".link")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) { // its mode might be another
		return "", fmt.Errorf("write the link: %w", err)
	}
	if err := os.WriteFile(file, []byte(link+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the link: %w", err)
	}
	s.onClose(func() error {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the link: %w", err)
		}
		return nil
	})
	return file, nil
}
