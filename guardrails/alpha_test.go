package guardrails_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

var seed = flag.Uint64("seed", 1, "of the simulated experiments")

// TestFalseKills runs 100 experiments without an effect, each looked at 100
// times, with one guardrail at the whole budget of 0.05. More than 11 kills have
// a chance below 0.01 even if every one of them used its budget up.
func TestFalseKills(t *testing.T) {
	t.Logf("seed %d", *seed)
	rng := rand.New(rand.NewPCG(*seed, 100))
	if killed := simulate(rng, 100, .05, .05); killed > 11 {
		t.Errorf("%d of 100 experiments without an effect were killed, at most 11 may be", killed)
	}
}

// TestTrueKills is the other side: a test that never kills would pass the one above.
func TestTrueKills(t *testing.T) {
	t.Logf("seed %d", *seed)
	rng := rand.New(rand.NewPCG(*seed, 101))
	if killed := simulate(rng, 20, .05, .10); killed < 19 {
		t.Errorf("%d of 20 experiments that double the errors were killed, at least 19 should be", killed)
	}
}

// simulate counts the kills of a guardrail on an error rate.
func simulate(rng *rand.Rand, experiments int, control, treatment float64) int {
	killed := 0
	for range experiments {
		r := guardrails.Rule{
			Experiment: "aa", Iteration: 1, Metric: "errors", Arm: "treatment", Control: "control", Binary: true,
			Direction: experiment.Decrease, Mode: experiment.Kill, AlphaKill: .05, Alpha: .05,
			PlannedUnits: 10000, TreatmentShare: .5, Start: begin(), End: begin().Add(time.Hour),
			Stall: time.Minute, Silence: time.Minute,
		}
		if runOne(rng, r, control, treatment) {
			killed++
		}
	}
	return killed
}

func runOne(rng *rand.Rand, r guardrails.Rule, control, treatment float64) bool {
	var s guardrails.State
	var units, events [2]int64
	for look := range 100 {
		for range 100 {
			arm := rng.IntN(2)
			units[arm]++
			if rng.Float64() < []float64{control, treatment}[arm] {
				events[arm]++
			}
		}
		at := begin().Add(time.Duration(look) * time.Second)
		o := guardrails.Observation{At: at, Freshness: at, Newest: at, Open: []guardrails.Stratum{{
			Phase: 1, Share: .5, Control: binary(units[0], events[0]), Treatment: binary(units[1], events[1])}}}
		var v guardrails.Verdict
		if s, v = guardrails.Step(r, s, o); v.Act == guardrails.DoKill {
			return true
		}
	}
	return false
}

func binary(n, nonZero int64) stats.Moments {
	if n == 0 {
		return stats.Moments{}
	}
	p := float64(nonZero) / float64(n)
	return stats.Moments{N: n, NonZero: nonZero, Mean: p, M2: float64(nonZero) * (1 - p)}
}
