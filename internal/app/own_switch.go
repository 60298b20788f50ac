package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

// offOf is what an entry of the decision log turned off of what assay assigns: the line
// that says that a kill is being sent is the off call. It holds for its iteration for
// ever, whatever becomes of the kill: turning on again is the next iteration's.
func offOf(e guardrails.Entry) (assignment.Off, bool) {
	off := assignment.Off{Experiment: e.Experiment, Iteration: e.Iteration}
	if e.ArmOff {
		off.Arm = e.Arm
	}
	return off, e.Kind == guardrails.Sending && e.Ramp == nil
}

// decisionLog is where the state of our own switch stands.
type decisionLog interface {
	Decisions(ctx context.Context, f clickhouse.DecisionFilter) ([]clickhouse.Decision, error)
}

// How long our own switch tries to read itself back, and how often.
const (
	ownDeadline = 60 * time.Second
	ownEvery    = 250 * time.Millisecond
)

// ownSwitch turns off what assay assigns. Whoever orders it has written the line that
// does so before; what is left is to read it back.
type ownSwitch struct{ log decisionLog }

// Off implements watch.Switch.
func (s ownSwitch) Off(ctx context.Context, o watch.Order, progress func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	at := time.Now()
	ctx, cancel := context.WithTimeout(ctx, ownDeadline)
	defer cancel()
	progress(guardrails.Sending, at)
	for {
		off, err := s.IsOff(ctx, o)
		if off {
			progress(guardrails.Accepted, at)
			return watch.Result{State: guardrails.Verified, OffAt: at, Detail: "every `assay serve` gives its units what the control gets, from its next look at the decision log on"}, nil
		}
		if err == nil {
			err = errors.New("the decision log has no line that turns it off")
		}
		select {
		case <-ctx.Done():
			return watch.Result{State: guardrails.Failed, Detail: "it could not be read back: " + err.Error()}, nil
		case <-time.After(ownEvery):
		}
	}
}

// IsOff implements watch.Switch.
func (s ownSwitch) IsOff(ctx context.Context, o watch.Order) (bool, error) {
	rows, err := s.log.Decisions(ctx, clickhouse.DecisionFilter{Experiment: o.Experiment, Iteration: o.Iteration})
	if err != nil {
		return false, fmt.Errorf("read the decision log: %w", err)
	}
	entries, err := entriesOf(rows)
	if err != nil {
		return false, err
	}
	want := assignment.Off{Experiment: o.Experiment, Iteration: o.Iteration, Arm: o.Arm}
	for _, e := range entries {
		if off, ok := offOf(e); ok && off == want {
			return true, nil
		}
	}
	return false, nil
}

// Drill implements watch.Switch.
func (s ownSwitch) Drill(ctx context.Context, o watch.Order) (watch.Drill, error) {
	d := watch.Drill{Switch: o.Switch, Reads: "on", Method: "a line", Host: "of the decision log"}
	off, err := s.IsOff(ctx, o)
	switch {
	case err != nil:
		d.Reads, d.Trouble, d.Remedy = "unknown", err.Error(), "see whether ClickHouse answers"
	case off:
		d.Reads = "off"
	}
	return d, nil
}

// try reads the state: there is nothing else that could go wrong.
func (s ownSwitch) try(ctx context.Context, e *experiment.Experiment) []doctor.Tried {
	off, err := s.IsOff(ctx, watch.Order{Experiment: e.Key, Iteration: e.Latest().Number})
	return []doctor.Tried{{Switch: e.KillSwitch, Experiment: e.Key, On: err == nil && !off, Err: err}}
}
