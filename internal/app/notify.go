package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/notify"
	"github.com/assay-dev/assay/internal/watch"
)

// Guard is the loop that judges and acts, with its messengers.
type Guard struct {
	watch     *watch.Watch
	notifier  *notify.Notifier
	signals   *Signals
	reminders *Reminders
}

// Restrain replaces the limits of all kills together.
func (g *Guard) Restrain(limits guardrails.Limits) { g.watch.Restrain(limits) }

// Run looks until the context ends. The messengers outlive the loop for as long
// as it takes to tell what it did last.
func (g *Guard) Run(ctx context.Context) error {
	telling, end := context.WithCancel(context.WithoutCancel(ctx))
	var messengers sync.WaitGroup
	messengers.Go(func() { _ = g.notifier.Run(telling) }) // what it cannot deliver it logs
	defer messengers.Wait()
	defer end()
	if g.signals == nil {
		return g.watch.Run(ctx)
	}
	return Together(ctx, g.watch.Run, g.signals.Run, g.reminders.Run)
}

// messenger is the notifier as the guard sees it.
type messenger struct {
	notifier *notify.Notifier
	runbook  string
}

// Notify implements watch.Notifier.
func (m messenger) Notify(a watch.Alert) { m.notifier.Notify(messageOf(a, m.runbook)) }

// newNotifier makes the channels of the configuration.
func newNotifier(c config.Notify, log *slog.Logger, r prometheus.Registerer) (*notify.Notifier, error) {
	ways, err := waysOf(c)
	if err != nil {
		return nil, fmt.Errorf("notify.%w", err)
	}
	return notify.New(notify.Config{Log: log, Metrics: r}, ways)
}

// defaultAgain is how often an Alertmanager is reminded; it forgets after five
// minutes (resolve_timeout).
const defaultAgain = time.Minute

// planned is a way whose channel is to be made.
type planned struct {
	notify.Way
	only config.Severity
	make func(*resolver) (notify.Channel, error)
}

func waysOf(c config.Notify) ([]notify.Way, error) {
	var ways []notify.Way
	for _, p := range planOf(c) {
		var secrets resolver
		channel, err := p.make(&secrets)
		if unresolved := errors.Join(secrets.errs...); unresolved != nil {
			err = unresolved // whatever else it says is about the secret that is not there
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		p.Channel, p.OnlyPages = channel, p.only == config.OnlyPages
		ways = append(ways, p.Way)
	}
	return ways, nil
}

// planOf is the table of the channels: each that is named, with what it is like.
func planOf(c config.Notify) (all []planned) {
	if a := c.Alertmanager; a != nil {
		all = append(all, planned{notify.Way{Name: "alertmanager", Again: cmp.Or(a.Again.Std(), defaultAgain)}, a.Only,
			func(r *resolver) (notify.Channel, error) {
				return notify.NewAlertmanager(notify.AlertmanagerConfig{URL: a.URL, Headers: r.headers(a.Headers)})
			}})
	}
	if s := c.Slack; s != nil {
		all = append(all, planned{notify.Way{Name: "slack", Once: true}, s.Only,
			func(r *resolver) (notify.Channel, error) {
				return notify.NewSlack(notify.SlackConfig{URL: s.URL, Channel: s.Channel, Token: r.secret(s.Token)})
			}})
	}
	if p := c.PagerDuty; p != nil {
		all = append(all, planned{notify.Way{Name: "pagerduty"}, p.Only,
			func(r *resolver) (notify.Channel, error) {
				return notify.NewPagerDuty(notify.PagerDutyConfig{URL: p.URL, RoutingKey: r.secret(p.RoutingKey), Source: instance()})
			}})
	}
	if e := c.Email; e != nil {
		all = append(all, planned{notify.Way{Name: "email", Once: true}, e.Only,
			func(r *resolver) (notify.Channel, error) {
				return notify.NewEmail(notify.EmailConfig{Server: e.Server, TLS: notify.TLSMode(e.TLS), User: e.User,
					Password: r.secret(e.Password), From: e.From, To: e.To})
			}})
	}
	if w := c.Webhook; w != nil {
		all = append(all, planned{notify.Way{Name: "webhook"}, w.Only,
			func(r *resolver) (notify.Channel, error) {
				return notify.NewWebhook(notify.WebhookConfig{URL: w.URL, Secret: r.secret(w.Secret), Headers: r.headers(w.Headers)})
			}})
	}
	return all
}

// Told looks at the channels to people. With send each gets a test message, and
// one that resolves it.
func (s *Stack) Told(ctx context.Context, send bool, now time.Time) ([]doctor.Finding, error) {
	n, err := newNotifier(s.Config.Notify, s.Log, nil)
	if err != nil {
		return nil, err
	}
	if !send {
		return doctor.ListChannels(n.Names()), nil
	}
	m := notify.Message{
		Key: "test/" + instance(), Matter: "test", At: now, Since: now,
		Title: "assay can reach you", Text: "This is a test message from assay doctor. There is nothing to do.",
	}
	var told []doctor.Told
	for _, a := range n.Try(ctx, m) {
		told = append(told, doctor.Told{Channel: a.Way, Err: a.Err})
	}
	m.Resolved, m.Title = true, "assay could reach you"
	for i, a := range n.Try(ctx, m) {
		told[i].Err = cmp.Or(told[i].Err, a.Err)
	}
	return doctor.CheckChannels(told), nil
}
