package guardrails

import (
	"fmt"
	"time"
)

// Snooze is a person's word that automatic kills wait. It stands in the log, so every
// guard heeds it from its next look on, and a guard that was started since then too.
type Snooze struct {
	Experiment string // "": all experiments, the global stop
	Until      time.Time
	By, Why    string
}

// snooze takes in the newest word on an experiment, or on all.
func (l *Log) snooze(e Entry) {
	if l.snoozes == nil {
		l.snoozes = map[string]Snooze{}
	}
	if !e.Until.After(e.At) {
		delete(l.snoozes, e.Experiment)
		return
	}
	l.snoozes[e.Experiment] = Snooze{Experiment: e.Experiment, Until: e.Until, By: e.Actor, Why: e.Text}
}

// Snoozed tells whether automatic kills of an experiment wait at a time: for all, or
// for it alone.
func (l *Log) Snoozed(experiment string, now time.Time) (Snooze, bool) {
	for _, key := range []string{"", experiment} {
		if s, ok := l.snoozes[key]; ok && now.Before(s.Until) {
			return s, true
		}
	}
	return Snooze{}, false
}

// Snoozes are those in force at a time.
func (l *Log) Snoozes(now time.Time) (out []Snooze) {
	for _, s := range l.snoozes {
		if now.Before(s.Until) {
			out = append(out, s)
		}
	}
	return out
}

// outcome is what a kill becomes meanwhile: a stop of all kills leaves observations, as
// the operator's own does; of one experiment people go on hearing.
func (s Snooze) outcome() Outcome {
	out := Outcome{Act: DoNotify, Kind: Decided}
	what := "automatic kills of it"
	if s.Experiment == "" {
		out.Act, what = DoObserve, "all automatic kills"
	}
	out.Why = fmt.Sprintf("%s are snoozed until %s by %s (%s)", what, s.Until.UTC().Format(time.RFC3339), s.By, s.Why)
	return out
}
