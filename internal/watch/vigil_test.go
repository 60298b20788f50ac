package watch

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// traffic lets units and events come in, so many a second in each arm.
type traffic struct {
	*guard
	units, errors [2]int64 // a second: control, treatment
	fated         []results.Fates
}

func (f *traffic) Fates(context.Context, map[uint16]uint64, map[uint16]uint64) ([]results.Fates, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fated, nil
}

func (f *traffic) flow(ctx context.Context) {
	for {
		f.mu.Lock()
		for arm, variant := range []string{"control", "treatment"} {
			c := f.cells[variant]
			f.cells[variant] = [2]int64{c[0] + f.units[arm], c[1] + f.errors[arm]}
		}
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// TestCutInputs: one guard, a treatment that does harm, and a rule that has to wait for two
// minutes. Whatever is cut before they are over blinds it within the seconds
// that docs/guardrails.md prints; nothing is killed, people hear of it, and when the
// input comes back the kill does too, unless the split is broken by then.
func TestCutInputs(t *testing.T) {
	tests := map[string]struct {
		cut    func(*traffic)
		reason string
		within time.Duration
		kills  int // once it came back
	}{
		"exposures": {func(f *traffic) { f.units, f.errors = [2]int64{}, [2]int64{} }, "exposures_stopped", 18 * time.Second, 1},
		"outcomes":  {func(f *traffic) { f.errors = [2]int64{} }, "outcomes_stopped", 24 * time.Second, 1},
		"one arm":   {func(f *traffic) { f.units[1], f.errors[1] = 0, 0 }, "arm_silent", 4 * time.Second, 0},
		"Kafka":     {func(f *traffic) { f.fresh = 61 * time.Second; f.units, f.errors = [2]int64{}, [2]int64{} }, "stale", 3 * time.Second, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := checkout()
				e.Guardrails[0].Hold = experiment.Duration(2 * time.Minute)
				w := newWorld(e)
				f := &traffic{guard: &guard{world: w, t: t}, units: [2]int64{25, 25}, errors: [2]int64{2, 10}}
				w.harmful()
				parts := f.parts()
				parts.Fates = f
				var blind time.Time
				parts.Observer = func(event Event) {
					if v := event.Verdict; v != nil && string(v.Reason) == test.reason && blind.IsZero() {
						blind = v.At
					}
				}
				guarding, err := New(Config{}, parts)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				go f.flow(ctx)
				flowing := *f
				var cutAt time.Time
				time.AfterFunc(80*time.Second, func() {
					f.mu.Lock()
					defer f.mu.Unlock()
					cutAt = time.Now()
					test.cut(f)
				})
				var alerts []string
				time.AfterFunc(3*time.Minute, func() {
					f.mu.Lock()
					defer f.mu.Unlock()
					if len(w.calls) != 0 {
						t.Errorf("killed while blind: %+v", w.calls)
					}
					for _, a := range w.alerts {
						alerts = append(alerts, a.Title)
					}
					f.units, f.errors, f.fresh = flowing.units, flowing.errors, 0
				})
				if err := guarding.Run(ctx); err != nil {
					t.Fatal(err)
				}
				if after := blind.Sub(cutAt); blind.IsZero() || after > test.within {
					t.Errorf("%s after %s, want within %s", test.reason, after, test.within)
				}
				who := "checkout"
				if isShared(guardrails.Reason(test.reason)) {
					who = "experiments"
				}
				if !slices.Contains(alerts, who+" cannot be judged: "+test.reason) {
					t.Errorf("nobody heard of it: %v", alerts)
				}
				if len(w.calls) != test.kills {
					t.Errorf("%d kills once it came back, want %d", len(w.calls), test.kills)
				}
			})
		})
	}
}

// TestDataWarnings: a surge of dead letters is told once, does not page, holds nothing
// and is closed when it is over.
func TestDataWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		f := &traffic{guard: &guard{world: w, t: t}, units: [2]int64{25, 25}, errors: [2]int64{2, 2},
			fated: []results.Fates{{Topic: "orders", Records: 1000, Dead: 1}}}
		parts := f.parts()
		parts.Fates = f
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		go f.flow(ctx)
		time.AfterFunc(3*time.Minute, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.fated[0].Dead = 100
		})
		time.AfterFunc(6*time.Minute, w.harmful)
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		var told, closed int
		for _, a := range w.alerts {
			if a.Key != "data/checkout/1/dead_letters orders" {
				continue
			}
			if a.Resolved {
				closed++
				continue
			}
			told++
			if a.Page || a.Matter != DataMatter || a.Reason != "dead_letters" {
				t.Errorf("alert %+v", a)
			}
		}
		if told != 1 || closed != 1 || len(w.calls) != 1 {
			t.Errorf("told %d times, closed %d times, %d kills; want 1, 1 and 1", told, closed, len(w.calls))
		}
	})
}

// TestVigilOutlivesTheGuard: a guard that begins knows how events came in before it, and
// sees a stop 15 s after it began at the latest. Without the looks of before it would have
// to see events come in first.
func TestVigilOutlivesTheGuard(t *testing.T) {
	for name, test := range map[string]struct {
		forgets bool
		within  time.Duration
	}{
		"with the looks of before": {false, 16 * time.Second},
		"without them":             {true, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(checkout())
				f := &traffic{guard: &guard{world: w, t: t}, units: [2]int64{25, 25}, errors: [2]int64{2, 2}}
				ctx, cancel := context.WithCancel(t.Context())
				go f.flow(ctx)
				w.run(t, Config{}, 0, 2*time.Minute)
				cancel() // nothing comes in any more
				pass(30 * time.Second)
				if test.forgets {
					w.looks = nil
				}
				begun, stopped := time.Now(), time.Time{}
				parts := (&guard{world: w, t: t}).parts()
				parts.Observer = func(e Event) {
					if e.Verdict != nil && e.Verdict.Reason == guardrails.ExposuresStopped && stopped.IsZero() {
						stopped = e.Verdict.At
					}
				}
				guarding, err := New(Config{}, parts)
				if err != nil {
					t.Fatal(err)
				}
				again, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				if err := guarding.Run(again); err != nil {
					t.Fatal(err)
				}
				if seen := !stopped.IsZero() && stopped.Sub(begun) <= test.within; seen == test.forgets {
					t.Errorf("the stop was seen at %v, %v after the guard began", stopped, stopped.Sub(begun))
				}
			})
		})
	}
}
