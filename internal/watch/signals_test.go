package watch

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
)

// pausing gives the experiment a signal that holds ramps, whose breaker stands so; "":
// nobody has read it.
func (w *world) pausing(state signals.State, reason signals.Reason) {
	w.versions[0].Experiments[0].Signals = []experiment.Signal{{Name: "p99", Query: "q", Hold: 3, OnBreach: experiment.PauseOnTrip}}
	w.signals = nil
	if state != "" {
		w.signals = []signals.Fact{{Signal: "p99", State: state, Reason: reason, OnBreach: experiment.PauseOnTrip, Since: time.Now(), Text: "so it is"}}
	}
}

// TestSignalsWarn: a breaker that is not closed stands in the looks and people hear of it
// once, at no hour of the night; nothing is killed or blinded by it, and when it closes
// that is told too.
func TestSignalsWarn(t *testing.T) {
	for _, c := range []struct {
		state  signals.State
		reason signals.Reason
		want   string // code; "": nobody is told
	}{
		{signals.Breached, signals.AboveMax, results.SignalBreached},
		{signals.Unknown, signals.NoAnswer, results.SignalUnknown},
		{signals.Unknown, signals.TooFew, ""},
		{signals.Within, signals.Fine, ""},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(checkout())
				w.pausing(c.state, c.reason)
				w.run(t, Config{}, 0, time.Minute)
				anomalies := w.looks[len(w.looks)-1].Document.Anomalies
				if c.want == "" {
					if len(anomalies)+len(w.alerts) > 0 {
						t.Errorf("told %v, %+v", anomalies, w.alerts)
					}
					return
				}
				if len(anomalies) != 1 || anomalies[0].Code != c.want || anomalies[0].Signal != "p99" || anomalies[0].Blind || !strings.Contains(anomalies[0].Text, "ramps wait") {
					t.Errorf("the look says %+v", anomalies)
				}
				if len(w.alerts) != 1 || w.alerts[0].Reason != c.want || w.alerts[0].Page || w.alerts[0].Matter != DataMatter {
					t.Errorf("people heard %+v", w.alerts)
				}
				w.pausing(signals.Within, signals.Fine)
				w.run(t, Config{}, 0, time.Minute)
				if n := len(w.entries); n > 0 {
					t.Errorf("the decision log has %d lines", n)
				}
			})
		})
	}
}
