package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// blindBeforePage is how long an experiment must be blind before people hear of
// it: shards adopting a version are of two minds for a second or two.
const blindBeforePage = 10 * time.Second

// emit hands an event to the observer, one at a time: kills report beside the loop.
func (w *Watch) emit(e Event) {
	w.emitting.Lock()
	defer w.emitting.Unlock()
	w.parts.Observer(e)
}

// tellJudged hands a look to the observer and counts what it says.
func (w *Watch) tellJudged(j *judged, elapsed time.Duration) {
	w.emit(Event{
		Kind: Looked, At: j.document.At, Document: j.document, LookTook: j.took, Iteration: j.iteration,
	})
	w.gauges.setAside(j.document.Experiment, j.document.Aside)
	w.tellChanges(j)
	w.tellBlindness(j, elapsed)
}

// tellChanges tells the verdicts that are not what they were.
func (w *Watch) tellChanges(j *judged) {
	for i := range j.steps {
		v := &j.steps[i].verdict
		key := memoryKey{j.key(), v.Rule.ID()}
		w.gauges.setVerdict(v)
		said := saying{v.Kind, v.Reason}
		if last, known := w.verdicts[key]; known && last == said {
			continue
		}
		w.verdicts[key] = said
		w.parts.Log.Info("verdict", "experiment", v.Rule.Experiment, "guardrail", v.Rule.Metric, "arm", v.Rule.Arm,
			"verdict", v.Kind.String(), "reason", string(v.Reason), "text", v.Text)
		w.emit(Event{Kind: Judged, At: v.At, Verdict: v, Document: j.document, Iteration: j.iteration})
	}
}

// tellBlindness counts the seconds in which nothing could be judged, and raises
// an alert when they last. That nothing has come in yet is expected at a start.
func (w *Watch) tellBlindness(j *judged, elapsed time.Duration) {
	key := fmt.Sprintf("blind/%s/%d", j.experiment.Key, j.iteration.Number)
	v := j.blindest()
	if v == nil {
		delete(w.blindSince, j.key())
		w.alerts.resolve(key, w.now())
		return
	}
	w.gauges.blindSeconds.WithLabelValues(j.experiment.Key).Add(elapsed.Seconds())
	since, known := w.blindSince[j.key()]
	if !known {
		since = v.At
		w.blindSince[j.key()] = since
	}
	early := v.Reason == guardrails.NoData && v.At.Before(v.Rule.Start.Add(v.Rule.Silence))
	if v.At.Sub(since) < blindBeforePage || early {
		return
	}
	w.alerts.raise(Alert{
		Key: key, Page: true, Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: v.At,
		Title: fmt.Sprintf("%s cannot be judged: %s", j.experiment.Key, v.Reason), Text: v.Text,
	})
}

// blindest is a verdict that says that nothing can be judged.
func (j *judged) blindest() *guardrails.Verdict {
	for i := range j.steps {
		if v := &j.steps[i].verdict; v.Kind == guardrails.Blind || v.Kind == guardrails.Error {
			return v
		}
	}
	return nil
}

// heard is called for every new line of the decision log, whoever wrote it. The
// lines that were there at the start are history and told to nobody.
func (w *Watch) heard(e guardrails.Entry) {
	w.note(e)
	if !w.live.Load() {
		return
	}
	w.parts.Log.Info("decision log", "seq", e.Seq, "kind", string(e.Kind), "experiment", e.Experiment,
		"guardrail", e.Guardrail, "arm", e.Arm, "actor", e.Actor, "text", e.Text, "hash", e.Hash)
	w.emit(Event{Kind: Journalled, At: e.At, Entry: &e})
	if e.Actor == w.config.Instance {
		w.gauges.count(e)
	}
	w.alertOn(e)
}

// alertOn tells people what a line means for them. A kill keeps one key from
// its decision to its end.
func (w *Watch) alertOn(e guardrails.Entry) {
	a := Alert{
		Key:        fmt.Sprintf("kill/%s/%d", e.Experiment, e.Iteration),
		Experiment: e.Experiment, Iteration: e.Iteration, Text: e.Text, At: e.At,
	}
	switch e.Kind {
	case guardrails.Decided:
		if e.Act < guardrails.DoNotify {
			return
		}
		a.Page, a.Title = true, fmt.Sprintf("%s: %s, turning it off", e.Experiment, e.Reason)
		if e.Act == guardrails.DoNotify {
			a.Key = fmt.Sprintf("guardrail/%s/%d/%s/%s", e.Experiment, e.Iteration, e.Guardrail, e.Arm)
			a.Title = fmt.Sprintf("%s: guardrail %s is breached in %s", e.Experiment, e.Guardrail, e.Arm)
		}
	case guardrails.Held:
		a.Page, a.Title = true, fmt.Sprintf("%s: a kill is held back, look at the data", e.Experiment)
	case guardrails.Verified:
		a.Title = fmt.Sprintf("%s is off", e.Experiment)
	case guardrails.Denied, guardrails.Failed:
		a.Page, a.Title = true, fmt.Sprintf("%s could NOT be turned off: %s", e.Experiment, e.Kind)
	case guardrails.PendingApproval:
		a.Page, a.Title = true, fmt.Sprintf("%s: turning it off waits for an approval", e.Experiment)
	case guardrails.NotEffective:
		a.Page, a.Title = true, fmt.Sprintf("%s is off, but its exposures go on", e.Experiment)
	case guardrails.Effective:
		w.alerts.resolve(a.Key, e.At)
		return
	case guardrails.SRMAlarm:
		a.Key = fmt.Sprintf("srm/%s/%d/%d", e.Experiment, e.Iteration, e.Phase)
		a.Page, a.Title = true, fmt.Sprintf("%s: the split of phase %d is broken", e.Experiment, e.Phase)
	case guardrails.SRMAcknowledged:
		w.alerts.resolve(fmt.Sprintf("srm/%s/%d/%d", e.Experiment, e.Iteration, e.Phase), e.At)
		return
	default:
		return
	}
	w.alerts.raise(a)
}

// start reads the decision log for the first time. Its lines are history, but a
// kill that hangs is not: whoever told people of it may have died before.
func (w *Watch) start(ctx context.Context) error {
	if w.live.Load() {
		return nil
	}
	if err := w.book.sync(ctx); err != nil {
		return err
	}
	w.live.Store(true)
	w.book.read(func(log *guardrails.Log) {
		for _, k := range log.Kills() {
			switch k.State {
			case guardrails.Denied, guardrails.Failed, guardrails.PendingApproval:
				if w.now().Sub(k.Touched) < stillHot {
					e := k.Decided
					e.Kind, e.At = k.State, k.Touched
					w.alertOn(e)
				}
			}
		}
	})
	return nil
}

// stillHot is how old a kill that hangs may be and still be told after a restart.
const stillHot = 24 * time.Hour
