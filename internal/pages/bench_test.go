package pages

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
)

// percentile95 is the time below which 95 of 100 answers came.
func percentile95(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*95/100]
}

// BenchmarkList is the start page over 1,000 experiments.
func BenchmarkList(b *testing.B) {
	w := newWorld(b)
	like := w.details["checkout-button"]
	clear(w.details)
	for i := range 1000 {
		d := like
		e := *like.Experiment
		e.Key = fmt.Sprintf("experiment-%04d", i)
		d.Row.Key, d.Experiment = e.Key, &e
		w.details[e.Key] = d
	}
	w.real = true
	h := w.mux(reader)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if got := get(h, "/"); got.Code != 200 {
			b.Fatal(got.Code)
		}
		took = append(took, time.Since(began))
	}
	b.ReportMetric(float64(percentile95(took).Milliseconds()), "ms-p95")
}

// BenchmarkExperiment is the page of an experiment of 20 metrics, asked for 50 times a
// second: at that rate, not as fast as it can be.
func BenchmarkExperiment(b *testing.B) {
	w := newWorld(b)
	d := w.details["checkout-button"]
	doc := *d.Document
	one := doc.Comparisons[0]
	doc.Comparisons = nil
	w.past.Effects = map[Series][]plots.Point{}
	for i := range 20 {
		c := one
		c.Metric, c.Goal, c.Guardrail = fmt.Sprintf("metric-%02d", i), i < 5, i >= 5 && i < 15
		doc.Comparisons = append(doc.Comparisons, c)
		for k := range 240 {
			w.past.Effects[Series{c.Metric, c.Arm}] = append(w.past.Effects[Series{c.Metric, c.Arm}], plots.Point{
				At: w.now.Add(time.Duration(k) * time.Minute), Estimate: c.Open.Relative.Estimate, Sequential: c.Open.Relative.Sequential})
		}
	}
	e := *d.Experiment
	e.Iterations = append([]experiment.Iteration(nil), e.Iterations...)
	w.details["checkout-button"] = catalog.DetailOf(catalog.Subject{Experiment: &e, Iteration: e.Latest(), Document: &doc, Now: doc.At}, "look", "tag")
	w.real = true
	h := w.mux(reader)
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / 50)
	defer tick.Stop()
	for b.Loop() {
		<-tick.C
		all.Go(func() {
			began := time.Now()
			got := get(h, "/experiments/checkout-button")
			mu.Lock()
			defer mu.Unlock()
			if took = append(took, time.Since(began)); got.Code != 200 {
				b.Error(got.Code)
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(percentile95(took).Microseconds())/1000, "ms-p95")
}
