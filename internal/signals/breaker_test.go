package signals_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/signals"
)

const every = 15 * time.Second

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// read makes readings of a word a reading: a number, or a gap.
func read(words string) (out []signals.Reading) {
	for i, w := range strings.Fields(words) {
		r := signals.Reading{At: start.Add(time.Duration(i) * every)}
		switch w {
		case "-":
			r.Gap = signals.NoData
		case "lo":
			r.Value = 0.1
		case "ok":
			r.Value = 0.5
		case "HI":
			r.Value = 0.9
		}
		out = append(out, r)
	}
	return out
}

func guarded() *experiment.Signal {
	low, high := 0.2, 0.8
	return &experiment.Signal{Name: "p99", Query: "q", Unit: "s", Min: &low, Max: &high, Hold: 3, OnBreach: experiment.PauseOnTrip}
}

// TestJudge: three in a row decide, fewer change nothing, and what is missing is neither
// fine nor a breach.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		readings string
		state    signals.State
		reason   signals.Reason
		since    int // reading
	}{
		{"", signals.Unknown, signals.TooFew, -1},
		{"ok ok", signals.Unknown, signals.TooFew, -1},
		{"ok ok ok", signals.Within, signals.Fine, 0},
		{"ok ok ok HI HI", signals.Within, signals.Fine, 0},
		{"ok ok ok HI HI HI", signals.Breached, signals.AboveMax, 3},
		{"ok ok ok lo lo lo lo", signals.Breached, signals.BelowMin, 3},
		{"ok ok ok HI lo HI", signals.Breached, signals.AboveMax, 3}, // beyond is beyond
		{"HI HI HI ok ok", signals.Breached, signals.AboveMax, 0},
		{"HI HI HI ok ok ok", signals.Within, signals.Fine, 3},
		{"HI HI HI ok HI ok HI ok", signals.Breached, signals.AboveMax, 0},
		{"HI HI HI - -", signals.Breached, signals.AboveMax, 0},
		{"HI HI HI - - -", signals.Unknown, signals.NoAnswer, 3},
		{"ok ok ok - - -", signals.Unknown, signals.NoAnswer, 3},
		{"ok ok HI HI ok ok", signals.Unknown, signals.TooFew, -1},
	} {
		readings := read(c.readings)
		now := start.Add(time.Duration(len(readings)) * every)
		f, ok := signals.Judge(guarded(), readings, now, every)
		if !ok || f.State != c.state || f.Reason != c.reason || f.Text == "" {
			t.Errorf("%q: %+v, want %s (%s)", c.readings, f, c.state, c.reason)
		}
		if c.since >= 0 && !f.Since.Equal(readings[c.since].At) {
			t.Errorf("%q: since %s, want reading %d", c.readings, f.Since, c.since)
		}
		if f.Holds() != (c.state != signals.Within) {
			t.Errorf("%q: it holds a ramp: %v", c.readings, f.Holds())
		}
	}
}

// TestJudgeStale: when nobody asks any more the last state is not believed.
func TestJudgeStale(t *testing.T) {
	readings := read("ok ok ok")
	last := readings[2].At
	for after, want := range map[time.Duration]signals.Reason{4 * every: signals.Fine, 4*every + time.Second: signals.Stale} {
		if f, _ := signals.Judge(guarded(), readings, last.Add(after), every); f.Reason != want || (want == signals.Stale) != (f.State == signals.Unknown) {
			t.Errorf("%s after the last reading: %+v, want %s", after, f, want)
		}
	}
}

func TestJudgeKinds(t *testing.T) {
	health := &experiment.Signal{Name: "alive", Health: "checkout", Hold: 1, OnBreach: experiment.WarnOnTrip}
	for value, want := range map[float64]signals.Reason{0: signals.Unhealthy, 1: signals.Fine} {
		f, ok := signals.Judge(health, []signals.Reading{{At: start, Value: value}}, start, every)
		if !ok || f.Reason != want || f.Holds() {
			t.Errorf("health %v: %+v, want %s", value, f, want)
		}
	}
	if f, ok := signals.Judge(&experiment.Signal{Name: "shown", Query: "q", Hold: 3}, read("ok ok ok"), start, every); ok {
		t.Errorf("a signal without limits is judged: %+v", f)
	}
	s := guarded()
	s.Hold = 1
	for _, v := range []float64{0.2, 0.8} { // a limit itself is within
		if f, _ := signals.Judge(s, []signals.Reading{{At: start, Value: v}}, start, every); f.State != signals.Within {
			t.Errorf("%v: %+v", v, f)
		}
	}
}

// TestJudgeIsAMachine holds the search for the newest stretch against the state machine
// that it stands for: reading by reading, a state changes after three of another kind.
func TestJudgeIsAMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.SampledFrom([]string{"ok", "HI", "-"})).Draw(t, "readings")
		readings := read(strings.Join(words, " "))
		state, run, kind := signals.Unknown, 0, ""
		for _, w := range words {
			if w != kind {
				kind, run = w, 0
			}
			if run++; run >= 3 {
				state = map[string]signals.State{"ok": signals.Within, "HI": signals.Breached, "-": signals.Unknown}[w]
			}
		}
		f, _ := signals.Judge(guarded(), readings, start.Add(time.Duration(len(words))*every), every)
		if f.State != state {
			t.Fatalf("%v: %s, want %s", words, f.State, state)
		}
	})
}
