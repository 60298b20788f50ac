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
		next, err := v.Kill(k.Decided.Experiment, k.SentAt, k.Decided.Seq, k.Decided.Text, k.Decided.Actor, w.now())
		if err != nil {
			return fmt.Errorf("end the iteration: %w", err)
		}
		err = w.parts.Versions.AppendVersion(ctx, *next)
		if err == nil {
			return w.ended(ctx, k, next.Number, "the iteration ended when the accepted call was sent")
		}
		after, numberErr := w.parts.Versions.VersionNumber(ctx)
		if numberErr != nil || after == number {
			return fmt.Errorf("append version %d: %w", next.Number, err)
		}
	}
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
	default:
		return ""
	}
}

func (w *Watch) ended(ctx context.Context, k guardrails.Kill, version uint32, text string) error {
	_, _, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		if now, _ := log.ByDecision(k.Decided.Seq); now.Ended {
			return guardrails.Entry{}, false
		}
		e := w.continued(k, guardrails.IterationEnded, k.SentAt, text)
		e.Config = version
		return e, true
	})
	return err
}
