package stats

// Interval is a range of values that the data do not contradict. An end may be
// infinite; (−Inf, +Inf) says that nothing is known.
type Interval struct{ Low, High float64 }

// Contains reports whether x lies in the interval, its ends included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// Effect is an estimate with its interval and p-value.
type Effect struct {
	Estimate float64 // NaN when there is no basis
	Interval
	StdError float64 // of an absolute effect; NaN for a relative one, which has no symmetric error
	P        float64 // two-sided, of the hypothesis that the effect is zero
}

// Result is what is known about a pair of arms.
type Result struct {
	Absolute Effect // treatment mean − control mean
	Relative Effect // Absolute / |control mean|
	// TreatmentMean and ControlMean carry the same phase weights as the effect,
	// so Absolute.Estimate is exactly their difference.
	TreatmentMean float64
	ControlMean   float64
	Critical      float64 // multiple of the standard error that makes the interval
	Alpha         float64
	Warnings      []Warning
}

// Plan is what is fixed before the first unit: it tunes the sequential tests.
// Changing it after looking at data voids their guarantee.
type Plan struct {
	// PlannedUnits is N*, the number of units of the comparison (both arms) at
	// which the interval is narrowest. Zero falls back to DefaultPlannedUnits.
	PlannedUnits float64
	// TreatmentShare is the treatment's share of the pair, in (0, 1). Zero
	// falls back to one half.
	TreatmentShare float64
	// Alpha is the error rate over all looks together: two-sided in Sequential,
	// one-sided in the tests. It lies in (0, 0.5).
	Alpha float64
	// Strict makes Sequential use the larger of the unpooled and the pooled
	// standard error. The one-sided tests always do.
	Strict bool
}

// DefaultPlannedUnits stands in for a missing plan.
const DefaultPlannedUnits = 10_000

// Fixed gives the intervals for one look at a number of units that was chosen
// beforehand: Welch's t for the absolute effect, Fieller's theorem for the
// relative one. Looking repeatedly breaks their error rate.
func (p Pair) Fixed(alpha float64) Result { panic("todo") }

// Sequential gives the always-valid intervals.
func (p Pair) Sequential(plan Plan) Result { panic("todo") }
