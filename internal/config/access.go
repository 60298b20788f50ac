package config

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/experiment"
)

// Access says who comes in by HTTP, and what they may. Without it the door is on
// loopback, reads need no login, and writes need the token shown at the start.
type Access struct {
	Login       bool                `yaml:"login"`        // everything needs one, by a token or a JWT; needed to listen anywhere but on loopback
	Hosts       []string            `yaml:"hosts"`        // names that requests may be addressed to, beside localhost and the address that was called
	Proxy       bool                `yaml:"proxy"`        // TLS ends at a proxy before it: cookies are sent over https only
	TLS         DoorTLS             `yaml:"tls"`          // of the door itself
	OpenMetrics bool                `yaml:"open_metrics"` // with login: /metrics needs none
	Tokens      string              `yaml:"tokens"`       // file that `assay token` keeps hashes in; tokens.json in `data` when empty
	Session     experiment.Duration `yaml:"session"`      // how long a browser stays logged in; never longer than its token
	Owners      map[string][]string `yaml:"owners"`       // who is meant by an experiment's `owner`, beside who has that name: names, e-mail addresses, groups
	OIDC        *OIDC               `yaml:"oidc"`
}

// DoorTLS is the certificate that the door shows.
type DoorTLS struct {
	Cert string `yaml:"cert"` // file of the certificate, with those between it and its authority
	Key  string `yaml:"key"`  // file of its key
}

// OIDC is an identity provider whose JSON Web Tokens are believed.
type OIDC struct {
	Issuer   string            `yaml:"issuer"`   // as it stands in the tokens' iss
	Audience string            `yaml:"audience"` // one of the tokens' aud
	JWKS     string            `yaml:"jwks"`     // address of the provider's keys
	Name     string            `yaml:"name"`     // claim that names the person in the decision log; email when not given
	Groups   string            `yaml:"groups"`   // claim with their groups; groups when not given
	Roles    map[string]string `yaml:"roles"`    // role by group; the highest counts
	Everyone string            `yaml:"everyone"` // role of whom no group gives one; empty: they stay out

	ClientID     string   `yaml:"client_id"`     // people log in at the provider as this client; empty: by a token or a JWT alone
	ClientSecret Secret   `yaml:"client_secret"` // of that client; a public one has none
	Scopes       []string `yaml:"scopes"`        // what is asked for beside openid; email and profile when not given
}

const (
	leastSession = experiment.Duration(time.Minute)
	mostSession  = experiment.Duration(7 * 24 * time.Hour)
)

// check refuses what cannot work, with the setting's name.
func (a *Access) check() error {
	if (a.TLS.Cert == "") != (a.TLS.Key == "") {
		return errors.New("access.tls: cert and key belong together")
	}
	if a.Session < leastSession || a.Session > mostSession {
		return errors.New("access.session: it must be between 1m and 168h")
	}
	if slices.Contains(a.Hosts, "") || slices.Contains(a.Hosts, "*") {
		return errors.New("access.hosts: names without ports, each in full")
	}
	if a.OIDC == nil {
		return nil
	}
	if !a.Login {
		return errors.New("access.oidc: login is not set, so nobody would be asked for a JWT")
	}
	if err := a.OIDC.check(); err != nil {
		return fmt.Errorf("access.oidc: %w", err)
	}
	return nil
}

func (o *OIDC) check() error {
	for _, need := range []setting{{"issuer", o.Issuer != ""}, {"audience", o.Audience != ""}, {"jwks", o.JWKS != ""}} {
		if !need.given {
			return fmt.Errorf("%s is missing", need.name)
		}
	}
	if err := private(o.JWKS); err != nil {
		return fmt.Errorf("jwks: %w", err)
	}
	if o.ClientID == "" && !o.ClientSecret.Empty() {
		return errors.New("client_secret belongs to a client_id")
	}
	if o.ClientID != "" {
		if err := private(o.Issuer); err != nil {
			return fmt.Errorf("issuer: %w", err)
		}
	}
	if len(o.Roles) == 0 && o.Everyone == "" {
		return errors.New("neither roles nor everyone: nobody would have a role")
	}
	_, _, err := o.Grants()
	return err
}

// Grants are the roles by group, and that of everybody else.
func (o *OIDC) Grants() (byGroup map[string]access.Role, everyone access.Role, err error) {
	byGroup = map[string]access.Role{}
	for group, name := range o.Roles {
		if byGroup[group], err = access.ParseRole(name); err != nil {
			return nil, everyone, fmt.Errorf("roles.%s: %w", group, err)
		}
	}
	if o.Everyone != "" {
		if everyone, err = access.ParseRole(o.Everyone); err != nil {
			return nil, everyone, fmt.Errorf("everyone: %w", err)
		}
	}
	return byGroup, everyone, nil
}
