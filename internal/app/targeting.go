package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/ofrep"
)

// targetingEvery is how soon a new configuration, and a kill, is heeded.
const targetingEvery = 250 * time.Millisecond

// targetingStore is what says how assay assigns.
type targetingStore interface {
	decisionLog
	VersionNumber(ctx context.Context) (uint32, error)
	VersionAt(ctx context.Context, number uint32) (experiment.Version, error)
}

// Targeting holds how assay assigns: by the configuration in force and by what was
// turned off since. What it holds stays when nothing can be read any more, also over a
// restart: it is kept in a file.
type Targeting struct {
	store   targetingStore
	now     func() time.Time
	current atomic.Pointer[targets]
	read    atomic.Int64 // when everything was last read, in Unix milliseconds

	mu      sync.Mutex // held by who reads on
	version *experiment.Version
	off     map[assignment.Off]bool
	last    uint64 // number of the newest decision
	whole   bool   // configuration and decisions were both read since the start

	file    *targetsFile // nil: nothing is kept
	kept    *keptTargets // what the file said at the start; nil once everything was read
	written time.Time    // when the file was last written, or could not be
	tag     string       // of what was written
}

// targets are what is answered from, until changed is closed.
type targets struct {
	set     *assignment.Set
	changed chan struct{}
}

// NewTargeting holds nothing until Refresh.
func NewTargeting(store targetingStore, registry prometheus.Registerer, now func() time.Time) (*Targeting, error) {
	t := &Targeting{store: store, now: now, off: map[assignment.Off]bool{}}
	t.current.Store(&targets{changed: make(chan struct{})})
	t.read.Store(now().UnixMilli())
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "assay_assignment_age_seconds", Help: "Time since configuration and decision log were last read: a kill is not known here for as long.",
	}, func() float64 { return now().Sub(time.UnixMilli(t.read.Load())).Seconds() })
	if err := registry.Register(age); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return t, nil
}

// Now implements ofrep.Source.
func (t *Targeting) Now() (*assignment.Set, <-chan struct{}) {
	c := t.current.Load()
	return c.set, c.changed
}

// Refresh reads what is new. What cannot be read leaves everything as it was, but for
// the phases that begin meanwhile.
func (t *Targeting) Refresh(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := errors.Join(t.readVersion(ctx), t.readDecisions(ctx))
	now := t.now()
	if err == nil {
		t.read.Store(now.UnixMilli())
		t.whole, t.kept = true, nil
	}
	switch {
	case t.whole:
		t.show(assignment.SetOf(t.version, t.off, now))
	case t.kept != nil:
		t.show(assignment.SetOf(t.kept.Version, t.kept.off(), now))
	}
	if err != nil {
		return err
	}
	return t.keep(now)
}

// show makes a set the one that is answered from.
func (t *Targeting) show(set *assignment.Set) {
	old := t.current.Load()
	if old.set == nil || set.Tag != old.set.Tag {
		t.current.Store(&targets{set: set, changed: make(chan struct{})})
		close(old.changed)
	}
}

// Ready says why clients are answered with an error.
func (t *Targeting) Ready(context.Context) error {
	if set, _ := t.Now(); set == nil {
		return errors.New("no configuration was read since the start, and none is kept from before")
	}
	return nil
}

func (t *Targeting) readVersion(ctx context.Context) error {
	number, err := t.store.VersionNumber(ctx)
	if err != nil {
		return fmt.Errorf("read the version number: %w", err)
	}
	if t.version != nil && t.version.Number == number {
		return nil
	}
	v := experiment.Version{} // before the first apply nothing is assigned
	if number > 0 {
		if v, err = t.store.VersionAt(ctx, number); err != nil {
			return fmt.Errorf("read version %d: %w", number, err)
		}
	}
	t.version = &v
	return nil
}

func (t *Targeting) readDecisions(ctx context.Context) error {
	rows, err := t.store.Decisions(ctx, clickhouse.DecisionFilter{After: t.last})
	if err != nil {
		return fmt.Errorf("read the decision log: %w", err)
	}
	entries, err := entriesOf(rows)
	if err != nil {
		return err
	}
	for _, e := range entries {
		t.last = e.Seq
		if off, ok := offOf(e); ok {
			t.off[off] = true
		}
	}
	return nil
}

// assigning is what answers clients that ask for variants.
type assigning struct {
	routes map[string]http.Handler
	parts  []Part
	ready  func(context.Context) error
}

// assigns makes it. What was kept from before is answered from until the database is
// read.
func (s *Stack) assigns(ctx context.Context, registry prometheus.Registerer) (assigning, error) {
	t, err := NewTargeting(s.DB, registry, time.Now)
	if err != nil {
		return assigning{}, err
	}
	if err := t.KeepIn(s.targetsFile()); err != nil {
		s.Log.Warn("what is kept of how to assign cannot be read", "error", err)
	}
	refresh := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, targetingTimeout)
		defer cancel()
		return t.Refresh(ctx)
	}
	if err := refresh(ctx); err != nil {
		s.Log.Warn("read how to assign", "error", err) // tried again below
	}
	server, err := ofrep.New(ofrep.Config{Source: t, Metrics: registry, Log: s.Log, PerSecond: s.Config.Evaluations.PerSecond})
	if err != nil {
		return assigning{}, fmt.Errorf("make the evaluation of flags: %w", err)
	}
	run := func(ctx context.Context) error {
		return s.rounds(ctx, "read how to assign", targetingEvery, func(ctx context.Context, _ time.Time) error { return refresh(ctx) })
	}
	return assigning{server.Routes(), []Part{run, server.Run}, t.Ready}, nil
}

// targetingTimeout lets a read that hangs not keep phases from beginning.
const targetingTimeout = 2 * time.Second
