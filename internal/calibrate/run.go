package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// outcome is what a run of one scenario found, as its file holds it.
type outcome struct {
	Scenario   string    `json:"scenario"`
	About      string    `json:"about"`
	Seed       uint64    `json:"seed"`
	Commit     string    `json:"commit"`
	Replicates int       `json:"replicates"`
	Units      int       `json:"units"` // N of each replicate
	Looks      int       `json:"looks"`
	Seconds    float64   `json:"seconds"`
	CPU        float64   `json:"cpu_seconds"` // of all processors together; other programs may have shared them
	Figures    []measure `json:"figures"`
}

// measure is a figure with its mean over the replicates.
type measure struct {
	Name   string  `json:"name"`
	Mean   float64 `json:"mean"`
	SD     float64 `json:"sd"`
	Bound  bound   `json:"bound"`
	Passes bool    `json:"passes"`
	Reach  float64 `json:"reach"` // the last mean that passes
}

// seed of a scenario: its name's, so that it stays when others are added.
func (s *scenario) seed(base uint64) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, s.name) // a hash takes everything
	return h.Sum64() ^ base
}

// run makes the replicates from one number to before another, on all processors.
// Replicate i depends on the seed and on i alone. A panic of the engine would end the
// run: it must be seen.
func (s *scenario) run(ctx context.Context, from, to int, base uint64, progress io.Writer) (outcome, error) {
	began, used := time.Now(), processor()
	debug.SetMemoryLimit(max(leastMemory, unitMemory*int64(s.world.units)))
	seed := s.seed(base)
	v := s.world.version()
	values := make([][]float64, to-from)
	var next, done atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(values) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				values[i] = s.one(v, source{rand.New(rand.NewPCG(seed, uint64(from+i)))})
				if k := done.Add(1); k%max(1, int64(len(values)/20)) == 0 {
					_, _ = fmt.Fprintf(progress, "\r%-50s %6d of %d, %.0f s ", s.name, from+int(k), to, time.Since(began).Seconds())
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return outcome{}, fmt.Errorf("%s: %w", s.name, err)
	}
	looks := s.world.looks
	if s.direct != nil {
		looks = slowLooks
	}
	out := outcome{Scenario: s.name, About: s.about, Seed: base, Replicates: len(values), Units: s.world.units, Looks: looks, Seconds: tenths(time.Since(began)), CPU: tenths(processor() - used)}
	for k, f := range s.figures {
		m := measure{Name: f.name, Bound: f.bound}
		m.Mean, m.SD = moments(values, k)
		if f.median {
			m.Mean = median(values, k)
		}
		out.Figures = append(out.Figures, m)
	}
	_, _ = fmt.Fprintln(progress)
	out.judge()
	return out, nil
}

// What a run may use before it collects: replicates are short-lived, and within the
// processor's caches they are faster than with more.
const (
	leastMemory = 128 << 20
	unitMemory  = 2 << 10 // more of it for what large replicates hold at one time
)

// after joins the replicates that follow an earlier run's.
func (f outcome) after(e outcome) outcome {
	n, more := float64(e.Replicates), float64(f.Replicates)
	for i := range f.Figures {
		m, was := &f.Figures[i], e.Figures[i]
		apart := m.Mean - was.Mean
		squares := m.SD*m.SD*(more-1) + was.SD*was.SD*(n-1) + apart*apart*n*more/(n+more)
		m.Mean = was.Mean + apart*more/(n+more)
		m.SD = math.Sqrt(squares / (n + more - 1))
	}
	f.Replicates += e.Replicates
	f.Seconds, f.CPU = f.Seconds+e.Seconds, f.CPU+e.CPU
	f.judge()
	return f
}

// judge holds every figure against its target.
func (f outcome) judge() {
	level := shareOf(targets())
	for i := range f.Figures {
		m := &f.Figures[i]
		se := m.SD / math.Sqrt(float64(f.Replicates))
		if m.Passes = m.Bound.holds(m.Mean, se, f.Replicates, level); m.Bound.Kind != shown {
			m.Reach = m.Bound.reach(se, f.Replicates, level)
		}
	}
}

func tenths(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

// processor is the time that this process has computed so far; 0 where it is not told.
func processor() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// targets counts the figures with a target, of all scenarios: a run of a few of them
// is judged like the whole.
func targets() (n int) {
	for _, s := range scenarios(form{}) {
		for _, f := range s.figures {
			if f.bound.Kind != shown {
				n++
			}
		}
	}
	return n
}

func (s *scenario) one(v *experiment.Version, rng source) []float64 {
	if s.direct != nil {
		return s.direct(&s.world, rng)
	}
	return s.replicate(&s.world, v, rng)
}

func moments(values [][]float64, k int) (mean, sd float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v[k] / n
	}
	for _, v := range values {
		sd += (v[k] - mean) * (v[k] - mean)
	}
	return mean, math.Sqrt(sd / math.Max(1, n-1))
}

func median(values [][]float64, k int) float64 {
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = v[k]
	}
	slices.Sort(all)
	return all[len(all)/2]
}
