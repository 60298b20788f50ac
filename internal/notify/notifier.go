package notify

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config is how messages are delivered. The zero value of a field means its default.
type Config struct {
	Attempt  time.Duration // one attempt may take so long; default 10 s
	Deadline time.Duration // a message not delivered by then is given up; default 10 min
	Drain    time.Duration // at the end, for what still waits; default 10 s
	Waiting  int           // messages that may wait for one channel; default 256

	Now     func() time.Time      // default time.Now
	Log     *slog.Logger          // default: silent
	Metrics prometheus.Registerer // default: not registered
}

func (c Config) withDefaults() Config {
	c.Attempt = cmp.Or(c.Attempt, 10*time.Second)
	c.Deadline = cmp.Or(c.Deadline, 10*time.Minute)
	c.Drain = cmp.Or(c.Drain, 10*time.Second)
	c.Waiting = cmp.Or(c.Waiting, 256)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	return c
}

// Way is a channel and what goes over it.
type Way struct {
	Name      string // in logs and metrics: slack, email …
	Channel   Channel
	OnlyPages bool
	// Again is how often what is open is said again, for a channel that would
	// forget it. 0: never.
	Again time.Duration
	// Once is for a channel where saying it twice is read twice. Repeats of what
	// is older than the deadline are left out there: it was delivered or given up.
	Once bool
}

// Notifier tells people. Make it with New; it delivers while Run runs.
type Notifier struct {
	config Config
	ways   []*way
}

// New makes a notifier. It sends nothing yet.
func New(c Config, ways []Way) (*Notifier, error) {
	c = c.withDefaults()
	counter, err := newCounter(c.Metrics, ways)
	if err != nil {
		return nil, err
	}
	n := &Notifier{config: c}
	for _, w := range ways {
		n.ways = append(n.ways, &way{
			Way: w, config: c, queue: newQueue(c.Waiting), open: map[string]Message{},
			counter: counter, random: rand.Float64,
		})
	}
	return n, nil
}

// Notify hands a message to every channel that it concerns, and returns at once.
func (n *Notifier) Notify(m Message) {
	m = m.tidy()
	for _, w := range n.ways {
		w.take(m)
	}
}

// Run delivers until the context ends, then gives what still waits a last
// attempt and a little time.
func (n *Notifier) Run(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var all sync.WaitGroup
	for _, w := range n.ways {
		all.Go(func() { w.run(life) })
	}
	<-ctx.Done()
	for _, w := range n.ways {
		w.queue.close()
	}
	timer := time.AfterFunc(n.config.Drain, end)
	defer timer.Stop()
	all.Wait()
	return nil
}

// Names are those of the channels.
func (n *Notifier) Names() []string {
	names := make([]string, len(n.ways))
	for i, w := range n.ways {
		names[i] = w.Name
	}
	return names
}

// Attempt is how one attempt on one channel went.
type Attempt struct {
	Way string
	Err error
}

// Try sends a message over every channel once, now, and tells how that went. It
// needs no Run.
func (n *Notifier) Try(ctx context.Context, m Message) []Attempt {
	m = m.tidy()
	out := make([]Attempt, len(n.ways))
	var all sync.WaitGroup
	for i, w := range n.ways {
		all.Go(func() { out[i] = Attempt{w.Name, w.attempt(ctx, m)} })
	}
	all.Wait()
	return out
}
