package killswitch

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// Config is one of the operator's switches. Addresses may contain {experiment}
// and {flag}, which are replaced by the keys of the Target.
type Config struct {
	Type     string            // "webhook" (the default)
	URL      string            // where the off call goes
	Method   string            // default POST
	Headers  map[string]Secret // sent with the off call, such as Authorization
	Secret   Secret            // signs the call
	ReadBack ReadBack
	Timeout  time.Duration // of one call, default 5 s
	Deadline time.Duration // of the whole kill, default 60 s
}

// ReadBack says how the state of the switch is read. Without a URL nothing is
// read, and no kill is ever verified.
type ReadBack struct {
	URL     string
	Method  string // default GET
	Headers map[string]Secret
	Path    string // into the JSON answer, such as data.enabled
	Off     string // the text of the value at Path when it is off, such as false
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
	if c.Type == "" {
		c.Type = "webhook"
	}
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	if c.ReadBack.Method == "" {
		c.ReadBack.Method = http.MethodGet
	}
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
	if c.Timeout < 0 || c.Deadline < 0 {
		return fmt.Errorf("timeout %v and deadline %v must be positive", c.Timeout, c.Deadline)
	}
	if err := checkURL("url", c.URL); err != nil {
		return err
	}
	for _, set := range []map[string]Secret{c.Headers, c.ReadBack.Headers} {
		for name, value := range set {
			if strings.ContainsAny(string(value), "\r\n\x00") {
				return fmt.Errorf("header %s has a line break in its value", name)
			}
		}
	}
	if c.ReadBack.URL == "" {
		return nil
	}
	return checkURL("read_back.url", c.ReadBack.URL)
}

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
	return nil
}
