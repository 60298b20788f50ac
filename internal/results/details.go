package results

import (
	"math"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// ArmInterval is that of an arm's own mean, for one look and at the alpha of the
// experiment. It describes the arm; what is decided rests on the effect's intervals.
type ArmInterval struct {
	Method string `json:"method"` // MethodWilson, MethodStudent
	Interval
}

// The methods of an arm's own interval.
const (
	MethodWilson  = "wilson"  // shares of units, of one phase
	MethodStudent = "student" // means, ratios and quantiles, and shares over several phases
)

// AddDetails puts into a document what readers look at and no decision needs: the arms'
// own intervals, and the score intervals of small counts. Whoever shows a document asks
// for it: they are found by iteration, and looks are taken every second.
func AddDetails(e *experiment.Experiment, d *Document) {
	it := findIteration(e, d.Iteration)
	if it == nil {
		return
	}
	c := readBack(e, it, d)
	for i := range d.Comparisons {
		x := &d.Comparisons[i]
		m := it.Metric(x.Metric)
		if m == nil || x.Overflow > 0 {
			continue
		}
		x.Open.addDetails(m, c.strata(m, x.Arm, openSums), c.e.Alpha)
		if x.Matured.Treatment.Units > 0 {
			x.Matured.addDetails(m, c.strata(m, x.Arm, maturedSums), c.e.Alpha)
		}
	}
}

func (e *Estimate) addDetails(m *experiment.Metric, strata []stats.Stratum, alpha float64) {
	pair := stats.Combine(strata)
	onePhase := len(strata)-len(pair.LeftOut) == 1
	e.Treatment.Interval = armInterval(m, pair.Treatment, onePhase, alpha)
	e.Control.Interval = armInterval(m, pair.Control, onePhase, alpha)
	e.SmallCounts = smallCounts(m, strata, alpha)
}

// armInterval is nil while nothing is known: without two units, or where none differ
// and the metric is no share.
func armInterval(m *experiment.Metric, a stats.Arm, onePhase bool, alpha float64) *ArmInterval {
	if m.Kind.Binary() && onePhase {
		i := stats.Share{Successes: a.NonZero, Units: a.N}.Wilson(alpha)
		return &ArmInterval{MethodWilson, Interval{Number(i.Low), Number(i.High)}}
	}
	i := a.Estimate().Student(alpha)
	if math.IsInf(i.Low, 0) || math.IsInf(i.High, 0) {
		return nil
	}
	if m.Kind.Binary() {
		i.Low, i.High = max(i.Low, 0), min(i.High, 1)
	}
	return &ArmInterval{MethodStudent, Interval{Number(i.Low), Number(i.High)}}
}
