package watch

import "fmt"

// tellChecks raises an alert while more units cross over than the file allows. One that
// holds the guardrails pages: nothing would stop the experiment.
func (w *Watch) tellChecks(j *judged) {
	for _, c := range j.document.CrossoverChecks {
		key := fmt.Sprintf("crossovers/%s/%d/%d", j.experiment.Key, j.iteration.Number, c.Phase)
		if !c.Alarm {
			w.alerts.resolve(key, w.now())
			continue
		}
		w.alerts.raise(Alert{
			Key: key, Page: c.OnAlarm == "hold", Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: j.document.At,
			Title: fmt.Sprintf("%s: too many crossovers in phase %d", j.experiment.Key, c.Phase), Text: c.String(),
		})
	}
}
