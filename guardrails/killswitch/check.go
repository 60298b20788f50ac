package killswitch

import (
	"context"
	"errors"
	"fmt"

	"github.com/assay-dev/assay/internal/outbound"
)

// Fault is why a kill would fail, and what to do about it.
type Fault struct {
	Err    error
	Remedy string
}

// Error implements error.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap implements errors.
func (f *Fault) Unwrap() error { return f.Err }

// Check is a dry run: it tells what the switch of a target reads as, and whether
// a kill could be verified and, where the system can try an off call, would be
// permitted. It changes nothing. Where the system cannot, only the call itself
// can tell. An error is a *Fault.
func (s *Switch) Check(ctx context.Context, t Target) (State, error) {
	t, err := s.aim(t)
	if err != nil {
		return StateUnknown, s.fault(err, "name it under arms, or turn the whole experiment off")
	}
	step, ok := s.vendor.Read(t)
	if !ok {
		return StateUnknown, s.fault(ErrNoReadBack, "add read_back to the switch in assay.yaml")
	}
	until := s.world.Now().Add(s.deadline)
	reply, err := s.read(ctx, step, until)
	if err != nil {
		return StateUnknown, s.fault(fmt.Errorf("read the state of %q: %w", t.flag(), err), s.remedy(reply, err))
	}
	if v, ok := s.vendor.(trier); ok {
		err = s.try(ctx, v, t)
	}
	return reply.State, err
}

// try carries out the system's own dry run.
func (s *Switch) try(ctx context.Context, v trier, t Target) error {
	step, err := v.Try(t)
	if err != nil {
		return s.fault(err, "")
	}
	for {
		answer, err := s.door.send(ctx, step.Call, s.door.timeout)
		if err != nil {
			return s.fault(fmt.Errorf("try to turn off %q: %w", t.flag(), err), s.remedy(Reply{}, err))
		}
		answer.At = s.world.Now()
		reply := step.Then(answer)
		switch {
		case reply.Next != nil:
			step = *reply.Next
		case reply.Class == ClassAccepted:
			return nil
		default:
			err := fmt.Errorf("try to turn off %q: %s", t.flag(), s.because(reply, answer))
			return s.fault(err, s.remedy(reply, err))
		}
	}
}

// because is why a reply is what it is, with the answer.
func (s *Switch) because(r Reply, a Answer) string {
	if r.Why == "" {
		return s.door.describe(a)
	}
	return r.Why + " (" + s.door.describe(a) + ")"
}

func (s *Switch) fault(err error, remedy string) error {
	return &Fault{fmt.Errorf("kill switch %q: %w", s.name, err), remedy}
}

// remedy is what to do about an answer, or about an error of a call without one.
func (s *Switch) remedy(r Reply, err error) string {
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		return "name another address in assay.yaml"
	case r.Class == ClassDenied:
		return "it needs " + s.vendor.Needs()
	case r.Class == ClassNotFound:
		return "create the flag, or correct its key (flag, or the experiment's) and where it is looked for in assay.yaml"
	case r.Class == ClassPendingApproval:
		return "every kill will wait for a person: let the token pass approvals by, or be ready to approve"
	case r.Class == ClassRateLimited:
		return "too many calls were made with this token: give the switch one of its own"
	case r.Class == ClassMisdirected:
		return "redirects are not followed: name the final address in assay.yaml"
	case r.Class == ClassAccepted:
		return "the answer has another form than its documentation: check the address in assay.yaml and the version of the system"
	default:
		return "check the address in assay.yaml, that this host reaches it, and that the system is up"
	}
}
