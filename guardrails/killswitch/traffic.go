package killswitch

import (
	"context"
	"fmt"
	"time"
)

// TrafficRequest asks that a share of the eligible units take part.
type TrafficRequest struct {
	Request
	Was     float64 // what it was before, 0..1: a step begins only from there
	Traffic float64 // what it is to be, 0..1
	Step    int     // of the ramp, for people
	Revert  bool    // nobody is to take part any more, whatever it was
}

// ramper is a vendor that can set how many units take part. Its plans are those of a
// Vendor: what is read is off when the traffic is the one that is wanted.
type ramper interface {
	// Traffic plans how it is set, as Off plans how a flag is turned off.
	Traffic(r TrafficRequest, at time.Time) (Step, error)
	// ReadTraffic plans how it is read; false when it cannot be.
	ReadTraffic(t Target, wanted float64) (Step, bool)
	// CannotSet says why a share cannot be set, "" when it can.
	CannotSet(traffic float64) string
}

// CannotSet says why the switch cannot set a traffic; "" when it can.
func (s *Switch) CannotSet(traffic float64) string { return cannotSet(s.name, s.vendor, traffic) }

// CannotRamp says why a switch of these settings could not set a traffic; "" when it
// could. It asks nobody and needs no secrets.
func CannotRamp(name string, s System, traffic float64) string {
	r, _ := s.(interface{ ramper() ramper })
	if r == nil {
		return cannotSet(name, nil, traffic)
	}
	return cannotSet(name, r.ramper(), traffic)
}

func cannotSet(name string, vendor any, traffic float64) string {
	r, ok := vendor.(ramper)
	if !ok {
		return fmt.Sprintf("the flag system of switch %q has no ramp here: Unleash, a webhook and what assay assigns itself have one", name)
	}
	if why := r.CannotSet(traffic); why != "" {
		return fmt.Sprintf("switch %q: %s", name, why)
	}
	return ""
}

// SetTraffic sets how many units take part and reports how that went, as Off does: by
// the same engine, which looks first, sends, and reads back. Applied and AlreadyOff say
// that the traffic is the one that was asked for.
func (s *Switch) SetTraffic(ctx context.Context, r TrafficRequest) (Outcome, error) {
	if why := s.CannotSet(r.Traffic); why != "" {
		return Outcome{Kind: Denied, Detail: why}, nil
	}
	ramp := *s
	ramp.vendor = dial{s.vendor.(ramper), r, s.vendor.Needs()}
	to := percentText(r.Traffic)
	return ramp.run(ctx, r.Request, words{"it had " + to + " already", to, "another traffic", "set it to " + to}, "set the traffic of")
}

// HasTraffic reads whether the traffic of a target is as wanted, and what it reads as.
// What cannot be read is an error.
func (s *Switch) HasTraffic(ctx context.Context, t Target, wanted float64) (has bool, reads string, err error) {
	r, ok := s.vendor.(ramper)
	if !ok {
		return false, "", fmt.Errorf("kill switch %q: %s", s.name, s.CannotSet(wanted))
	}
	if t, err = s.aim(t); err != nil {
		return false, "", fmt.Errorf("kill switch %q: %w", s.name, err)
	}
	step, ok := r.ReadTraffic(t, wanted)
	if !ok {
		return false, "", fmt.Errorf("kill switch %q: %w", s.name, ErrNoReadBack)
	}
	reply, err := s.read(ctx, step, s.world.Now().Add(s.deadline))
	if err != nil {
		return false, "", fmt.Errorf("kill switch %q: read the traffic of %q: %w", s.name, t.flag(), err)
	}
	return reply.State == StateOff, reply.Reads, nil
}

// dial is a vendor as the engine sees it while a traffic is set.
type dial struct {
	ramper  ramper
	request TrafficRequest
	needs   string
}

// Off implements Vendor.
func (s dial) Off(r Request, at time.Time) (Step, error) {
	request := s.request
	request.Request = r
	return s.ramper.Traffic(request, at)
}

// Read implements Vendor.
func (s dial) Read(t Target) (Step, bool) { return s.ramper.ReadTraffic(t, s.request.Traffic) }

// Needs implements Vendor.
func (s dial) Needs() string { return s.needs }

// percentText writes a share for people.
func percentText(share float64) string { return fmt.Sprintf("%.6g %%", 100*share) }
