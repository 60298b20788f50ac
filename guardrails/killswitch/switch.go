package killswitch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// Runtime is the outside world of a Switch. The zero value is the real one.
type Runtime struct {
	Transport http.RoundTripper                          // default: the network, without link-local addresses
	Now       func() time.Time                           // default time.Now
	Sleep     func(context.Context, time.Duration) error // default: a timer
	Random    func() float64                             // in [0, 1), for jitter
}

func (r Runtime) withDefaults() Runtime {
	if r.Transport == nil {
		r.Transport = outbound.NewTransport()
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
	flag     string
	arms     map[string]string
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
	vendor, err := c.System.vendor()
	if err != nil {
		return nil, fmt.Errorf("kill switch %q: %w", name, err)
	}
	return newSwitch(name, vendor, c, world), nil
}

func newSwitch(name string, vendor Vendor, c Config, world Runtime) *Switch {
	world = world.withDefaults()
	return &Switch{
		name: name, vendor: vendor, flag: c.Flag, arms: c.Arms,
		door: newDoor(c, world.Transport), deadline: c.Deadline, world: world,
	}
}

// OffersArm tells whether the arm can be turned off by itself.
func (s *Switch) OffersArm(arm string) bool {
	return s.arms[arm] != ""
}

// aim finds what a target is called in the flag system.
func (s *Switch) aim(t Target) (Target, error) {
	if t.Arm != "" {
		named := s.arms[t.Arm]
		switch {
		case named == "":
			return t, fmt.Errorf("it has no off for the arm %q: name one under arms", t.Arm)
		case isAddress(named):
			t.address = named
		default:
			t.Flag = fill(named, t)
		}
	}
	if t.Flag == "" && s.flag != "" {
		t.Flag = fill(s.flag, t)
	}
	return t, nil
}

// fill makes a flag's key of its template.
func fill(template string, t Target) string {
	return strings.NewReplacer("{experiment}", t.Experiment, "{arm}", t.Arm).Replace(template)
}

// ErrNoReadBack says that the state of a switch cannot be read: its kills can
// be accepted, but never verified.
var ErrNoReadBack = errors.New("no read-back is configured, so a kill can never be verified")

// State reads what the switch of a target reads as, now.
func (s *Switch) State(ctx context.Context, t Target) (State, error) {
	t, err := s.aim(t)
	if err != nil {
		return StateUnknown, fmt.Errorf("kill switch %q: %w", s.name, err)
	}
	step, ok := s.vendor.Read(t)
	if !ok {
		return StateUnknown, fmt.Errorf("kill switch %q: %w", s.name, ErrNoReadBack)
	}
	reply, err := s.read(ctx, step, s.world.Now().Add(s.deadline))
	if err != nil {
		return StateUnknown, fmt.Errorf("kill switch %q: read the state of %q: %w", s.name, t.flag(), err)
	}
	return reply.State, nil
}

// Off turns the target off and reports how that went, at the latest after the
// deadline. The error is for what no retry can mend, a request that cannot be
// built or a context that ended; the Outcome is complete then, too.
func (s *Switch) Off(ctx context.Context, r Request) (Outcome, error) {
	return s.run(ctx, r, offWords(), "turn off")
}

// run is one run of the engine.
func (s *Switch) run(ctx context.Context, r Request, w words, what string) (Outcome, error) {
	k := &kill{Switch: s, words: w, until: s.world.Now().Add(s.deadline)}
	next := k.look
	if target, err := s.aim(r.Target); err != nil {
		next = k.fail(err)
	} else {
		r.Target = target
	}
	k.request = r
	for next != nil {
		next = next(ctx)
	}
	if k.err != nil {
		return k.out, fmt.Errorf("kill switch %q: %s %q: %w", s.name, what, r.flag(), k.err)
	}
	return k.out, nil
}

// read carries out a plan that reads the state.
func (s *Switch) read(ctx context.Context, step Step, until time.Time) (Reply, error) {
	for {
		answer, err := s.door.send(ctx, step.Call, until.Sub(s.world.Now()))
		if err != nil {
			return Reply{}, err
		}
		answer.At = s.world.Now()
		reply := step.Then(answer)
		reply.Wait = max(reply.Wait, outbound.RetryAfter(answer.Header, answer.At))
		switch {
		case reply.Next != nil:
			step = *reply.Next
		case reply.State == StateUnknown:
			return reply, fmt.Errorf("%s (%s)", reply.Why, s.door.describe(answer))
		default:
			return reply, nil
		}
	}
}
