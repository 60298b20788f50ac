package stats

import (
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// benchArms are two arms of a money metric, in one phase.
func benchArms() (treatment, control Moments) {
	return Moments{N: 48_211, NonZero: 2_417, Mean: 1.0931, M2: 4_112_345},
		Moments{N: 48_503, NonZero: 2_398, Mean: 1.0612, M2: 4_087_654}
}

// BenchmarkComparison is what a comparison of two arms costs from their moments,
// through the functions that results are made with, beside one quantile of gonum's.
func BenchmarkComparison(b *testing.B) {
	treatment, control := benchArms()
	pair := Combine([]Stratum{{"1", treatment, control}})
	b.Run("sequential", func(b *testing.B) { // interval and p, absolute and relative
		b.ReportAllocs()
		for b.Loop() {
			r := pair.Sequential(usual)
			sink(b, r.Absolute.P)
		}
	})
	b.Run("combine-sequential", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p := Combine([]Stratum{{"1", treatment, control}})
			r := p.Sequential(usual)
			sink(b, r.Absolute.P)
		}
	})
	b.Run("whole", func(b *testing.B) { // Welch, Fieller and the sequential ones
		b.ReportAllocs()
		for b.Loop() {
			p := Combine([]Stratum{{"1", treatment, control}})
			fixed, sequential := p.Fixed(0.05), p.Sequential(usual)
			sink(b, fixed.Absolute.P+sequential.Absolute.P)
		}
	})
	b.Run("20000-whole", func(b *testing.B) { // 1,000 experiments × 20 metrics × 2 arms
		b.ReportAllocs()
		for b.Loop() {
			for i := range 20_000 {
				t := treatment
				t.Mean += float64(i) * 1e-6
				p := Combine([]Stratum{{"1", t, control}})
				fixed, sequential := p.Fixed(0.05), p.Sequential(usual)
				sink(b, fixed.Absolute.P+sequential.Absolute.P)
			}
		}
	})
	b.Run("peer-gonum-t-quantile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink(b, distuv.StudentsT{Mu: 0, Sigma: 1, Nu: 96_000.5}.Quantile(0.975))
		}
	})
}

func sink(b *testing.B, x float64) {
	if x != x {
		b.Fatal("no number")
	}
}

// TestComparisonAllocatesNothing: what is computed every second of every comparison is no
// work for the garbage collector.
func TestComparisonAllocatesNothing(t *testing.T) {
	treatment, control := benchArms()
	strata := []Stratum{{"1", treatment, control}}
	got := testing.AllocsPerRun(100, func() {
		p := Combine(strata)
		fixed, sequential := p.Fixed(0.05), p.Sequential(usual)
		if fixed.Absolute.P+sequential.Absolute.P > 2 {
			t.Error("no probability")
		}
	})
	if got != 0 {
		t.Errorf("%v allocations for a comparison", got)
	}
}
