package stats

// Warning is a doubt about a result: a code for programs and a sentence for
// people. The sentence names the n that would be needed where that is known.
type Warning struct {
	Code    Code
	Message string
}

// Code classifies a Warning.
type Code string

// The codes a result may carry.
const (
	// NoBasis: no phase has two units in each arm, so nothing can be estimated.
	NoBasis Code = "no_basis"
	// PhaseLeftOut: a phase has fewer than two units in an arm or, in a count test, counts
	// or a share that cannot be.
	PhaseLeftOut Code = "phase_left_out"
	// PhasesDisagree: the phases refute every common effect.
	PhasesDisagree Code = "phases_disagree"
	// InvalidMoments: a phase's moments contradict themselves (NaN, negative variance,
	// more than 2⁵³ units) or overflow with those of the phases before; it is left out.
	InvalidMoments Code = "invalid_moments"
	// FewUnits: the normal approximation has too few units to stand on.
	FewUnits Code = "few_units"
	// FewEvents: the event gate is closed.
	FewEvents Code = "few_events"
	// ZeroVariance: the units do not differ, so there is no standard error.
	ZeroVariance Code = "zero_variance"
	// BaselineNearZero: the control mean is not distinguishable from zero, so
	// the relative effect is unbounded; use the absolute one.
	BaselineNearZero Code = "baseline_near_zero"
	// DefaultPlan: no planned number of units, no share or no possible ratio was given and
	// a default stands in for it.
	DefaultPlan Code = "default_plan"
	// InvalidPlan: the error rate, margin or direction makes no sense; nothing
	// is decided.
	InvalidPlan Code = "invalid_plan"
	// SmallExpected: an arm expects fewer than five units, so the chi-square
	// p-value is rough. The Bayes factor is exact at any n.
	SmallExpected Code = "small_expected"
	// UnplannedArm: units were seen in an arm whose share is zero; they take
	// no part in the sample-ratio test.
	UnplannedArm Code = "unplanned_arm"
	// ImplausibleLift: even the smallest effect that the data allow is so large that
	// a mistake in measurement is likelier.
	ImplausibleLift Code = "implausible_lift"
	// FewBlocks: a series was read too seldom, for how slowly it moves, to tell a step in it
	// from its own drift.
	FewBlocks Code = "few_blocks"
)
