package guardrails_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
)

// TestShedPlan: how far behind counting is each minute, and at which a step is due.
func TestShedPlan(t *testing.T) {
	plan := guardrails.ShedPlan{Keep: []float64{.5, .25}, Lag: 5 * time.Minute, For: 10 * time.Minute}
	minutes := func(from, per float64, n int) (out []float64) {
		for i := range n {
			out = append(out, from+per*float64(i))
		}
		return out
	}
	const gone = -1 // a shard without a consumer
	for name, test := range map[string]struct {
		behind []float64 // minutes
		kept   float64
		at     int // minute of the step; -1: none
		keep   float64
	}{
		"nothing waits":                {minutes(0, 0, 60), 1, -1, 0},
		"below the lag for ever":       {minutes(4.9, 0, 60), 1, -1, 0},
		"more comes than is counted":   {minutes(0, .5, 60), 1, 20, .5}, // 5 minutes behind after 10
		"the next step":                {minutes(0, .5, 60), .5, 20, .25},
		"nothing is left of the plan":  {minutes(0, .5, 60), .25, -1, 0},
		"a person keeps less":          {minutes(0, .5, 60), .1, -1, 0},
		"after an outage of an hour":   {minutes(60, -.1, 500), 1, -1, 0},
		"an outage, then an overload":  {append(minutes(60, -5, 10), minutes(15, .1, 30)...), 1, 19, .5},
		"a shard stands still":         {append(minutes(6, .1, 8), append([]float64{gone}, minutes(7, .1, 8)...)...), 1, -1, 0},
		"it only stands":               {minutes(6, 0, 20), 1, 10, .5},
		"behind for nine minutes only": {append(minutes(6, 1, 10), minutes(1, 0, 30)...), 1, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var o guardrails.Overload
			at := -1
			for i, behind := range test.behind {
				now := guardrails.Backlog{At: begin().Add(time.Duration(i) * time.Minute), Behind: time.Duration(behind * float64(time.Minute)), Whole: behind != gone}
				before := o
				var step *guardrails.Shedding
				if o, step = plan.Step(o, now, test.kept); step == nil {
					continue
				}
				at = i
				if step.Was != test.kept || step.Keep != test.keep {
					t.Errorf("step %+v, want %v → %v", step, test.kept, test.keep)
				}
				if _, again := plan.Step(before, now, test.kept); cmp.Diff(step, again) != "" {
					t.Errorf("decided again: %+v", again)
				}
				break
			}
			if at != test.at {
				t.Errorf("the step is at minute %d, want %d", at, test.at)
			}
		})
	}
	if _, step := (guardrails.ShedPlan{}).Step(guardrails.Overload{Since: guardrails.Backlog{At: begin()}}, guardrails.Backlog{At: begin().Add(time.Hour), Whole: true}, 1); step != nil {
		t.Errorf("without a plan: %+v", step)
	}
}
