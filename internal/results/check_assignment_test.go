package results

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// TestCheckAssignments: a wrong seed raises the alarm within the first units, a limit
// that is kept never does, and what was not drawn is not in it.
func TestCheckAssignments(t *testing.T) {
	cell := func(value string, n int64, phase uint16, settling bool) Cell {
		return Cell{Metric: ingest.Assignment, Value: value, Phase: phase, Settling: settling, Open: Sums{N: n}}
	}
	for name, c := range map[string]struct {
		rest  []Cell
		alarm bool
		units int64
	}{
		"a wrong seed":        {[]Cell{cell("match", 3, 1, false), cell("mismatch", 7, 1, false)}, true, 10},
		"not in the traffic":  {[]Cell{cell("match", 3, 1, false), cell("not_in_traffic", 7, 1, false)}, true, 10},
		"within the limit":    {[]Cell{cell("match", 99_500, 1, false), cell("mismatch", 500, 1, false)}, false, 100_000},
		"not drawn":           {[]Cell{cell("match", 90, 1, false), cell("override", 900, 1, false)}, false, 90},
		"settling":            {[]Cell{cell("match", 90, 1, false), cell("mismatch", 900, 1, true)}, false, 90},
		"of another phase":    {[]Cell{cell("match", 90, 1, false), cell("mismatch", 900, 2, false)}, false, 90},
		"nothing to judge by": {nil, false, 0},
	} {
		x := computation{
			e:  &experiment.Experiment{Checks: experiment.Checks{Assignment: &experiment.AssignmentCheck{Limit: 0.01, OnAlarm: experiment.HoldOnAlarm}}},
			it: &experiment.Iteration{Phases: []experiment.Phase{{Number: 1}}}, rest: c.rest, doc: &Document{},
		}
		x.checkAssignments()
		got := x.doc.AssignmentChecks
		if len(got) != 1 || got[0].Alarm != c.alarm || got[0].Units != c.units || got[0].OnAlarm != "hold" || !strings.Contains(got[0].String(), "phase 1") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
