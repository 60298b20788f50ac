package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestExceedsIsItsIntegral holds the e-value against its definition, the likelihood
// ratio averaged over the proportions beyond the limit, integrated by Simpson's rule.
func TestExceedsIsItsIntegral(t *testing.T) {
	for _, s := range []Share{{3, 100}, {30, 1000}, {5, 1000}, {400, 10000}} {
		const limit, steps = 0.02, 200_000
		k := 1 / (limit * (1 - limit) * math.Ln2 * math.Ln2)
		var above, all float64
		for i := 0; i <= steps; i++ {
			p := limit + (1-limit)*float64(i)/steps
			weight := float64(2 + 2*(i%2))
			if i == 0 || i == steps {
				weight = 1
			}
			prior := math.Exp((k*limit-1)*math.Log(p)+(k*(1-limit)-1)*math.Log1p(-p)) * weight
			if p == 1 {
				continue
			}
			ratio := float64(s.Successes)*math.Log(p/limit) + float64(s.Units-s.Successes)*math.Log((1-p)/(1-limit))
			above += prior * math.Exp(ratio)
			all += prior
		}
		want := math.Log(above / all)
		if s.p() <= limit {
			want = math.Min(want, 0) // an estimate within the limit is no evidence
		}
		if got := s.Exceeds(limit, 0.01).LogE; math.Abs(got-want) > 1e-4 {
			t.Errorf("%d of %d: log e %.6f, want %.6f", s.Successes, s.Units, got, want)
		}
	}
}

// TestExceedsHoldsAtEveryLook: with exactly the limit, looked at after each unit, an
// alarm at 0.05 comes in at most 0.05 of the runs; 28 of 300 would be a chance of 1 in
// 1000. At twice the limit it always comes.
func TestExceedsHoldsAtEveryLook(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 30))
	alarms := func(p float64, runs int) int {
		n := 0
		for range runs {
			var s Share
			for range 5000 {
				s.Units++
				if rng.Float64() < p {
					s.Successes++
					if s.Exceeds(0.02, 0.05).P < 0.05 { // only a success adds evidence
						n++
						break
					}
				}
			}
		}
		return n
	}
	if n := alarms(0.02, 300); n > 28 {
		t.Errorf("%d of 300 runs at the limit raised the alarm", n)
	}
	if n := alarms(0.04, 40); n != 40 {
		t.Errorf("%d of 40 runs at twice the limit raised the alarm", n)
	}
}

// TestExceedsAgreesWithItsBound: the alarm is raised exactly when the bound lies
// beyond the limit.
func TestExceedsAgreesWithItsBound(t *testing.T) {
	for successes := int64(0); successes <= 60; successes++ {
		d := Share{successes, 1000}.Exceeds(0.02, 0.01)
		if (d.P < 0.01) != (d.Low > 0.02) || d.Low > float64(successes)/1000 {
			t.Errorf("%d of 1000: p %v, bound %v", successes, d.P, d.Low)
		}
	}
}
