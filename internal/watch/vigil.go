package watch

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// A guard that begins learns from the looks of the one before how events came in: else it
// would see no stop before it had watched for a while itself.
const (
	learnFrom = 15 * time.Minute
	learnMost = 20 // iterations in a round, which goes on meanwhile
)

// keepVigil writes into each look what is not as it was in what comes in. An iteration
// that the guard has yet to learn about is passed over.
func (w *Watch) keepVigil(looks []looked, full bool) {
	for _, l := range looks {
		v := w.vigils[l.key()]
		if v == nil {
			continue
		}
		v.Look(l.document, w.fates)
		if full {
			l.document.Seen = v.Seen(l.document)
		}
	}
	w.fates = nil
}

// learn begins the vigil of iterations that have none, after everything that is decided
// in a round. Without the looks of before it begins all the same, with what comes now.
func (w *Watch) learn(ctx context.Context, looks []looked) {
	left := learnMost
	for _, l := range looks {
		if w.vigils[l.key()] != nil {
			continue
		}
		if left--; left < 0 {
			return
		}
		v := &guardrails.Vigil{}
		w.vigils[l.key()] = v
		if l.document.At.Before(l.iteration.Start.Add(vigilNew)) {
			continue // there was nothing to learn from
		}
		past, err := w.parts.Looks.Recent(ctx, l.experiment.Key, l.iteration.Number, l.document.At.Add(-learnFrom))
		if err != nil {
			w.parts.Log.Warn("how events came in before is not known", "experiment", l.experiment.Key, "error", err)
			continue
		}
		for _, d := range past {
			v.Look(d, nil)
		}
	}
}

// vigilNew is the age below which an iteration has no looks worth reading.
const vigilNew = 30 * time.Second

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
		return a.Matter == DataMatter && a.of(j.key()) && a.Reason != string(guardrails.ManyCrossovers) && a.Reason != string(guardrails.WrongAssignment) && !now[a.Key]
	})
}
