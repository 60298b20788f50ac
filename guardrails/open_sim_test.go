package guardrails_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"
)

var replicates = flag.Int("replicates", 0, "simulated experiments per scenario; 0 is quick")

// scenarios are the ways in which outcomes arrive while a guard looks. quick
// ones run by default.
func scenarios() (quick, all []world) {
	base := world{
		units: 4000, enrol: 4 * time.Hour, window: time.Hour, shares: []float64{.5}, rate: .2, more: 1,
		delay: waning, value: gaussian, factor: 1, pace: 2,
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

// TestOpenResults: harm is judged while outcomes still arrive, by the mean so
// far of the units so far. Theory covers complete outcomes, so this rests on
// simulation, through the guard's own path: a guardrail whose harm is zero, or
// exactly its margin, is breached at any look with a chance of at most its part
// of the budget; and its harm is refuted, on matured results, with a chance of at
// most alpha. docs/statistics.md quotes the figures that -v prints.
func TestOpenResults(t *testing.T) {
	worlds, _ := scenarios()
	n := 40
	if *replicates > 0 {
		_, worlds = scenarios()
		n = *replicates
	}
	allowed := alphaEach*float64(n) + 3*math.Sqrt(alphaEach*(1-alphaEach)*float64(n))
	for i, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			breached, healthy := w.rates(uint64(i), n)
			for _, name := range w.atMargin() {
				t.Logf("%s: %-20s breached %.4f, healthy %.4f (%d runs)", w.name, name,
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
	quick, _ := scenarios()
	w := quick[0]
	w.factor = 1.5
	breached, _ := w.rates(100, 20)
	for _, name := range []string{"count decrease", "proportion decrease"} {
		if breached[name] < 19 {
			t.Errorf("%s: half as much again is found in %d of 20 runs", name, breached[name])
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
