package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// RampSaid is what came of what a person said of a ramp.
type RampSaid struct {
	guardrails.Move
	Decision uint64
	State    guardrails.EntryKind // of a revert: how far it is
}

// Ramp does what a person says of the ramp that runs: approve, pause, resume or revert.
func (h *Hand) Ramp(ctx context.Context, of Named, act, reason string) (said RampSaid, err error) {
	switch act {
	case "approve":
		return h.ApproveRamp(ctx, of, reason)
	case "pause":
		return h.PauseRamp(ctx, of, reason)
	case "resume":
		return h.ResumeRamp(ctx, of, reason)
	case "revert":
		k, err := h.RevertRamp(ctx, of, reason)
		said.Decision, said.State = k.Decided.Seq, k.State
		if k.Decided.Ramp != nil {
			said.Move = *k.Decided.Ramp
		}
		return said, err
	}
	return said, fmt.Errorf("%q is nothing that can be said of a ramp: %w", act, ErrRamp)
}

// ApproveRamp agrees to the next step of the ramp that runs, as the file has it now. The
// ramp goes there when its guardrails let it.
func (h *Hand) ApproveRamp(ctx context.Context, of Named, reason string) (RampSaid, error) {
	return h.sayOfRamp(ctx, of, reason, guardrails.RampApproved, func(r *experiment.Ramp, step int, log guardrails.RampLog) (guardrails.Move, error) {
		switch {
		case step >= len(r.Steps):
			return guardrails.Move{}, fmt.Errorf("its last step is in force: %w", ErrRamp)
		case !r.Steps[step-1].Approval:
			return guardrails.Move{}, fmt.Errorf("step %d asks for no approval: %w", step, ErrRamp)
		}
		m := guardrails.Move{Step: step + 1, Was: r.Steps[step-1].Traffic, Traffic: r.Steps[step].Traffic, ByHand: true}
		if a := log.Approved; a != nil && a.Step == m.Step && a.Traffic == m.Traffic {
			return m, fmt.Errorf("step %d is approved already: %w", m.Step, ErrRamp)
		}
		return m, nil
	})
}

// PauseRamp holds the ramp that runs where it is. A step that is being carried out is
// carried out.
func (h *Hand) PauseRamp(ctx context.Context, of Named, reason string) (RampSaid, error) {
	return h.sayOfRamp(ctx, of, reason, guardrails.RampPause, func(_ *experiment.Ramp, _ int, log guardrails.RampLog) (m guardrails.Move, err error) {
		if log.Paused != nil {
			err = fmt.Errorf("it is paused already, by %s: %w", log.Paused.Actor, ErrRamp)
		}
		return m, err
	})
}

// ResumeRamp lets a ramp go on that was paused, or whose last step could not be carried
// out: that is tried again.
func (h *Hand) ResumeRamp(ctx context.Context, of Named, reason string) (RampSaid, error) {
	return h.sayOfRamp(ctx, of, reason, guardrails.RampResume, func(_ *experiment.Ramp, _ int, log guardrails.RampLog) (m guardrails.Move, err error) {
		if log.Paused == nil && !log.Stuck() {
			err = fmt.Errorf("it is neither paused nor held by a step that failed: %w", ErrRamp)
		}
		return m, err
	})
}

// sayOfRamp writes down what a person says of a ramp that goes on.
func (h *Hand) sayOfRamp(ctx context.Context, of Named, reason string, kind guardrails.EntryKind,
	check func(*experiment.Ramp, int, guardrails.RampLog) (guardrails.Move, error)) (said RampSaid, err error) {
	v, it, step, err := h.ramping(ctx, of, reason)
	if err != nil {
		return said, err
	}
	var wrong error
	var m guardrails.Move
	e, _, err := h.watch.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		state := log.Ramp(of.Experiment, it.Number)
		if wrong = overAlready(state); wrong == nil {
			m, wrong = check(it.Ramp, step, state)
		}
		m.Step, m.ByHand = max(m.Step, step), true
		return h.entryOf(v, of, it, kind, m, reason), wrong == nil
	})
	if wrong != nil {
		return said, fmt.Errorf("ramp %s: %w", of.Experiment, wrong)
	}
	return RampSaid{Move: m, Decision: e.Seq}, err
}

// overAlready refuses what is said of a ramp that never goes on.
func overAlready(l guardrails.RampLog) error {
	switch last := l.Last.Decided.Ramp; {
	case l.Killing:
		return ErrKilled
	case last != nil && last.Revert:
		return fmt.Errorf("it was reverted by %s, and goes on in the next iteration only: %w", l.Last.Decided.Actor, ErrRamp)
	}
	return nil
}

// RevertRamp sees to it that nobody takes part any more, and returns how far that came.
// It waits for no approval here; where the flag system asks for one the state says so.
func (h *Hand) RevertRamp(ctx context.Context, of Named, reason string) (guardrails.Kill, error) {
	v, it, step, err := h.ramping(ctx, of, reason)
	if err != nil {
		return guardrails.Kill{}, err
	}
	m := guardrails.Move{Step: step, Was: it.PhaseAt(h.watch.now()).Traffic, Revert: true, ByHand: true}
	e, written, err := h.watch.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		return h.entryOf(v, of, it, guardrails.RampRevert, m, reason), log.MayMove(of.Experiment, it.Number, m, h.watch.now())
	})
	switch {
	case err != nil:
		return guardrails.Kill{}, err
	case !written:
		return guardrails.Kill{}, fmt.Errorf("ramp %s: it is being reverted or turned off, or was: %w", of.Experiment, ErrRamp)
	}
	if err := h.awaitClear(ctx, e.Seq); err != nil {
		return guardrails.Kill{}, err
	}
	return h.finish(ctx, v, e.Seq)
}

// awaitClear waits until a guard that was carrying out a step has heard of the revert.
func (h *Hand) awaitClear(ctx context.Context, decision uint64) error {
	for {
		clear := false
		h.watch.book.read(func(log *guardrails.Log) {
			k, _ := log.ByDecision(decision)
			clear = h.watch.clear(log, k, h.watch.now())
		})
		if clear {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(h.watch.config.Soonest):
		}
		if err := h.watch.book.sync(ctx); err != nil {
			return err
		}
	}
}

// ramping is the ramp of the iteration that runs now, and its step in force.
func (h *Hand) ramping(ctx context.Context, of Named, reason string) (*experiment.Version, *experiment.Iteration, int, error) {
	if reason == "" {
		return nil, nil, 0, ErrNoReason
	}
	v, it, err := h.running(ctx, of)
	if err == nil && it.Ramp == nil {
		err = fmt.Errorf("%s: %w", of.Experiment, experiment.ErrNoRamp)
	}
	if err != nil {
		return nil, nil, 0, err
	}
	step, _, _ := it.RampAt(h.watch.now())
	return v, it, step, nil
}

func (h *Hand) entryOf(v *experiment.Version, of Named, it *experiment.Iteration, kind guardrails.EntryKind, m guardrails.Move, reason string) guardrails.Entry {
	return guardrails.Entry{Kind: kind, Experiment: of.Experiment, Iteration: it.Number, Ramp: &m,
		Actor: h.actor, Text: reason, Config: v.Number, Code: h.watch.config.Code}
}
