package simulate

import (
	"flag"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

var runs = flag.Int("runs", 10, "demos that TestEffectsShowInTime plays")

// TestEffectsShowInTime plays the demo many times, looks once a second as the
// guard does, and measures when each experiment shows what its story says.
func TestEffectsShowInTime(t *testing.T) {
	version := demoVersion(t)
	tests := []struct {
		story  Story
		within int // seconds in which it shows in nearly every demo
		shows  func(*experiment.Experiment, ledger) bool
	}{
		{harmful(), 30, breached},
		{winner(), 40, conversionLeftZero},
		{broken(), 40, splitAlarms},
	}
	for _, tt := range tests {
		t.Run(tt.story.Key, func(t *testing.T) {
			e := version.Find(tt.story.Key)
			var seconds []int
			for seed := range uint64(*runs) {
				seconds = append(seconds, firstLook(arrivals(day(seed, &tt.story, int(tt.story.Rate*60), true)), e, tt.shows))
			}
			slices.Sort(seconds)
			late := 0
			for _, s := range seconds {
				if s > tt.within {
					late++
				}
			}
			t.Logf("shows after %d s (median), %d s (9 in 10), %d s (last of %d)",
				seconds[len(seconds)/2], seconds[len(seconds)*9/10], seconds[len(seconds)-1], len(seconds))
			if late*50 > len(seconds) { // more than 2 %
				t.Errorf("%d of %d demos needed more than %d s: %v", late, len(seconds), tt.within, seconds)
			}
		})
	}
}

// firstLook finds the first second at which a look shows it.
func firstLook(records []arrival, e *experiment.Experiment, shows func(*experiment.Experiment, ledger) bool) int {
	for second := 4; second <= 60; second++ {
		if shows(e, read(records, noon.Add(time.Duration(second)*time.Second))) {
			return second
		}
	}
	return 61
}

// moments are those of a proportion.
func moments(l ledger, e *experiment.Experiment, variant, event string) stats.Moments {
	n, y := float64(l.exposed[arm{e.Key, variant}]), float64(l.units[cell{e.Key, variant, event}])
	if n == 0 {
		return stats.Moments{}
	}
	return stats.Moments{N: int64(n), NonZero: int64(y), Mean: y / n, M2: y - y*y/n}
}

func pair(l ledger, e *experiment.Experiment, event string) stats.Pair {
	return stats.Combine([]stats.Stratum{{Name: "1", Treatment: moments(l, e, treatment, event), Control: moments(l, e, control, event)}})
}

// breached is the verdict of the guardrail on errors, at its share of the budget.
func breached(e *experiment.Experiment, l ledger) bool {
	g := e.Guardrails[slices.IndexFunc(e.Guardrails, func(g experiment.Guardrail) bool { return g.Metric == "errors" })]
	p := pair(l, e, "error")
	plan := stats.Plan{PlannedUnits: float64(e.PlannedUnits), TreatmentShare: 0.5, Alpha: e.AlphaKill / float64(len(e.Guardrails))}
	return p.Gate(0.5, true).Passes && p.TestHarm(stats.Margin{Value: g.Margin}, stats.DecreaseIsGood, plan).Reject
}

// conversionLeftZero asks whether the always-valid interval excludes zero.
func conversionLeftZero(e *experiment.Experiment, l ledger) bool {
	p := pair(l, e, "purchase")
	r := p.Sequential(stats.Plan{PlannedUnits: float64(e.PlannedUnits), TreatmentShare: 0.5, Alpha: e.Alpha})
	return p.Gate(0.5, true).Passes && r.Absolute.Low > 0
}

// splitAlarms is the alarm of the first phase.
func splitAlarms(e *experiment.Experiment, l ledger) bool {
	counts := []int64{int64(l.exposed[arm{e.Key, control}]), int64(l.exposed[arm{e.Key, treatment}])}
	return stats.SampleRatio(counts, []float64{0.5, 0.5}).P < stats.SRMThreshold(1)
}

// TestHealthySplitsRaiseNoAlarm: 30,000 visitors to each of the three experiments
// whose split is whole.
func TestHealthySplitsRaiseNoAlarm(t *testing.T) {
	const visitors = 30_000
	version := demoVersion(t)
	for _, s := range []Story{winner(), harmful(), silent()} {
		l := read(arrivals(day(11, &s, visitors, true)), noon.Add(time.Hour))
		units := [2]int{l.exposed[arm{s.Key, control}], l.exposed[arm{s.Key, treatment}]}
		if splitAlarms(version.Find(s.Key), l) {
			t.Errorf("%s: alarm at %v", s.Key, units)
		}
		if math.Abs(float64(units[0]-units[1])) > 4*math.Sqrt(visitors) {
			t.Errorf("%s: %v units of %d visitors", s.Key, units, visitors)
		}
	}
}
