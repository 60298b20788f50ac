package killswitch

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// Config is one of the operator's switches.
type Config struct {
	System   System            // where the flags are: a Webhook, an Unleash …
	Flag     string            // the flag's key, may contain {experiment}; empty: the experiment's key
	Arms     map[string]string // the per-arm offs: the flag's key, may contain {experiment} and {arm}, or an address for a Webhook, by arm
	Timeout  time.Duration     // of one call, default 5 s
	Deadline time.Duration     // of the whole kill, default 60 s
}

// System is one flag system and the way into it.
type System interface {
	// vendor checks the configuration and gives the calls.
	vendor() (Vendor, error)
	// secrets are the texts that nothing may show.
	secrets() []Secret
}

// The defaults of a Config.
const (
	DefaultTimeout  = 5 * time.Second
	DefaultDeadline = 60 * time.Second
)

// Secret is a text that must not be shown.
type Secret = outbound.Secret

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Deadline == 0 {
		c.Deadline = DefaultDeadline
	}
	return c
}

// validate refuses what every vendor would refuse.
func (c Config) validate() error {
	if c.System == nil {
		return errors.New("no flag system is named")
	}
	if c.Timeout < 0 || c.Deadline < 0 {
		return fmt.Errorf("timeout %v and deadline %v must be positive", c.Timeout, c.Deadline)
	}
	for _, secret := range c.System.secrets() {
		if strings.ContainsAny(string(secret), "\r\n\x00") {
			return errors.New("a secret has a line break in it and cannot be sent in a header")
		}
	}
	if unknownPlaceholder(c.Flag) {
		return errors.New("flag may have {experiment} in it, and no other placeholder")
	}
	_, webhook := c.System.(Webhook)
	for arm, named := range c.Arms {
		switch {
		case unknownPlaceholder(named) && !isAddress(named):
			return fmt.Errorf("arms.%s may have {experiment} and {arm} in it, and no other placeholder", arm)
		case named == "":
			return fmt.Errorf("arms.%s is empty: name the flag that turns this arm off", arm)
		case isAddress(named) && !webhook:
			return fmt.Errorf("arms.%s is an address; only a webhook has one for each arm", arm)
		case isAddress(named):
			if err := checkURL("arms."+arm, named); err != nil {
				return err
			}
		}
	}
	return nil
}

// unknownPlaceholder tells a key with a brace that nothing fills.
func unknownPlaceholder(key string) bool {
	return strings.ContainsAny(fill(key, Target{}), "{}")
}

// isAddress tells an arm's address from the key of its flag.
func isAddress(s string) bool { return strings.Contains(s, "://") }

// checkURL looks at a template with its placeholders filled in. Its errors do
// not repeat the address, which may itself be a secret.
func checkURL(field, template string) error {
	u, err := url.Parse(expand(template, Target{Experiment: "x"}))
	switch {
	case template == "":
		return fmt.Errorf("%s is missing", field)
	case err != nil:
		return fmt.Errorf("%s is not a URL", field)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s must begin with https:// (or http://)", field)
	case u.Host == "":
		return fmt.Errorf("%s has no host", field)
	case u.User != nil:
		return fmt.Errorf("%s must not carry a password; use headers", field)
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && outbound.Forbidden(address) {
		return fmt.Errorf("%s: %w", field, outbound.ErrForbidden)
	}
	return nil
}

// checkBase looks at the address of an API, below which its paths lie.
func checkBase(address string) error {
	if err := checkURL("url", address); err != nil {
		return err
	}
	if strings.ContainsAny(address, "?#") {
		return errors.New("url must end with the host or a path, without a query")
	}
	return nil
}
