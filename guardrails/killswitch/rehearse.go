package killswitch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// Rehearsal is a kill without its write. It holds no secret and can be stored and
// shown.
type Rehearsal struct {
	State   State    `json:"-"`
	Trouble string   `json:"trouble,omitempty"` // why a kill would fail, or could not be verified
	Remedy  string   `json:"remedy,omitempty"`  // what to do about it
	Method  string   `json:"method"`
	Host    string   `json:"host"`              // a path may be the secret
	Headers []string `json:"headers,omitempty"` // names
	Bytes   int      `json:"bytes"`             // of the body
	Body    string   `json:"body,omitempty"`    // its beginning
}

// Rehearse does everything of Off but the write: it checks as Check does, with the
// same credentials, makes the looks that a vendor's plan begins with, and stops at
// the call that would turn the target off. The error is for a call that could not
// even be built.
func (s *Switch) Rehearse(ctx context.Context, r Request) (Rehearsal, error) {
	var out Rehearsal
	var err error
	if out.State, err = s.Check(ctx, r.Target); err != nil {
		out.Trouble = err.Error()
		if fault := (*Fault)(nil); errors.As(err, &fault) {
			out.Remedy = fault.Remedy
		}
	}
	if r.Target, err = s.aim(r.Target); err != nil {
		return out, fmt.Errorf("kill switch %q: %w", s.name, err)
	}
	step, err := s.firstWrite(ctx, r)
	if err != nil {
		return out, fmt.Errorf("kill switch %q: prepare the off call of %q: %w", s.name, r.flag(), err)
	}
	out.Method, out.Bytes, out.Body = step.Method, len(step.Body), s.door.hider.Show(step.Body)
	if u, err := url.Parse(step.URL); err == nil {
		out.Host = u.Host
	}
	out.Headers = slices.Sorted(maps.Keys(step.Header))
	return out, nil
}

// firstWrite follows a plan's looks to the first call that is none.
func (s *Switch) firstWrite(ctx context.Context, r Request) (Step, error) {
	step, err := s.vendor.Off(r, s.world.Now())
	if err != nil {
		return Step{}, err
	}
	until := s.world.Now().Add(s.deadline)
	for step.Aside && step.Method == http.MethodGet {
		answer, err := s.door.send(ctx, step.Call, until.Sub(s.world.Now()))
		if err != nil {
			return Step{}, err
		}
		answer.At = s.world.Now()
		reply := step.Then(answer)
		if reply.Next == nil {
			return Step{}, fmt.Errorf("the look before it ends with: %s (%s)", reply.Why, s.door.describe(answer))
		}
		step = *reply.Next
	}
	return step, nil
}
