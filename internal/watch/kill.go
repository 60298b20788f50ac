package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// carryOn begins or takes up every kill that the log leaves open: those just
// decided, those of a guard that died, and those that are verified but whose
// iteration has not ended yet. life ends them, not the round.
func (w *Watch) carryOn(life context.Context, v *experiment.Version) {
	var open []guardrails.Kill
	now := w.now()
	w.book.read(func(log *guardrails.Log) {
		for _, k := range slices.Concat(log.Kills(), log.Moves()) {
			_, snoozed := log.Snoozed(k.Decided.Experiment, now)
			if w.isOurs(k, now) && !(snoozed && unsent(k)) && w.clear(log, k, now) {
				open = append(open, k)
			}
		}
	})
	for _, k := range open {
		if !w.claim(k.Decided.Seq) {
			continue
		}
		w.carriers.Go(func() {
			defer w.release(k.Decided.Seq)
			if err := w.carry(life, v, k); err != nil && life.Err() == nil {
				w.parts.Log.Error("kill not carried on", "experiment", k.Decided.Experiment,
					"decision", k.Decided.Seq, "error", err)
			}
		})
	}
}

// isOurs tells whether a kill is open and this guard's to carry on: its own, one of
// a guard that has fallen silent, or one that nobody has touched for the lease. If the other guard is alive after
// all, both send the same key, which does no harm.
func (w *Watch) isOurs(k guardrails.Kill, now time.Time) bool {
	switch {
	case k.Superseded, k.State == guardrails.Verified && k.Ended, k.State != guardrails.Verified && k.State.Final():
		return false
	case w.limits.Load().GlobalStop && unsent(k):
		return false
	default:
		return k.Actor == w.config.Instance || now.Sub(k.Touched) >= w.config.Lease || w.presence.silent(k.Actor, now)
	}
}

// unsent tells whether a guard decided a kill, or a move, that nobody has begun with: a stop, or a
// snooze, still comes in time for it.
func unsent(k guardrails.Kill) bool {
	if move := k.Decided.Ramp; move != nil {
		return !move.ByHand && k.State == k.Decided.Kind
	}
	return k.Decided.Guardrail != "" && k.State == guardrails.Decided
}

func (w *Watch) claim(decision uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inFlight[decision] {
		return false
	}
	w.inFlight[decision] = true
	return true
}

func (w *Watch) release(decision uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.inFlight, decision)
}

// carry takes a kill from wherever it is to its end.
func (w *Watch) carry(ctx context.Context, v *experiment.Version, k guardrails.Kill) error {
	if k.State != guardrails.Verified {
		state, err := w.send(ctx, v, k)
		if err != nil || state != guardrails.Verified {
			return err
		}
		w.book.read(func(log *guardrails.Log) { k, _ = log.ByDecision(k.Decided.Seq) })
	}
	return w.end(ctx, k)
}

// send has the switch turned off and writes each step as it becomes known. It
// returns the kill's last state.
func (w *Watch) send(ctx context.Context, v *experiment.Version, k guardrails.Kill) (guardrails.EntryKind, error) {
	begun, err := w.progress(ctx, k, guardrails.Sending, time.Time{}, doing(k))
	if err != nil || !begun {
		return "", err
	}
	called := false
	sending, stop := context.WithCancel(ctx)
	defer stop()
	hear := w.hearProgress(ctx, k, stop)
	result, err := w.call(sending, v, k, func(state guardrails.EntryKind, at time.Time) {
		called = true
		hear(state, at)
	})
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err() // we are shutting down: the next guard finds it where it stands
	case sending.Err() != nil:
		return "", nil // something else was decided meanwhile
	}
	if err != nil {
		result = Result{State: guardrails.Failed, Detail: err.Error()}
	}
	if !result.State.Final() {
		result = Result{State: guardrails.Failed, Detail: fmt.Sprintf("the switch ended in state %q: %s", result.State, result.Detail)}
	}
	// A call accepted in an earlier attempt of ours is what turned it off.
	at := result.OffAt
	text := result.Detail
	switch {
	case result.State != guardrails.Verified:
		at = time.Time{}
	case !k.SentAt.IsZero():
		at = k.SentAt
	case !called && k.State == guardrails.Sending:
		// Whoever wrote that a call was about to leave died before its answer: that
		// call is what turned it off, and it left right after that line.
		at = k.Touched
		text += "; a guard that ended before the answer wrote at " + k.Touched.Format(time.TimeOnly) + " that it was calling"
	}
	if result.State == guardrails.Verified {
		text = readBack(k, text)
	}
	return result.State, w.insist(ctx, func() error {
		written, err := w.progress(ctx, k, result.State, at, text)
		if written && result.State == guardrails.Verified && k.Decided.Ramp == nil {
			w.gauges.killSeconds.Observe(w.now().Sub(k.Decided.At).Seconds())
		}
		if err != nil && result.State != guardrails.Verified {
			w.tellFailure(w.continued(k, result.State, at, text), k.Decided)
		}
		return err
	})
}

// call has the switch do what was decided.
func (w *Watch) call(ctx context.Context, v *experiment.Version, k guardrails.Kill, progress func(guardrails.EntryKind, time.Time)) (Result, error) {
	order := orderOf(v, k)
	if move := k.Decided.Ramp; move != nil {
		if w.parts.Traffic == nil {
			return Result{}, errors.New("nothing here can set the traffic")
		}
		return w.parts.Traffic.SetTraffic(ctx, TrafficOrder{order, *move}, progress)
	}
	order.Keep = func(saved string) { w.keep(ctx, k, saved) }
	return w.parts.Switch.Off(ctx, order, progress)
}

// doing says what is carried out, for the line before the first call.
func doing(k guardrails.Kill) string {
	if move := k.Decided.Ramp; move != nil {
		return fmt.Sprintf("setting the traffic to %s", share(move.Traffic))
	}
	return "turning the experiment off"
}

// readBack says what was seen, with what the flag system said.
func readBack(k guardrails.Kill, text string) string {
	if move := k.Decided.Ramp; move != nil {
		return fmt.Sprintf("the traffic was read back as %s (%s)", share(move.Traffic), text)
	}
	return "the flag was read back as off (" + text + ")"
}

// share writes a share of the units for people.
func share(x float64) string { return fmt.Sprintf("%.4g %%", 100*x) }

// hearProgress writes down what the switch reports on its way: every call, with
// which it keeps the lease too. The first was written before the switch was asked. It
// stops what something else was decided about.
func (w *Watch) hearProgress(ctx context.Context, k guardrails.Kill, stop func()) func(guardrails.EntryKind, time.Time) {
	first := true
	return func(state guardrails.EntryKind, at time.Time) {
		var err error
		switch {
		case state == guardrails.Accepted:
			_, err = w.progress(ctx, k, guardrails.Accepted, at, "the flag system took the call")
		case state == guardrails.Sending && !first:
			_, err = w.progress(ctx, k, guardrails.Sending, time.Time{}, "trying again")
		}
		first = first && state != guardrails.Sending
		w.book.read(func(log *guardrails.Log) {
			if now, _ := log.ByDecision(k.Decided.Seq); now.Superseded {
				stop()
			}
		})
		if err != nil {
			w.parts.Log.Warn("progress of a kill not written", "decision", k.Decided.Seq, "state", string(state), "error", err)
		}
	}
}

// keep writes down what the off call is about to overwrite. A log that cannot be
// written now holds no kill up: the flag system's own log has it as well.
func (w *Watch) keep(ctx context.Context, k guardrails.Kill, saved string) {
	_, _, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		now, ok := log.ByDecision(k.Decided.Seq)
		e := w.continued(k, guardrails.Sending, time.Time{}, "the next call overwrites what is kept in this line")
		e.Saved = saved
		return e, ok && !now.State.Final()
	})
	if err != nil {
		w.parts.Log.Warn("what a kill overwrites is not written down", "decision", k.Decided.Seq, "error", err)
	}
}

// progress writes one step of a kill, unless it is finished or another guard
// has it now.
func (w *Watch) progress(ctx context.Context, k guardrails.Kill, state guardrails.EntryKind, sentAt time.Time, text string) (bool, error) {
	_, written, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		now, ok := log.ByDecision(k.Decided.Seq)
		if !ok || now.State.Final() || now.Superseded {
			return guardrails.Entry{}, false
		}
		if state == guardrails.Sending && !w.isOurs(now, w.now()) {
			return guardrails.Entry{}, false
		}
		return w.continued(k, state, sentAt, text), true
	})
	return written, err
}

// continued is an entry about an earlier decision.
func (w *Watch) continued(k guardrails.Kill, kind guardrails.EntryKind, sentAt time.Time, text string) guardrails.Entry {
	d := k.Decided
	if !sentAt.IsZero() {
		sentAt = sentAt.UTC().Truncate(time.Millisecond)
	}
	return guardrails.Entry{
		Kind: kind, Experiment: d.Experiment, Iteration: d.Iteration, Guardrail: d.Guardrail, Arm: d.Arm, ArmOff: d.ArmOff,
		Decision: d.Seq, Key: d.Key, Act: d.Act, Verdict: d.Verdict, Reason: d.Reason,
		Actor: w.config.Instance, Code: w.config.Code, Text: text, SentAt: sentAt, Ramp: d.Ramp,
	}
}

// insist repeats what must be written until it is or the guard ends.
func (w *Watch) insist(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		w.parts.Log.Error("decision log not written, trying again", "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(w.config.Every):
		}
	}
}

func orderOf(v *experiment.Version, k guardrails.Kill) Order {
	d := k.Decided
	o := Order{
		Key: d.Key, Experiment: d.Experiment, Iteration: d.Iteration, DecidedAt: d.At,
		Reason: string(d.Reason), Evidence: d.Text,
	}
	if d.ArmOff {
		o.Arm = d.Arm
	}
	if d.Guardrail == "" && (d.Ramp == nil || d.Ramp.ByHand) {
		o.Reason = d.Actor + ": " + d.Text
	}
	if e := v.Find(d.Experiment); e != nil {
		o.Switch = e.KillSwitch
	}
	return o
}
