package watch

import (
	"fmt"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// tellChecks raises an alert while more units cross over than the file allows. One that
// holds the guardrails pages, like a broken split: nothing would stop the experiment.
func (w *Watch) tellChecks(j *judged) {
	for _, c := range j.document.CrossoverChecks {
		key := fmt.Sprintf("crossovers/%s/%d/%d", j.experiment.Key, j.iteration.Number, c.Phase)
		if !c.Alarm {
			w.alerts.resolveKey(key, w.now(), fmt.Sprintf("%s: crossovers in phase %d may be within the limit again", j.experiment.Key, c.Phase), c.String())
			continue
		}
		matter := SplitMatter
		if c.OnAlarm == string(experiment.WarnOnAlarm) {
			matter = DataMatter
		}
		w.alerts.raise(Alert{
			Key: key, Matter: matter, Reason: string(guardrails.ManyCrossovers),
			Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: j.document.At,
			Title: fmt.Sprintf("%s: too many crossovers in phase %d", j.experiment.Key, c.Phase), Text: c.String(),
		})
	}
	for _, c := range j.document.AssignmentChecks {
		w.tellAssignment(j, c)
	}
}

// tellAssignment raises an alert while more units are assigned otherwise than the file
// allows.
func (w *Watch) tellAssignment(j *judged, c results.AssignmentCheck) {
	key := fmt.Sprintf("assignment/%s/%d/%d", j.experiment.Key, j.iteration.Number, c.Phase)
	if !c.Alarm {
		w.alerts.resolveKey(key, w.now(), fmt.Sprintf("%s: assignments in phase %d may be within the limit again", j.experiment.Key, c.Phase), c.String())
		return
	}
	matter := SplitMatter
	if c.OnAlarm == string(experiment.WarnOnAlarm) {
		matter = DataMatter
	}
	w.alerts.raise(Alert{
		Key: key, Matter: matter, Reason: string(guardrails.WrongAssignment),
		Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: j.document.At,
		Title: fmt.Sprintf("%s: too many units in phase %d are assigned otherwise", j.experiment.Key, c.Phase), Text: c.String(),
	})
}
