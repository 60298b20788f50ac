package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

const (
	// overrideEvery is how often the switch of a killed experiment is read.
	overrideEvery = time.Minute
	// overrideSure is how long it must read as on: one answer may come from a cache or a
	// replica that has not heard of the kill, and a word against it stands for ever.
	overrideSure = 20 * time.Second
)

// watchOverrides looks whether somebody has turned a killed experiment on again while
// its iteration was meant to run. That is a person's word against the guard's: it is
// written down and told, and no guard turns this iteration off again.
func (w *Watch) watchOverrides(life context.Context, v *experiment.Version, now time.Time) {
	for _, k := range w.killed() {
		r := w.reading(life, k)
		if now.Before(r.next) || !now.Before(r.end) || !lastIteration(v, k) || !w.claim(k.Decided.Seq) {
			continue
		}
		r.next = now.Add(overrideEvery)
		w.carriers.Go(func() {
			defer w.release(k.Decided.Seq)
			if err := w.checkOverride(life, v, k); err != nil && life.Err() == nil {
				w.parts.Log.Warn("the switch of a killed experiment cannot be read", "experiment", k.Decided.Experiment,
					"decision", k.Decided.Seq, "error", err)
			}
		})
	}
}

// killed are the kills that were carried out and that nobody has undone.
func (w *Watch) killed() (out []guardrails.Kill) {
	w.book.read(func(log *guardrails.Log) {
		for _, k := range log.Kills() {
			if k.State == guardrails.Verified && k.Ended && k.Overridden.IsZero() {
				out = append(out, k)
			}
		}
	})
	return out
}

// reading is when the switch of a kill is read.
type reading struct {
	next time.Time
	end  time.Time // planned, of the iteration; zero while it is not known
}

func (w *Watch) reading(ctx context.Context, k guardrails.Kill) *reading {
	r := w.readings[k.Decided.Seq]
	if r == nil { // every client, and the system itself, may need a moment
		r = &reading{next: k.Verified.Add(overrideEvery)}
		w.readings[k.Decided.Seq] = r
	}
	if r.end.IsZero() {
		// The version that was judged has the end as it was planned.
		v, err := w.version(ctx, k.Decided.Config)
		if err != nil {
			w.parts.Log.Warn("the planned end of a killed iteration is not known", "decision", k.Decided.Seq, "error", err)
			return r
		}
		r.end = k.Verified // no such iteration: nothing to read
		if it := iterationOf(v, k); it != nil {
			r.end = it.End
		}
	}
	return r
}

func iterationOf(v *experiment.Version, k guardrails.Kill) *experiment.Iteration {
	e := v.Find(k.Decided.Experiment)
	if e == nil {
		return nil
	}
	for i := range e.Iterations {
		if it := &e.Iterations[i]; it.Number == k.Decided.Iteration {
			return it
		}
	}
	return nil
}

// lastIteration tells whether the killed iteration is still the experiment's last:
// after `assay resume` the flag is meant to be on.
func lastIteration(v *experiment.Version, k guardrails.Kill) bool {
	e := v.Find(k.Decided.Experiment)
	return e != nil && e.KillSwitch != "" && e.Latest() != nil && e.Latest().Number == k.Decided.Iteration
}

func (w *Watch) checkOverride(ctx context.Context, v *experiment.Version, k guardrails.Kill) error {
	off, err := w.isOff(ctx, v, k)
	if err != nil || off {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(overrideSure):
	}
	if off, err = w.isOff(ctx, v, k); err != nil || off {
		return err
	}
	_, _, err = w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		now, _ := log.ByDecision(k.Decided.Seq)
		text := fmt.Sprintf("the switch reads as on again, it was read back as off at %s: automatic kills of iteration %d are suspended",
			now.Verified.Format(time.RFC3339), k.Decided.Iteration)
		return w.continued(k, guardrails.Overridden, time.Time{}, text), now.Overridden.IsZero()
	})
	return err
}

func (w *Watch) isOff(ctx context.Context, v *experiment.Version, k guardrails.Kill) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, w.config.Timeout)
	defer cancel()
	return w.parts.Switch.IsOff(ctx, orderOf(v, k))
}
