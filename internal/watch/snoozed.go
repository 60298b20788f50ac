package watch

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

func snoozeKey(experiment string) string { return "snooze/" + cmp.Or(experiment, "all") }

// snoozeOf is the matter of a person's word that automatic kills wait, or wait no more.
func snoozeOf(e guardrails.Entry) Alert {
	whose := "all automatic kills"
	if e.Experiment != "" {
		whose = "automatic kills of " + e.Experiment
	}
	a := Alert{
		Key: snoozeKey(e.Experiment), Matter: SnoozeMatter, Experiment: e.Experiment, Iteration: e.Iteration,
		Reason: string(e.Kind), At: e.At, Text: e.Text,
		Title: fmt.Sprintf("%s wait until %s, says %s", whose, e.Until.UTC().Format("2006-01-02 15:04:05 UTC"), e.Actor),
	}
	if !e.Until.After(e.At) {
		a.Title = fmt.Sprintf("%s wait no more, says %s", whose, e.Actor)
	}
	return a
}

// tellSnooze tells people of such a word when it is given. One that is over by now is
// history. The caller holds the book.
func (w *Watch) tellSnooze(e guardrails.Entry) {
	a := snoozeOf(e)
	if !e.Until.After(e.At) {
		w.alerts.resolveKey(a.Key, e.At, a.Title, e.Text)
		return
	}
	if e.Until.After(w.now()) {
		w.alerts.hear(a)
	}
}

// endSnoozes tells that a time is up.
func (w *Watch) endSnoozes(inForce []guardrails.Snooze, now time.Time) {
	alive := map[string]bool{}
	for _, s := range inForce {
		alive[snoozeKey(s.Experiment)] = true
	}
	w.alerts.resolveEach(now, func(a Alert) (title string, over bool) {
		whose, _, _ := strings.Cut(a.Title, " wait")
		return whose + " wait no more: the time is up", a.Matter == SnoozeMatter && !alive[a.Key]
	}, "")
}
