package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// TestHeldRampWaits: the ramp of an experiment that nobody looks after takes no step, and
// goes on when somebody has.
func TestHeldRampWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		w.held = "held: nobody looks after it"
		w.run(t, Config{}, 0, time.Minute)
		if state, reason := w.lastRamp(t); state != "held" || reason != "stale" || len(w.moves) != 0 {
			t.Errorf("%s (%s), %d moves", state, reason, len(w.moves))
		}
		w.held = ""
		w.run(t, Config{}, 0, 5*time.Second)
		if state, _ := w.lastRamp(t); state != "advanced" || len(w.moves) != 1 {
			t.Errorf("%s, %d moves", state, len(w.moves))
		}
	})
}

// Held implements Holds.
func (w *world) Held(*experiment.Experiment) string { return w.held }
