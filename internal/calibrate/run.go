package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
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

// run makes n replicates on all processors. Replicate i depends on the seed and
// on i alone. A panic of the engine would end the run: it must be seen.
func (s *scenario) run(ctx context.Context, n int, base uint64, progress io.Writer) (outcome, error) {
	began, used := time.Now(), processor()
	seed := s.seed(base)
	v := s.world.version()
	values := make([][]float64, n)
	var next, done atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				values[i] = s.one(v, source{rand.New(rand.NewPCG(seed, uint64(i)))})
				if k := done.Add(1); k%max(1, int64(n/20)) == 0 {
					_, _ = fmt.Fprintf(progress, "\r%-50s %6d of %d, %.0f s ", s.name, k, n, time.Since(began).Seconds())
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
	out := outcome{Scenario: s.name, About: s.about, Seed: base, Replicates: n, Units: s.world.units, Looks: looks, Seconds: tenths(time.Since(began)), CPU: tenths(processor() - used)}
	level := shareOf(targets())
	for k, f := range s.figures {
		m := measure{Name: f.name, Bound: f.bound}
		m.Mean, m.SD = moments(values, k)
		se := m.SD / math.Sqrt(float64(n))
		if f.median {
			m.Mean = median(values, k)
		}
		if m.Passes = f.bound.holds(m.Mean, se, n, level); f.bound.Kind != shown {
			m.Reach = f.bound.reach(se, n, level)
		}
		out.Figures = append(out.Figures, m)
	}
	_, _ = fmt.Fprintln(progress)
	return out, nil
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
