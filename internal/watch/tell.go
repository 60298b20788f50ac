package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
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
	w.tellChecks(j)
	w.tellAnomalies(j)
}

// tellChanges tells the verdicts that are not what they were.
func (w *Watch) tellChanges(j *judged) {
	for i := range j.steps {
		v := &j.steps[i].verdict
		key := memoryKey{j.key(), v.Rule.ID()}
		w.gauges.setVerdict(v)
		w.tellSpeech(&j.steps[i])
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
	v := j.blindest()
	if v == nil {
		if _, was := w.blindSince[j.key()]; !was {
			return
		}
		delete(w.blindSince, j.key())
		w.alerts.resolveKey(blindKey(j.experiment.Key, j.iteration.Number), w.now(), fmt.Sprintf("%s can be judged again", j.experiment.Key), "")
		return
	}
	w.gauges.blindSeconds.WithLabelValues(j.experiment.Key).Add(elapsed.Seconds())
	since, known := w.blindSince[j.key()]
	if !known {
		since = v.At
		w.blindSince[j.key()] = since
	}
	lasting := v.At.Sub(since) >= blindBeforePage
	if isShared(v.Reason) {
		w.shared.add(v, lasting)
		return
	}
	if !lasting || w.toldAlready(j, v) {
		return
	}
	w.alerts.raise(Alert{
		Key: blindKey(j.experiment.Key, j.iteration.Number), Matter: BlindMatter, Reason: string(v.Reason),
		Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: v.At,
		Title: fmt.Sprintf("%s cannot be judged: %s", j.experiment.Key, v.Reason), Text: v.Text,
	})
}

// toldAlready tells whether a blindness needs no alert: it is only the start, or
// people hear of its cause as another matter, and once is enough.
func (w *Watch) toldAlready(j *judged, v *guardrails.Verdict) bool {
	if j.ramping != nil && j.ramping.State == guardrails.RampReverted && (v.Reason == guardrails.Silent || v.Reason == guardrails.NoData || v.Reason == guardrails.ExposuresStopped) {
		return true // nobody takes part any more
	}
	switch v.Reason {
	case guardrails.NoData:
		return v.At.Before(v.Rule.Start.Add(v.Rule.Silence))
	case guardrails.LookFailed:
		return true // the guard cannot look: one matter, not one for each experiment
	case guardrails.ArmSilent, guardrails.Latched:
		return w.alerts.isOpen(silenceKey(v.Rule)) || w.alerts.isOpen(killKey(v.Rule.Experiment, v.Rule.Iteration)) ||
			w.alerts.isOpen(killKeyOf(guardrails.Entry{Experiment: v.Rule.Experiment, Iteration: v.Rule.Iteration, Arm: v.Rule.Arm, ArmOff: true}))
	}
	return false
}

// tellSpeech ends the warning about a silent arm once both arms were seen to get
// units. That a rule does not call an arm silent is not enough: a guard that has
// just begun has not waited for long enough to know.
func (w *Watch) tellSpeech(s *step) {
	v := &s.verdict
	if v.Rule.OnNoData != experiment.WarnOnNoData && v.Rule.OnNoData != experiment.KillOnNoData {
		return
	}
	key := memoryKey{runKey{v.Rule.Experiment, v.Rule.Iteration}, v.Rule.ID()}
	was, is, spoke := s.before.Arms, s.after.Arms, w.spoke[key]
	if v.Reason == guardrails.ArmSilent {
		spoke = [2]bool{}
	} else if was.Phase != 0 && was.Phase == is.Phase {
		spoke[0] = spoke[0] || is.Treatment > was.Treatment
		spoke[1] = spoke[1] || is.Control > was.Control
	}
	if w.spoke[key] = spoke; spoke[0] && spoke[1] {
		w.alerts.resolveKey(silenceKey(v.Rule), v.At, fmt.Sprintf("%s: both arms get units again", v.Rule.Experiment), v.Text)
	}
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
	w.tellOf(e)
	if !w.live.Load() {
		return
	}
	w.parts.Log.Info("decision log", "seq", e.Seq, "kind", string(e.Kind), "experiment", e.Experiment,
		"guardrail", e.Guardrail, "arm", e.Arm, "actor", e.Actor, "text", e.Text, "hash", e.Hash)
	w.emit(Event{Kind: Journalled, At: e.At, Entry: &e})
	if e.Actor == w.config.Instance {
		w.gauges.count(e)
	}
}

// start reads the decision log for the first time. Its lines are history.
func (w *Watch) start(ctx context.Context) error {
	if w.live.Load() {
		return nil
	}
	if err := w.book.sync(ctx); err != nil {
		return err
	}
	w.live.Store(true)
	return nil
}
