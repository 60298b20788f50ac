package main

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkReplicate tells what an experiment of some scenarios costs.
func BenchmarkReplicate(b *testing.B) {
	for _, name := range []string{
		"normal 50/50", "ratio with correlated events 50/50", "cumulative totals, ramp", "split, 90/10",
		"power at 1× the fixed plan", "lognormal σ 2, 95 % zeros 90/10", "segments", "20 metrics × 3 arms, holm", "looks every second",
	} {
		for _, s := range scenarios(form{short: true}) {
			if s.name != name {
				continue
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				v := s.world.version()
				for i := range b.N {
					s.one(v, source{rand.New(rand.NewPCG(1, uint64(i)))})
				}
			})
		}
	}
}
