package watch

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// end writes the version in which the iteration ended at t_k. Somebody else may
// append a version in between; then it is tried on that one.
func (w *Watch) end(ctx context.Context, k guardrails.Kill) error {
	for {
		number, err := w.parts.Versions.VersionNumber(ctx)
		if err != nil {
			return fmt.Errorf("read the version number: %w", err)
		}
		v, err := w.parts.Versions.VersionAt(ctx, number)
		if err != nil {
			return fmt.Errorf("read version %d: %w", number, err)
		}
		if text := endedAlready(&v, k); text != "" {
			return w.ended(ctx, k, number, text)
		}
		next, err := w.without(&v, k)
		if err != nil {
			return fmt.Errorf("end the iteration: %w", err)
		}
		err = w.parts.Versions.AppendVersion(ctx, *next)
		if err == nil {
			return w.ended(ctx, k, next.Number, endText(k))
		}
		after, numberErr := w.parts.Versions.VersionNumber(ctx)
		if numberErr != nil || after == number {
			return fmt.Errorf("append version %d: %w", next.Number, err)
		}
	}
}

// without is the version in which what was killed is off from t_k on: the iteration, or
// one arm of it.
func (w *Watch) without(v *experiment.Version, k guardrails.Kill) (*experiment.Version, error) {
	d := k.Decided
	if d.ArmOff {
		return v.TurnOffArm(d.Experiment, d.Arm, k.SentAt, d.Seq, d.Text, d.Actor, w.now())
	}
	return v.Kill(d.Experiment, k.SentAt, d.Seq, d.Text, d.Actor, w.now())
}

func endText(k guardrails.Kill) string {
	if k.Decided.ArmOff {
		return fmt.Sprintf("the share of %s is 0 since the accepted call was sent; the iteration goes on", k.Decided.Arm)
	}
	return "the iteration ended when the accepted call was sent"
}

// endedAlready says why there is no iteration left to end.
func endedAlready(v *experiment.Version, k guardrails.Kill) string {
	it := iterationOf(v, k)
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
	default:
		return ""
	}
}

func (w *Watch) ended(ctx context.Context, k guardrails.Kill, version uint32, text string) error {
	_, _, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		if now, _ := log.ByDecision(k.Decided.Seq); now.Ended {
			return guardrails.Entry{}, false
		}
		kind := guardrails.IterationEnded
		if k.Decided.ArmOff {
			kind = guardrails.ArmEnded
		}
		e := w.continued(k, kind, k.SentAt, text)
		e.Config = version
		return e, true
	})
	return err
}
