package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/signals"
)

// TestSignalsAreShown: a signal is drawn over the exposed share, with how its breaker
// stands and what was found at a step; without signals there is no such section.
func TestSignalsAreShown(t *testing.T) {
	w := newWorld(t)
	page := func() string { return get(w.mux(reader), "/experiments/checkout-button").Body.String() }
	if got := page(); strings.Contains(got, `id="signals"`) {
		t.Error("a section of signals without signals")
	}
	value := 0.5
	at := w.now.Add(-time.Hour)
	s := signals.Series{Signal: experiment.Signal{Name: "p99", Query: "q", Unit: "s"},
		Breaker: &signals.Fact{Signal: "p99", State: signals.Breached, Text: "0.9 s, above its limit"},
		Steps:   []signals.Step{{Phase: 2, At: at, Verdict: signals.Changed, Worse: true, Text: "the level changed by 0.1 s"}}}
	for i := range 3 {
		p := at.Add(time.Duration(i) * time.Minute)
		s.Points = append(s.Points, signals.Point{From: p, To: p, Mean: &value, Low: &value, High: &value})
	}
	w.past.Signals = &signals.Report{From: at, To: w.now, Phases: []signals.Exposed{{Phase: 1, From: at, Planned: 0.1}}, Signals: []signals.Series{s, {Signal: experiment.Signal{Name: "unread"}}}}
	got := page()
	for _, want := range []string{`id="signals"`, `svg class="history signal"`, `<span class="chip bad">breached</span>`, "0.9 s, above its limit", "Step to phase 2", "the level changed by 0.1 s", "Nothing was read yet"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
