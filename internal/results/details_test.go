package results_test

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// detailed are the ramp's comparisons with their details, of so many of its phases.
func detailed(phases int, cells ...results.Cell) []results.Comparison {
	v, e := ramp()
	e.Iterations[1].Phases = e.Iterations[1].Phases[:phases]
	d := results.Compute(v, e, 2, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
	results.AddDetails(e, &d)
	return d.Comparisons
}

// TestArmIntervals: a share of one phase has Wilson's interval (15 of 148 is the example
// of Newcombe 1998, table I: .0624 to .1605), a mean has Student's.
func TestArmIntervals(t *testing.T) {
	for _, c := range detailed(1,
		binary("errors", "control", 1, 148, 15), binary("errors", "treatment", 1, 148, 0),
		// 100 units of 2.00 and of 4.00 each: mean 3, standard deviation 1.0025, t(199) = 1.97196
		cell("spend", "control", 1, 200, 200, 60000, 20000000), cell("spend", "treatment", 1, 200, 200, 40000, 8000000),
	) {
		for name, e := range map[string]results.Estimate{"open": c.Open, "matured": c.Matured} {
			arm, flat := e.Control.Interval, e.Treatment.Interval
			if arm == nil {
				t.Fatalf("%s, %s: the control has no interval", c.Metric, name)
			}
			switch c.Kind {
			case string(experiment.Proportion):
				within(t, "Wilson's lower end", arm.Low, .0624)
				within(t, "Wilson's upper end", arm.High, .1605)
				if arm.Method != results.MethodWilson || flat == nil || flat.Low != 0 || !(flat.High > 0.02 && flat.High < 0.03) {
					t.Errorf("%+v; of no event: %+v", arm, flat)
				}
			default:
				within(t, "Student's lower end", arm.Low, 3-1.97196*1.002509/14.14214)
				within(t, "Student's upper end", arm.High, 3+1.97196*1.002509/14.14214)
				if arm.Method != results.MethodStudent || flat != nil {
					t.Errorf("%+v; of units that do not differ: %+v", arm, flat)
				}
			}
		}
	}
}

// TestArmIntervalsOverPhases: the interval is of the mean that is shown, which weighs
// phases, and a share's stays within 0 and 1.
func TestArmIntervalsOverPhases(t *testing.T) {
	c := detailed(2,
		binary("errors", "control", 1, 990, 1), binary("errors", "treatment", 1, 10, 0),
		binary("errors", "control", 2, 20, 0), binary("errors", "treatment", 2, 20, 1),
		cell("spend", "control", 1, 990, 30, 6000, 900000),
	)
	a := c[0].Open.Treatment
	if a.Interval == nil || a.Interval.Method != results.MethodStudent || a.Interval.Low != 0 || !(a.Interval.High > a.Mean && a.Interval.High < 1) {
		t.Errorf("share %+v, interval %+v", a, a.Interval)
	}
	if a.Mean == results.Number(1./30) {
		t.Error("the phases are pooled")
	}
	if got := c[1].Open.Control.Interval; got != nil {
		t.Errorf("without units in the treatment there is no pair to weigh phases by: %+v", got)
	}
}
