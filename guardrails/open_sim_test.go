package guardrails_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

var replicates = flag.Int("replicates", 0, "simulated experiments per scenario; 0 is quick")

// scenarios are the ways in which outcomes arrive while a guard looks. quick
// ones run by default.
func scenarios() (quick, all []world) {
	base := world{
		units: 4000, enrol: 4 * time.Hour, window: time.Hour, shares: []float64{.5}, rate: .2, more: 1,
		delay: waning, value: gaussian, factor: 1, scale: 1, pace: 2, measures: basics(),
	}
	with := func(name string, change func(*world)) world {
		w := base
		w.name = name
		change(&w)
		return w
	}
	quick = []world{
		with("waning, heavy tails", func(w *world) { w.value = lognormal }),
		with("waning, heavy tails, 90/10", func(w *world) { w.value, w.shares = lognormal, []float64{.1} }),
		with("steady, ramp and trend", func(w *world) { w.delay, w.more, w.shares, w.trend = steady, 2, []float64{.01, .1, .5}, 2 }),
		with("waning, 20 % more at a margin of 20 %", func(w *world) { w.margin, w.factor = .2, 1.2 }),
		with("all at once, steady", func(w *world) { w.enrol, w.delay, w.more, w.rate, w.pace = time.Minute, steady, 0, .5, 4 }),
	}
	return quick, append([]world{
		with("waning", func(*world) {}),
		with("steady, 5 events", func(w *world) { w.delay, w.more = steady, 4 }),
		with("steady, 5 events, 90/10", func(w *world) { w.delay, w.more, w.shares = steady, 4, []float64{.1} }),
		with("waning, 20 % fewer at a margin of 20 %", func(w *world) { w.margin, w.factor = .2, .8 }),
		with("waning, 20 % more at 20 %, heavy, 90/10", func(w *world) {
			w.margin, w.factor, w.value, w.shares = .2, 1.2, lognormal, []float64{.1}
		}),
		with("steady, window of 10 enrolments", func(w *world) { w.enrol, w.window, w.delay = time.Hour, 10*time.Hour, steady }),
		with("all at once, steady, 40,000 units", func(w *world) {
			w.units, w.enrol, w.delay, w.more, w.rate, w.pace = 40_000, time.Minute, steady, 0, .5, 4
		}),
	}, quick...)
}

// derivedScenarios are those of ratios, retentions and capped means. quick ones
// run by default.
func derivedScenarios() (quick, all []world) {
	base := world{
		units: 4000, enrol: 4 * time.Hour, window: time.Hour, shares: []float64{.5}, rate: .3, more: 3,
		delay: steady, value: lognormal, kind: correlated, factor: 1, scale: 1, pace: 2,
		measures: derived(time.Hour, 2000),
	}
	with := func(name string, change func(*world)) world {
		w := base
		w.name = name
		change(&w)
		return w
	}
	atOnce := func(w *world) { w.enrol, w.pace, w.rate = time.Minute, 4, .6 }
	quick = []world{
		with("derived", func(*world) {}),
		with("derived, 90/10", func(w *world) { w.shares = []float64{.1} }),
		with("derived, all at once", atOnce),
	}
	return quick, append([]world{
		with("derived, values treble with age", func(w *world) { w.drift = 2 }),
		with("derived, values treble with age, 90/10", func(w *world) { w.drift, w.shares = 2, []float64{.1} }),
		with("derived, late", func(w *world) { w.delay = late }),
		with("derived, late, 90/10", func(w *world) { w.delay, w.shares = late, []float64{.1} }),
		with("derived, all at once, 90/10", func(w *world) { atOnce(w); w.shares, w.pace = []float64{.1}, 1 }),
		with("derived, all at once, late", func(w *world) { atOnce(w); w.delay, w.pace = late, .5 }),
		with("derived, window of 10 enrolments", func(w *world) {
			w.enrol, w.window, w.measures = time.Hour, 10*time.Hour, derived(10*time.Hour, 2000)
		}),
		with("derived, ramp and trend", func(w *world) { w.shares, w.trend = []float64{.01, .1, .5}, 1 }),
		with("derived, 20 % more units at a margin of 20 %", func(w *world) { w.margin, w.factor = .2, 1.2 }),
		with("derived, 20 % greater values at a margin of 20 %, 90/10", func(w *world) {
			w.margin, w.scale, w.shares = .2, 1.2, []float64{.1}
		}),
	}, quick...)
}

// countScenarios are rare events that guardrails judge by method count. quick ones run by
// default.
func countScenarios() (quick, all []world) {
	base := world{
		units: 8000, enrol: 4 * time.Hour, window: time.Hour, shares: []float64{.5}, rate: .01, more: 20,
		delay: waning, value: gaussian, factor: 1, scale: 1, pace: 2, method: experiment.ByCount,
		measures: append(basics()[1:], retention("retention", 10*time.Minute, time.Hour)),
	}
	with := func(name string, change func(*world)) world {
		w := base
		w.name = name
		change(&w)
		return w
	}
	quick = []world{
		with("rare, 90/10", func(w *world) { w.shares = []float64{.1} }),
		// Not rare, so that there are enough events for a test that errs to show it.
		with("counted, a fifth of the units, 90/10", func(w *world) { w.rate, w.more, w.shares = .2, 1, []float64{.1} }),
		with("rare, ramp and trend", func(w *world) { w.shares, w.trend = []float64{.01, .1, .5}, 2 }),
		with("rare, 50 % more at a margin of 50 %", func(w *world) { w.margin, w.factor = .5, 1.5 }),
	}
	return quick, append([]world{
		with("rare", func(*world) {}),
		with("rare, 99/1", func(w *world) { w.shares = []float64{.01} }),
		with("counted, 20 % more at a margin of 20 %", func(w *world) { w.rate, w.more, w.margin, w.factor = .2, 1, .2, 1.2 }),
		with("rare, late", func(w *world) { w.delay = late }),
		with("rare, all at once, 90/10", func(w *world) { w.enrol, w.pace, w.shares = time.Minute, 4, []float64{.1} }),
		with("rare, 50 % fewer at a margin of 50 %", func(w *world) { w.margin, w.factor = .5, .5 }),
		with("rare, 50 % more at a margin of 50 %, 90/10", func(w *world) { w.margin, w.factor, w.shares = .5, 1.5, []float64{.1} }),
	}, quick...)
}

// TestOpenResults: harm is judged while outcomes still arrive, by the mean so
// far of the units so far. Theory covers complete outcomes, so this rests on
// simulation, through the guard's own path: a guardrail whose harm is zero, or
// exactly its margin, is breached at any look with a chance of at most its part
// of the budget; and its harm is refuted, on matured results, with a chance of at
// most alpha. docs/statistics.md quotes the figures that -v prints.
func TestOpenResults(t *testing.T) {
	worlds, all := scenarios()
	derivedWorlds, allDerived := derivedScenarios()
	n := 40
	rareWorlds, allRare := countScenarios()
	if *replicates > 0 {
		worlds, derivedWorlds, rareWorlds, n = all, allDerived, allRare, *replicates
	}
	worlds = slices.Concat(worlds, derivedWorlds, rareWorlds)
	allowed := alphaEach*float64(n) + 3*math.Sqrt(alphaEach*(1-alphaEach)*float64(n))
	for i, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			breached, healthy := w.rates(uint64(i), n)
			for _, name := range w.atMargin() {
				t.Logf("%s: %-23s breached %.4f, healthy %.4f (%d runs)", w.name, name,
					float64(breached[name])/float64(n), float64(healthy[name])/float64(n), n)
				if float64(breached[name]) > allowed || float64(healthy[name]) > allowed {
					t.Errorf("%s: breached in %d and healthy in %d of %d runs, at most %.0f are explained by %v",
						name, breached[name], healthy[name], n, allowed, alphaEach)
				}
			}
		})
	}
}

// TestOpenHarmIsFound is the other side: a test that never rejects would pass
// the one above.
func TestOpenHarmIsFound(t *testing.T) {
	plain, _ := scenarios()
	more := plain[0]
	more.factor = 1.5
	hard, _ := derivedScenarios()
	returns, values := hard[0], hard[0]
	returns.factor, values.scale = 1.5, 2
	uneven, unevenValues := hard[1], hard[1]
	uneven.factor, unevenValues.scale = 2, 3
	type search struct {
		name  string
		world world
		n     int
		found []string
	}
	rare, _ := countScenarios()
	crashes := rare[0]
	crashes.factor, crashes.units = 3, 30_000
	returning := []string{"retention decrease", "late retention decrease", "capped mean decrease"}
	tests := []search{
		{"half as many again", more, 20, []string{"count decrease", "proportion decrease"}},
		{"half as many again", returns, 10, returning},
		{"three times as many crashes, 90/10", crashes, 10, []string{"count decrease", "proportion decrease"}},
		{"twice as great", values, 10, []string{"ratio decrease"}},
	}
	if *replicates > 0 {
		tests = append(tests,
			search{"twice as many, 90/10", uneven, 10, returning},
			search{"three times as great, 90/10", unevenValues, 10, []string{"ratio decrease"}})
	}
	for _, test := range tests {
		n := max(test.n, *replicates)
		breached, _ := test.world.rates(100, n)
		for _, name := range test.found {
			t.Logf("%s: %-23s breached %.3f (%d runs)", test.name, name, float64(breached[name])/float64(n), n)
			if breached[name] < n*9/10 {
				t.Errorf("%s: %s is found in %d of %d runs", test.name, name, breached[name], n)
			}
		}
	}
}

// rates runs n experiments on all processors; the seed fixes every one of them.
func (w world) rates(seed uint64, n int) (breached, healthy map[string]int) {
	breached, healthy = map[string]int{}, map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for p := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := p; i < n; i += runtime.GOMAXPROCS(0) {
				b, h := w.run(rand.New(rand.NewPCG(seed, uint64(i))))
				mu.Lock()
				for name := range b {
					breached[name]++
				}
				for name := range h {
					healthy[name]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return breached, healthy
}
