package watch

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
)

// Signals says how the breakers of an iteration's signals stand. It must return at once.
type Signals interface {
	Facts(experiment string, iteration uint32) []signals.Fact
}

// readSignals writes breakers that are not closed into the looks, as warnings: no verdict
// rests on them.
func (w *Watch) readSignals(looks []looked) {
	if w.parts.Signals == nil {
		return
	}
	for _, l := range looks {
		k := l.key()
		l.document.Anomalies = append(slices.Clip(l.document.Anomalies), signalWarnings(w.parts.Signals.Facts(k.experiment, k.iteration))...)
	}
}

// signalWarnings are what people should hear of. That there are too few readings yet is
// none: each iteration begins so.
func signalWarnings(facts []signals.Fact) (out []results.Anomaly) {
	for _, f := range facts {
		a := results.Anomaly{Code: results.SignalBreached, Signal: f.Signal, Since: f.Since, Text: f.Text}
		switch {
		case f.State == signals.Within || f.Reason == signals.TooFew:
			continue
		case f.State != signals.Breached:
			a.Code = results.SignalUnknown
		}
		if f.Holds() {
			a.Text += "; ramps wait (on_breach: pause)"
		}
		out = append(out, a)
	}
	return out
}

// trippedSignal names the first signal of the file that holds a ramp, and why: its breaker
// has tripped, or nobody knows that it has not. "" when none does.
func (w *Watch) trippedSignal(j *judged) string {
	var facts []signals.Fact
	if w.parts.Signals != nil {
		facts = w.parts.Signals.Facts(j.experiment.Key, j.iteration.Number)
	}
	for _, s := range j.experiment.Signals {
		if s.OnBreach != experiment.PauseOnTrip {
			continue
		}
		i := slices.IndexFunc(facts, func(f signals.Fact) bool { return f.Signal == s.Name })
		switch {
		case i < 0:
			return s.Name + " was not read yet"
		case facts[i].Holds():
			return fmt.Sprintf("%s is %s: %s (%s)", s.Name, facts[i].State, facts[i].Text, facts[i].Reason)
		}
	}
	return ""
}
