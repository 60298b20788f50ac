package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// watchEffects asks the exposures whether a kill worked: the switch says off,
// but do the clients know?
func (w *Watch) watchEffects(ctx context.Context, all []*judged) error {
	var failed error
	for _, j := range all {
		var kill guardrails.Kill
		var ok bool
		w.book.read(func(log *guardrails.Log) { kill, ok = log.Kill(j.document.Experiment, j.document.Iteration) })
		if !ok || !kill.Ended || j.iteration.Killed == nil || !kill.Overridden.IsZero() {
			continue
		}
		effect, text := judgeEffect(j, kill, w.config.Settle)
		if effect == "" || effect == kill.Effective {
			continue
		}
		_, _, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
			now, _ := log.ByDecision(kill.Decided.Seq)
			return w.continued(kill, effect, kill.SentAt, text), now.Effective != effect
		})
		failed = errors.Join(failed, err)
	}
	return failed
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
