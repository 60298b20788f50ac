package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/results"
)

// watchEffects asks the exposures whether a kill worked: the switch says off,
// but do the clients know?
func (w *Watch) watchEffects(ctx context.Context, all []*judged) error {
	var failed error
	for _, j := range all {
		for _, kill := range w.endedKills(j) {
			judge := judgeEffect
			if kill.Decided.ArmOff {
				judge = judgeArm
			}
			effect, text := judge(j, kill, w.config.Settle)
			if effect == "" || effect == kill.Effective {
				continue
			}
			_, _, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
				now, _ := log.ByDecision(kill.Decided.Seq)
				return w.continued(kill, effect, kill.SentAt, text), now.Effective != effect
			})
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// endedKills are the kills of a run that were carried out and not undone: of the whole,
// and of arms by themselves.
func (w *Watch) endedKills(j *judged) (out []guardrails.Kill) {
	d := j.document
	add := func(k guardrails.Kill, ok bool) {
		if ok && k.Ended && k.Overridden.IsZero() {
			out = append(out, k)
		}
	}
	w.book.read(func(log *guardrails.Log) {
		if j.iteration.Killed != nil {
			add(log.Kill(d.Experiment, d.Iteration))
			return
		}
		for _, off := range j.iteration.ArmsOff {
			add(log.ArmKill(d.Experiment, d.Iteration, off.Variant))
		}
	})
	return out
}

// judgeArm says whether an arm that was turned off by itself gets new units, once the
// phase that began with it has settled.
func judgeArm(j *judged, k guardrails.Kill, settle time.Duration) (guardrails.EntryKind, string) {
	d, arm := j.document, k.Decided.Arm
	if len(d.Troubles) > 0 {
		return "", ""
	}
	var units int64
	settled := time.Time{}
	for i := range j.iteration.Phases {
		p := &j.iteration.Phases[i]
		if p.From.Before(j.iteration.ArmOff(arm).At) {
			continue
		}
		if settled.IsZero() {
			settled = p.From.Add(max(p.Settle.Std(), settle))
		}
		units += unitsOf(d, p.Number, arm)
	}
	switch {
	case units > 0:
		return guardrails.NotEffective, fmt.Sprintf("%d units were first exposed to %s although it is off", units, arm)
	case settled.IsZero() || d.Freshness.Before(settled.Add(settle)):
		return "", ""
	default:
		return guardrails.Effective, fmt.Sprintf("no unit was first exposed to %s since the phase has settled", arm)
	}
}

// unitsOf are an arm's units of a phase, those that settle left out.
func unitsOf(d *results.Document, phase uint16, arm string) int64 {
	for i := range d.Phases {
		if d.Phases[i].Number != phase {
			continue
		}
		for _, a := range d.Phases[i].Arms {
			if a.Variant == arm {
				return a.Units
			}
		}
	}
	return 0
}

// judgeEffect says whether exposures to the treatment go on. It says nothing
// until the data are fresh well beyond the time that clients need to hear of
// the kill, and nothing while they may not be trusted: no exposures because no
// data came in are no proof. After it has said "not effective" it wants a longer
// quiet before it believes otherwise.
func judgeEffect(j *judged, k guardrails.Kill, settle time.Duration) (guardrails.EntryKind, string) {
	d := j.document
	heard := j.iteration.Killed.At.Add(settle)
	if len(d.Troubles) > 0 || d.Freshness.Before(heard.Add(settle)) {
		return "", ""
	}
	var newest time.Time
	arm := ""
	for _, a := range d.AfterEnd {
		if a.Variant != d.Control && a.Newest.After(newest) {
			newest, arm = a.Newest, a.Variant
		}
	}
	switch {
	case newest.After(heard) && newest.After(d.Freshness.Add(-settle)):
		return guardrails.NotEffective, fmt.Sprintf("%s is still exposed at %s, the switch was off at %s",
			arm, newest.Format(time.TimeOnly), j.iteration.Killed.At.Format(time.TimeOnly))
	case !newest.After(heard):
		return guardrails.Effective, fmt.Sprintf("no exposure to a treatment is newer than %s after the kill", settle)
	case k.Effective == guardrails.NotEffective && !newest.After(d.Freshness.Add(-4*settle)):
		return guardrails.Effective, fmt.Sprintf("the last exposure to a treatment was at %s", newest.Format(time.TimeOnly))
	default:
		return "", ""
	}
}
