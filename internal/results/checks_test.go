package results_test

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestCrossoverCheck: each phase is held against the limit at its own level, without the
// units that came while it settled.
func TestCrossoverCheck(t *testing.T) {
	v, e := ramp()
	e.Checks.Crossovers = &experiment.CrossoverCheck{Limit: .01, OnAlarm: experiment.WarnOnAlarm}
	crossed := func(phase uint16, n int64, settling bool) results.Cell {
		c := cell(ingest.CrossoverUnits, "control", phase, n, 0, 0, 0)
		c.Value, c.Settling = "treatment", settling
		return c
	}
	settling := units("control", 2, 10_000)
	settling.Settling = true
	m := moments(units("control", 1, 9900), units("treatment", 1, 100), units("control", 2, 5000), units("treatment", 2, 5000),
		settling, crossed(1, 100, false), crossed(2, 170, false), crossed(2, 9000, true))
	d := results.Compute(v, e, 2, m, statuses(), noon().Add(2*time.Hour), results.Options{Kind: results.KindFull})
	if len(d.CrossoverChecks) != 2 {
		t.Fatalf("%d checks of two phases", len(d.CrossoverChecks))
	}
	one, two := d.CrossoverChecks[0], d.CrossoverChecks[1]
	if one.Alarm || one.Units != 10_000 || one.Crossed != 100 || one.Threshold != .005 {
		t.Errorf("exactly the limit: %+v", one)
	}
	if !two.Alarm || two.Units != 10_000 || two.Crossed != 170 || two.Threshold != .0025 || !(two.Low > .01) || two.OnAlarm != "warn" {
		t.Errorf("1.7 %% where 1 %% may: %+v", two)
	}
	if b := d.Budget.Checks; len(b) != 2 || b[1].Check != "crossovers" || b[1].Alpha != .01 {
		t.Errorf("budgets of the checks: %+v", b)
	}
}

// TestNoLimitNoCheck: without a line in the file crossovers are only counted.
func TestNoLimitNoCheck(t *testing.T) {
	d := compute(moments(units("control", 1, 99), cell(ingest.CrossoverUnits, "control", 1, 90, 0, 0, 0)), statuses())
	if d.CrossoverChecks != nil || len(d.Crossovers) != 1 {
		t.Errorf("checks %+v, crossovers %+v", d.CrossoverChecks, d.Crossovers)
	}
}
