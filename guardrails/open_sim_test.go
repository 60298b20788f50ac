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
)

var replicates = flag.Int("replicates", 0, "simulated experiments per scenario; 0 is quick")

func TestOpenResults(t *testing.T) {
	const hour = time.Hour
	base := world{units: 5000, enrol: 4 * hour, window: hour, shares: []float64{.5}, rate: .2, more: 1, delay: waning, value: gaussian, factor: 1}
	with := func(name string, change func(*world)) world {
		w := base
		w.name = name
		change(&w)
		return w
	}
	for i, w := range []world{
		with("waning", func(w *world) {}),
		with("steady", func(w *world) { w.delay, w.more = steady, 4 }),
		with("heavy", func(w *world) { w.value = lognormal }),
		with("heavy 90/10", func(w *world) { w.value, w.shares = lognormal, []float64{.1} }),
		with("steady 90/10", func(w *world) { w.delay, w.more, w.shares = steady, 4, []float64{.1} }),
		with("ramp trend", func(w *world) { w.shares, w.trend, w.more, w.delay = []float64{.01, .1, .5}, 2, 2, steady }),
		with("margin up", func(w *world) { w.margin, w.factor = .2, 1.2 }),
		with("margin down", func(w *world) { w.margin, w.factor = .2, .8 }),
		with("margin up heavy 90/10", func(w *world) { w.margin, w.factor, w.shares, w.value = .2, 1.2, []float64{.1}, lognormal }),
		with("window 10x", func(w *world) { w.enrol, w.window, w.delay, w.more = hour, 10*hour, steady, 4 }),
		with("at once, waning", func(w *world) { w.enrol, w.window = time.Minute, hour }),
		with("at once, steady many", func(w *world) { w.enrol, w.window, w.delay, w.more = time.Minute, hour, steady, 10 }),
		with("at once, rare, big", func(w *world) { w.units, w.enrol, w.window, w.delay, w.more, w.rate = 50000, time.Minute, hour, steady, 1, .3 }),
	} {
		t.Run(w.name, func(t *testing.T) {
			n := 100
			if *replicates > 0 {
				n = *replicates
			}
			breached, healthy := w.rates(uint64(i), n)
			se := 3 * math.Sqrt(.05*.95/float64(n))
			for _, k := range simKinds {
				for _, d := range simDirections {
					name := string(k) + " " + string(d)
					flag := ""
					if float64(breached[name])/float64(n) > .05+se { flag = "  <<<<" }
					t.Logf("%-25s %-22s breached %.4f healthy %.4f%s", w.name, name, float64(breached[name])/float64(n), float64(healthy[name])/float64(n), flag)
				}
			}
		})
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

var _ = slices.Sort[[]int]
