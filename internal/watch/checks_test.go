package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// TestAssignmentsHoldOrWarn: too many units that are assigned otherwise keep a clear harm
// from killing where the file says hold, and only tell people where it says warn.
func TestAssignmentsHoldOrWarn(t *testing.T) {
	const title = "checkout: too many units in phase 1 are assigned otherwise"
	for policy, want := range map[experiment.OnAlarm]struct {
		reason string
		calls  int
	}{experiment.HoldOnAlarm: {"assignment", 0}, experiment.WarnOnAlarm: {"latched", 1}} {
		t.Run(string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := checkout()
				e.Checks.Assignment = &experiment.AssignmentCheck{Limit: .01, OnAlarm: policy}
				w := newWorld(e)
				w.harmful()
				w.wrong = 100
				w.run(t, Config{}, 0, 5*time.Second)
				if v := w.lastVerdict(t); v.Reason != want.reason || len(w.calls) != want.calls {
					t.Errorf("reason %s and %d calls, want %s and %d", v.Reason, len(w.calls), want.reason, want.calls)
				}
				told := false
				for _, a := range w.alerts {
					told = told || a.Title == title && a.Page == (policy == experiment.HoldOnAlarm)
				}
				if !told {
					t.Errorf("told %v", w.alertTitles())
				}
				w.wrong = 5
				w.run(t, Config{}, 0, 5*time.Second)
				if n := w.kinds()[guardrails.Verified]; n != 1 {
					t.Errorf("%d kills once few enough are, want 1", n)
				}
			})
		})
	}
}

// TestCrossoversHoldOrWarn: too many crossovers keep a clear harm from killing where the
// file says hold, and only tell people where it says warn. The alert closes with them.
func TestCrossoversHoldOrWarn(t *testing.T) {
	for policy, want := range map[experiment.OnAlarm]struct {
		reason string
		calls  int
	}{experiment.HoldOnAlarm: {"crossovers", 0}, experiment.WarnOnAlarm: {"latched", 1}} {
		t.Run(string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := checkout()
				e.Checks.Crossovers = &experiment.CrossoverCheck{Limit: .01, OnAlarm: policy}
				w := newWorld(e)
				w.harmful()
				w.crossed = 300
				w.run(t, Config{}, 0, 5*time.Second)
				if v := w.lastVerdict(t); v.Reason != want.reason || len(w.calls) != want.calls {
					t.Errorf("reason %s and %d calls, want %s and %d", v.Reason, len(w.calls), want.reason, want.calls)
				}
				if !w.alertTitles()["checkout: too many crossovers in phase 1"] {
					t.Errorf("nobody was told: %v", w.alertTitles())
				}
				for _, a := range w.alerts {
					if a.Title == "checkout: too many crossovers in phase 1" && a.Page != (policy == experiment.HoldOnAlarm) {
						t.Errorf("paged: %v", a.Page)
					}
				}
				w.crossed = 10
				w.run(t, Config{}, 0, 5*time.Second)
				if n := w.kinds()[guardrails.Verified]; n != 1 {
					t.Errorf("%d kills once few enough cross over, want 1", n)
				}
			})
		})
	}
}
