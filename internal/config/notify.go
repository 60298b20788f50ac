package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Notify are the channels over which people are told what the guard decides and
// does. What is not named is not used; without any only the metrics tell.
type Notify struct {
	Alertmanager *Alertmanager  `yaml:"alertmanager"`
	Slack        *Slack         `yaml:"slack"`
	PagerDuty    *PagerDuty     `yaml:"pagerduty"`
	Email        *Email         `yaml:"email"`
	Webhook      *NotifyWebhook `yaml:"webhook"`
}

// Alertmanager is one of Prometheus', with API v2.
type Alertmanager struct {
	URL     string              `yaml:"url"`     // without /api/v2
	Headers map[string]Secret   `yaml:"headers"` // such as Authorization, by name
	Again   experiment.Duration `yaml:"again"`   // how often what is open is sent again, 1m when not given; well below its resolve_timeout (5m)
	Only    Severity            `yaml:"only"`    // page: what is worth a night; empty: everything
}

// Slack is a channel there, and a bot that may write to it.
type Slack struct {
	Channel string   `yaml:"channel"` // its id, such as C0123456789; the bot must be in it
	Token   Secret   `yaml:"token"`   // of a bot with the scope chat:write (xoxb-…)
	URL     string   `yaml:"url"`     // of the Web API; https://slack.com/api when not given
	Only    Severity `yaml:"only"`    // page: what is worth a night; empty: everything
}

// PagerDuty is an integration of type Events API v2.
type PagerDuty struct {
	RoutingKey Secret   `yaml:"routing_key"` // the integration key
	URL        string   `yaml:"url"`         // of the service region; https://events.pagerduty.com when not given
	Only       Severity `yaml:"only"`        // page: what is worth a night; empty: everything
}

// Email goes by SMTP.
type Email struct {
	Server   string   `yaml:"server"`   // host:port, such as smtp.example.com:587
	TLS      string   `yaml:"tls"`      // starttls (default), implicit (port 465), none; there is no falling back
	User     string   `yaml:"user"`     // to log in as; empty: no login
	Password Secret   `yaml:"password"` // of that user
	From     string   `yaml:"from"`     // an address, also "assay <assay@example.com>"
	To       []string `yaml:"to"`       // addresses, at least one
	Only     Severity `yaml:"only"`     // page: what is worth a night; empty: everything
}

// NotifyWebhook is an address of your own that gets everything, signed.
type NotifyWebhook struct {
	URL     string            `yaml:"url"`     // what is posted to
	Secret  Secret            `yaml:"secret"`  // signs the message as Standard Webhooks has it
	Headers map[string]Secret `yaml:"headers"` // further headers of the call, by name
	Only    Severity          `yaml:"only"`    // page: what is worth a night; empty: everything
}

// Severity chooses what goes over a channel.
type Severity string

// OnlyPages leaves out what wakes nobody.
const OnlyPages Severity = "page"

// told is one channel that was named.
type told struct {
	name  string
	only  Severity
	needs []setting
	check func() error
}

func (n Notify) told() []told {
	var all []told
	if a := n.Alertmanager; a != nil {
		all = append(all, told{"alertmanager", a.Only, []setting{{"url", a.URL != ""}}, a.check})
	}
	if s := n.Slack; s != nil {
		all = append(all, told{"slack", s.Only, []setting{{"channel", s.Channel != ""}, {"token", !s.Token.Empty()}},
			func() error { return private(s.URL) }})
	}
	if p := n.PagerDuty; p != nil {
		all = append(all, told{"pagerduty", p.Only, []setting{{"routing_key", !p.RoutingKey.Empty()}},
			func() error { return private(p.URL) }})
	}
	if e := n.Email; e != nil {
		all = append(all, told{"email", e.Only, []setting{{"server", e.Server != ""}, {"from", e.From != ""}, {"to", len(e.To) > 0}}, e.check})
	}
	if w := n.Webhook; w != nil {
		all = append(all, told{"webhook", w.Only, []setting{{"url", w.URL != ""}, {"secret", !w.Secret.Empty()}},
			func() error { return web("url", w.URL) }})
	}
	return all
}

// check refuses what cannot work, with the setting's name.
func (n Notify) check() error {
	for _, t := range n.told() {
		for _, need := range t.needs {
			if !need.given {
				return fmt.Errorf("notify.%s: %s is missing", t.name, need.name)
			}
		}
		if t.only != "" && t.only != OnlyPages {
			return fmt.Errorf("notify.%s: only: %q is not page", t.name, t.only)
		}
		if err := t.check(); err != nil {
			return fmt.Errorf("notify.%s: %w", t.name, err)
		}
	}
	return nil
}

func (a *Alertmanager) check() error {
	if a.Again != 0 && (a.Again < experiment.Duration(time.Second) || a.Again > experiment.Duration(time.Hour)) {
		return errors.New("again: must be between 1s and 1h")
	}
	return web("url", a.URL)
}

func (e *Email) check() error {
	if (e.User == "") != e.Password.Empty() {
		return errors.New("user and password belong together")
	}
	switch e.TLS {
	case "", "starttls", "implicit", "none":
		return nil
	}
	return fmt.Errorf("tls: unknown mode %q: starttls, implicit or none", e.TLS)
}

// web refuses what is no address of the web.
func web(setting, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%s: must begin with https:// (or http://) and have a host", setting)
	}
	return nil
}

// private refuses an address to which a token would travel in the clear.
func private(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return web("url", address)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback() {
		return nil
	}
	return errors.New("url: must begin with https://")
}
