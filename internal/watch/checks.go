package watch

import (
	"fmt"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// tellChecks raises an alert while more units cross over, or are assigned otherwise, than
// the file allows, or units are lost in one arm only. One that holds the guardrails pages, like a broken split: nothing
// would stop the experiment.
func (w *Watch) tellChecks(j *judged) {
	for _, c := range j.document.CrossoverChecks {
		w.tellCheck(j, check{
			key: "crossovers", what: "crossovers", much: "too many crossovers in phase %d", reason: guardrails.ManyCrossovers,
			phase: c.Phase, alarm: c.Alarm, onAlarm: c.OnAlarm, text: c.String(),
		})
	}
	for _, c := range j.document.AssignmentChecks {
		w.tellCheck(j, check{
			key: "assignment", what: "assignments", much: "too many units in phase %d are assigned otherwise", reason: guardrails.WrongAssignment,
			phase: c.Phase, alarm: c.Alarm, onAlarm: c.OnAlarm, text: c.String(),
		})
	}
	for _, c := range j.document.LossChecks {
		w.tellCheck(j, check{
			key: "loss", what: "losses", much: "one arm loses more units than the other in phase %d", reason: guardrails.UnevenLoss,
			phase: c.Phase, alarm: c.Alarm, onAlarm: string(experiment.HoldOnAlarm), text: c.Text,
		})
	}
}

// check is one phase held against a limit of the file, in words.
type check struct {
	key, what, much string // much has a place for the phase
	reason          guardrails.Reason
	phase           uint16
	alarm           bool
	onAlarm, text   string
}

func (w *Watch) tellCheck(j *judged, c check) {
	key := fmt.Sprintf("%s/%s/%d/%d", c.key, j.experiment.Key, j.iteration.Number, c.phase)
	if !c.alarm {
		w.alerts.resolveKey(key, w.now(), fmt.Sprintf("%s: %s in phase %d may be within the limit again", j.experiment.Key, c.what, c.phase), c.text)
		return
	}
	matter := SplitMatter
	if c.onAlarm == string(experiment.WarnOnAlarm) {
		matter = DataMatter
	}
	w.alerts.raise(Alert{
		Key: key, Matter: matter, Reason: string(c.reason),
		Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: j.document.At,
		Title: j.experiment.Key + ": " + fmt.Sprintf(c.much, c.phase), Text: c.text,
	})
}
