package killswitch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// Runtime is the outside world of a Switch. The zero value is the real one.
type Runtime struct {
	Transport http.RoundTripper                          // default http.DefaultTransport
	Now       func() time.Time                           // default time.Now
	Sleep     func(context.Context, time.Duration) error // default: a timer
	Random    func() float64                             // in [0, 1), for jitter
}

func (r Runtime) withDefaults() Runtime {
	if r.Transport == nil {
		r.Transport = http.DefaultTransport
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Random == nil {
		r.Random = rand.Float64
	}
	return r
}

// Switch turns flags of one system off. It is safe for concurrent use.
type Switch struct {
	name     string
	vendor   Vendor
	door     door
	deadline time.Duration
	world    Runtime
}

// New makes the switch that the operator's configuration calls name. It sends nothing.
func New(name string, c Config, world Runtime) (*Switch, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("kill switch %q: %w", name, err)
	}
	vendor, err := newVendor(c)
	if err != nil {
		return nil, fmt.Errorf("kill switch %q: %w", name, err)
	}
	return newSwitch(name, vendor, c, world), nil
}

func newSwitch(name string, vendor Vendor, c Config, world Runtime) *Switch {
	world = world.withDefaults()
	return &Switch{name: name, vendor: vendor, door: newDoor(c, world.Transport), deadline: c.Deadline, world: world}
}

// ErrNoReadBack says that the state of a switch cannot be read: its kills can
// be accepted, but never verified.
var ErrNoReadBack = errors.New("no read-back is configured, so a kill can never be verified")

// State reads what the switch of a target reads as, now.
func (s *Switch) State(ctx context.Context, t Target) (State, error) {
	call, ok := s.vendor.Read(t)
	if !ok {
		return StateUnknown, fmt.Errorf("kill switch %q: %w", s.name, ErrNoReadBack)
	}
	state, err := s.read(ctx, call, s.door.timeout)
	if err != nil {
		return StateUnknown, fmt.Errorf("kill switch %q: read the state of %q: %w", s.name, t.flag(), err)
	}
	return state, nil
}

// Check is a dry run: it tells whether a kill of the target could be verified,
// without changing anything. Whether the off call would be permitted only the
// call itself can tell.
func (s *Switch) Check(ctx context.Context, t Target) error {
	_, err := s.State(ctx, t)
	return err
}

// Off turns the target off and reports how that went, at the latest after the
// deadline. The error is for what no retry can mend, a request that cannot be
// built or a context that ended; the Outcome is complete then, too.
func (s *Switch) Off(ctx context.Context, r Request) (Outcome, error) {
	k := &kill{Switch: s, request: r, until: s.world.Now().Add(s.deadline)}
	for next := k.look; next != nil; {
		next = next(ctx)
	}
	if k.err != nil {
		return k.out, fmt.Errorf("kill switch %q: turn off %q: %w", s.name, r.flag(), k.err)
	}
	return k.out, nil
}

// read makes the call that reads the state.
func (s *Switch) read(ctx context.Context, call Call, left time.Duration) (State, error) {
	answer, err := s.door.send(ctx, call, left)
	if err != nil {
		return StateUnknown, err
	}
	state, err := s.vendor.State(answer)
	if err != nil {
		return StateUnknown, fmt.Errorf("%w (%s)", err, s.door.describe(answer))
	}
	return state, nil
}
