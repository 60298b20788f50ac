package watch

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// end writes the version in which the iteration ended at t_k, or in which the phase of a
// ramp's move began then. Somebody else may
// append a version in between; then it is tried on that one. Of this guard's own kills
// one at a time tries: of a hundred at once each would lose to nearly all others.
func (w *Watch) end(ctx context.Context, k guardrails.Kill) error {
	w.ending.Lock()
	defer w.ending.Unlock()
	for {
		number, err := w.parts.Versions.VersionNumber(ctx)
		if err != nil {
			return fmt.Errorf("read the version number: %w", err)
		}
		v, err := w.versionAt(ctx, number)
		if err != nil {
			return err
		}
		if kind, text := endedAlready(v, k); text != "" {
			return w.ended(ctx, k, number, kind, text)
		}
		next, err := w.without(v, k)
		if err != nil {
			return fmt.Errorf("end the iteration: %w", err)
		}
		err = w.parts.Versions.AppendVersion(ctx, *next)
		if err == nil {
			w.written.Store(next)
			return w.ended(ctx, k, next.Number, ending(k), endText(k))
		}
		after, numberErr := w.parts.Versions.VersionNumber(ctx)
		if numberErr != nil || after == number {
			return fmt.Errorf("append version %d: %w", next.Number, err)
		}
	}
}

// versionAt reads a version, unless it is at hand.
func (w *Watch) versionAt(ctx context.Context, number uint32) (*experiment.Version, error) {
	for _, known := range []*experiment.Version{w.written.Load(), w.applied.Load()} {
		if known != nil && known.Number == number {
			return known, nil
		}
	}
	v, err := w.parts.Versions.VersionAt(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", number, err)
	}
	return &v, nil
}

// without is the version in which what was killed is off from t_k on: the iteration, or
// one arm of it.
func (w *Watch) without(v *experiment.Version, k guardrails.Kill) (*experiment.Version, error) {
	d := k.Decided
	switch {
	case d.Ramp != nil && d.Ramp.Revert:
		return v.RevertRamp(d.Experiment, k.SentAt, d.Seq, d.Text, d.Actor, w.now())
	case d.Ramp != nil:
		return v.BeginStep(d.Experiment, d.Ramp.Step, d.Ramp.Traffic, k.SentAt, d.Seq, d.Text, d.Actor, w.now())
	case d.ArmOff:
		return v.TurnOffArm(d.Experiment, d.Arm, k.SentAt, d.Seq, d.Text, d.Actor, w.now())
	}
	return v.Kill(d.Experiment, k.SentAt, d.Seq, d.Text, d.Actor, w.now())
}

// ending is the line that says that the version is there.
func ending(k guardrails.Kill) guardrails.EntryKind {
	switch {
	case k.Decided.Ramp != nil:
		return guardrails.PhaseBegun
	case k.Decided.ArmOff:
		return guardrails.ArmEnded
	default:
		return guardrails.IterationEnded
	}
}

func endText(k guardrails.Kill) string {
	if move := k.Decided.Ramp; move != nil && move.Revert {
		return "nobody takes part since the accepted call was sent; what was counted stays, and the iteration goes on"
	} else if move != nil {
		return fmt.Sprintf("step %d, %s, is a phase since the accepted call was sent", move.Step, share(move.Traffic))
	}
	if k.Decided.ArmOff {
		return fmt.Sprintf("the share of %s is 0 since the accepted call was sent; the iteration goes on", k.Decided.Arm)
	}
	return "the iteration ended when the accepted call was sent"
}

// endedAlready says why there is no iteration left to end, or to begin a phase of, and
// the line for it.
func endedAlready(v *experiment.Version, k guardrails.Kill) (guardrails.EntryKind, string) {
	it := iterationOf(v, k)
	if k.Decided.Ramp != nil && it != nil && it.HasPhaseOf(k.Decided.Seq) {
		return guardrails.PhaseBegun, "the phase had begun"
	}
	if k.Decided.Ramp != nil {
		return guardrails.PhaseSkipped, whyEnded(v, it, k)
	}
	return ending(k), whyEnded(v, it, k)
}

func whyEnded(v *experiment.Version, it *experiment.Iteration, k guardrails.Kill) string {
	switch {
	case v.Find(k.Decided.Experiment) == nil:
		return "the experiment is gone"
	case it == nil:
		return "the iteration is gone"
	case it.Killed != nil:
		return "the iteration had been ended by a kill"
	case !k.SentAt.Before(it.End):
		return "the iteration had ended by itself"
	case k.Decided.ArmOff && it.ArmOff(k.Decided.Arm) != nil:
		return "the arm had been turned off"
	case k.Decided.Ramp != nil:
		return noPhase(it, k)
	default:
		return ""
	}
}

func (w *Watch) ended(ctx context.Context, k guardrails.Kill, version uint32, kind guardrails.EntryKind, text string) error {
	_, _, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		if now, _ := log.ByDecision(k.Decided.Seq); now.Ended {
			return guardrails.Entry{}, false
		}
		e := w.continued(k, kind, k.SentAt, text)
		e.Config = version
		return e, true
	})
	return err
}
