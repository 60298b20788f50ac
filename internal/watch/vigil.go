package watch

import (
	"context"
	"fmt"
	"maps"

	"github.com/assay-dev/assay/guardrails"
)

// keepVigil writes into each look what is not as it was in what comes in.
func (w *Watch) keepVigil(looks []looked, full bool) {
	for _, l := range looks {
		v := w.vigils[l.key()]
		if v == nil {
			v = &guardrails.Vigil{}
			w.vigils[l.key()] = v
		}
		v.Look(l.document, w.fates)
		if full {
			l.document.Seen = v.Seen(l.document)
		}
	}
	w.fates = nil
}

// readFates reads what became of the records since the last full look, for the next
// round: nothing that is decided waits for it. Without it there is one warning less.
func (w *Watch) readFates(ctx context.Context, vector map[uint16]uint64) {
	if w.parts.Fates == nil {
		return
	}
	after := w.fated
	w.fated = maps.Clone(vector)
	fates, err := w.parts.Fates.Fates(ctx, after, vector)
	if err != nil {
		w.parts.Log.Error("dead letters not counted", "error", err)
	}
	w.fates = fates
}

// tellAnomalies raises the warnings. What blinds is told as blindness.
func (w *Watch) tellAnomalies(j *judged) {
	now := map[string]bool{}
	for _, a := range j.document.Anomalies {
		if a.Blind {
			continue
		}
		key := fmt.Sprintf("data/%s/%d/%s", j.experiment.Key, j.iteration.Number, a)
		now[key] = true
		w.alerts.raise(Alert{
			Key: key, Matter: DataMatter, Reason: a.Code, Guardrail: a.Metric,
			Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: j.document.At,
			Title: fmt.Sprintf("%s: %s", j.experiment.Key, a), Text: a.Text,
		})
	}
	w.alerts.resolve(w.now(), "", "no longer seen", func(a Alert) bool {
		return a.Matter == DataMatter && a.of(j.key()) && a.Reason != string(guardrails.ManyCrossovers) && !now[a.Key]
	})
}
