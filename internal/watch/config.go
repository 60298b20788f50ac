package watch

import (
	"cmp"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
)

// Config is how the guard works. The zero value of a field means its default.
type Config struct {
	// Instance names this guard in the decision log. It must differ between
	// guards that run at the same time, and stay the same over a restart: a guard
	// carries on at once with a kill that it had begun, and with one that another
	// had when that one says no longer that it runs, or after the lease.
	Instance  string
	Code      string              // version of the program
	Every     time.Duration       // between looks at most; default 1 s
	Soonest   time.Duration       // between looks at least; default 250 ms
	FullEvery time.Duration       // between full looks; default 1 min
	Timeout   time.Duration       // of one round; default 10 s
	Lease     time.Duration       // a kill untouched that long is taken over; default 15 s
	Settle    time.Duration       // after a kill, until every client knows; default 30 s
	Limits    guardrails.Limits   // brakes on all kills together; see DefaultConfig
	Shed      guardrails.ShedPlan // for more than is counted; none by default
}

// DefaultConfig is what a guard runs with when nothing is configured.
func DefaultConfig() Config {
	return Config{
		Instance: "guard", Every: time.Second, Soonest: 250 * time.Millisecond, FullEvery: time.Minute, Timeout: 10 * time.Second,
		Lease: 15 * time.Second, Settle: 30 * time.Second, Limits: guardrails.Limits{PerHour: 10},
	}
}

func (c Config) withDefaults() Config {
	d := DefaultConfig()
	c.Instance = cmp.Or(c.Instance, d.Instance)
	c.Every = cmp.Or(c.Every, d.Every)
	c.Soonest = min(cmp.Or(c.Soonest, d.Soonest), c.Every)
	c.FullEvery = cmp.Or(c.FullEvery, d.FullEvery)
	c.Timeout = cmp.Or(c.Timeout, d.Timeout)
	c.Lease = cmp.Or(c.Lease, d.Lease)
	c.Settle = cmp.Or(c.Settle, d.Settle)
	return c
}

// rest is how long a guard waits after a round that took so long. It looks again
// soon, as long as looking takes it no more than a third of the time: harm waits for
// the next look, and everything else on the machine for this one.
func (c Config) rest(took time.Duration) time.Duration {
	return max(min(max(2*took, c.Soonest-took), c.Every-took), 0)
}

// Parts are what a guard works with.
type Parts struct {
	Versions Versions
	Ledger   Ledger
	Journal  Journal
	Looks    Looks
	Switch   Switch
	Arms     Arms     // optional: without it a breach turns the experiment off as a whole
	Traffic  Traffic  // optional: without it ramps are held
	Notifier Notifier // optional
	Fates    Fates    // optional
	Signals  Signals  // optional
	Holds    Holds    // optional
	Presence Presence // optional: without it a kill of a guard that died waits for the lease

	Now      func() time.Time      // default time.Now
	Log      *slog.Logger          // default: silent
	Metrics  prometheus.Registerer // default: not registered
	Observer func(Event)           // optional; called one at a time; must not block
}

func (p Parts) complete() (Parts, error) {
	if p.Versions == nil || p.Journal == nil {
		return p, errors.New("watch: versions and a journal are needed")
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Log == nil {
		p.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if p.Metrics == nil {
		p.Metrics = prometheus.NewRegistry()
	}
	if p.Observer == nil {
		p.Observer = func(Event) {}
	}
	return p, nil
}
