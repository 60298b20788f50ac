package experiment

import (
	"strings"
	"time"
)

// Version is one applied state of the whole configuration. Versions are
// numbered from 1 without gaps; a consumer works under exactly one of them.
type Version struct {
	Number      uint32       `json:"number"`
	AppliedAt   time.Time    `json:"applied_at"`
	Author      string       `json:"author"`
	Login       string       `json:"login,omitempty"` // how the author's name was proved; "": it was said, or is nobody's
	Reason      string       `json:"reason,omitempty"`
	Experiments []Experiment `json:"experiments"` // sorted by key
	// Metrics is the catalogue as it was applied, sorted by name: the texts that
	// the next iteration will pin. What an iteration counts by is in Iteration.
	Metrics []Metric `json:"metrics,omitempty"`
	// Floor is the time before which events are no longer kept; zero: none is
	// refused for its age. It only rises; see MoveFloor.
	Floor time.Time `json:"floor,omitzero"`
	// Floors are of unit kinds whose events are kept for a shorter time: all are above
	// Floor. See FloorOf.
	Floors map[string]time.Time `json:"floors,omitempty"`
	// Erasure is the number of the last request of erasure that holds, in the
	// decision log: the units of all requests up to it are suppressed. See Erasing.
	Erasure uint64 `json:"erasure,omitzero"`
	// Sheds is the plan by which consumers leave out whole units of the deployment,
	// ascending; before the first of them nobody is left out. See Shedding.
	Sheds []Shed `json:"sheds,omitempty"`
}

// Experiment is the catalogue entry and everything that its evaluation needs.
type Experiment struct {
	Key             string      `json:"key"`
	Owner           string      `json:"owner"`
	Readers         []string    `json:"readers,omitempty"` // who may read single units and rows, beside the owner; none: whoever has the role
	Objective       string      `json:"objective,omitempty"`
	Hypothesis      string      `json:"hypothesis,omitempty"`
	SuccessCriteria string      `json:"success_criteria,omitempty"`
	RollbackPlan    string      `json:"rollback_plan,omitempty"`
	Links           Links       `json:"links,omitzero"`
	UnitKind        string      `json:"unit_kind"` // what is randomised: user, device, session …
	Variants        []Variant   `json:"variants"`  // in the file's order; the order is frozen
	Control         string      `json:"control"`   // key of the control variant
	Window          Duration    `json:"window"`    // attribution window of metrics without their own
	Grace           Duration    `json:"grace"`     // outcomes this long before the first exposure count too
	Crossovers      Crossovers  `json:"crossovers"`
	Exclude         []Condition `json:"exclude,omitempty"`       // a unit whose first exposure meets one of them gives nothing
	Dimensions      []Dimension `json:"dimensions,omitempty"`    // at most three
	Consent         Consent     `json:"consent,omitzero"`        // what an exposure must say to count for its unit
	Attributes      Attributes  `json:"attributes,omitempty"`    // which attributes of the first exposure are believed
	Covariate       string      `json:"covariate,omitempty"`     // "attrs.NAME", PrePeriod or several with " + " between them, for metrics without their own; "": none
	PlannedUnits    int64       `json:"planned_units,omitempty"` // N*, both arms of a comparison; 0: the engine's default
	Alpha           float64     `json:"alpha"`                   // two-sided level of the intervals, 0..1
	AlphaKill       float64     `json:"alpha_kill"`              // budget of false kills of one iteration, 0..1
	Families        Families    `json:"families,omitzero"`       // how alpha is shared among goals and segments
	Looks           Looks       `json:"looks,omitzero"`          // dated looks at the goals; zero: none
	Stall           Duration    `json:"stall"`                   // freshness older than this is blind (default 60 s)
	Silence         Duration    `json:"silence"`                 // newest counted event older than this is blind (default 10 min)
	Goals           []string    `json:"goals"`                   // metric names
	Guardrails      []Guardrail `json:"guardrails,omitempty"`
	Checks          Checks      `json:"checks,omitzero"`
	Signals         []Signal    `json:"signals,omitempty"`        // numbers of services, read beside it
	KillSwitch      string      `json:"kill_switch,omitempty"`    // a name in the operator's configuration, or OwnSwitch
	PrivacyReview   string      `json:"privacy_review,omitempty"` // who has reviewed that it reads sensitive attributes, and when
	Reviews         []time.Time `json:"reviews,omitempty"`        // dates at which people are to look at it, ascending
	StopWhen        StopWhen    `json:"stop_when,omitzero"`       // when people are reminded to end it
	Stale           Stale       `json:"stale,omitzero"`           // when nobody looks after it; zero: as the operator says
	Approvals       int         `json:"approvals,omitempty"`      // people who must agree before it grows; 0: as the operator says
	Assignment      *Assignment `json:"assignment,omitempty"`     // who puts units into variants; nil: somebody else, and nothing is known of it
	Iterations      []Iteration `json:"iterations"`               // ascending, never overlapping
}

// Links point to where the rest of the story is.
type Links struct {
	Flag   string `json:"flag,omitempty"`
	Change string `json:"change,omitempty"`
	Schema string `json:"schema,omitempty"`
}

// Variant is one arm.
type Variant struct {
	Key   string  `json:"key"`
	Share float64 `json:"share"` // intended share of the experiment's traffic, 0..1, all summing to 1
}

// Iteration is a numbered run with its own start, end and first exposures.
// Times are milliseconds of event time, [Start, End).
type Iteration struct {
	Number        uint32    `json:"number"` // from 1
	Start         time.Time `json:"start"`
	EnrolUntil    time.Time `json:"enrol_until"` // no first exposure from here on
	End           time.Time `json:"end"`         // no outcome from here on
	Salt          string    `json:"salt,omitempty"`
	Phases        []Phase   `json:"phases"`                  // ascending; the first begins at Start
	Metrics       []Metric  `json:"metrics"`                 // pinned texts, goals and guardrails, sorted by name
	Retrospective bool      `json:"retrospective,omitempty"` // started before it was applied: guardrails only notify
	NotifyOnly    bool      `json:"notify_only,omitempty"`   // opened by resume without --rearm
	AlphaKill     float64   `json:"alpha_kill"`              // budget declared at this iteration's start
	KillRules     int       `json:"kill_rules"`              // guardrails × non-control arms that share it, declared at start
	Killed        *Killed   `json:"killed,omitempty"`        // why it ended early

	// KillGuardrails names the guardrails behind KillRules: those that may kill in
	// this iteration, whatever their mode was at its start. One that is not named
	// here only notifies.
	KillGuardrails []string `json:"kill_guardrails,omitempty"`
	// ArmsOff are the arms that were turned off by themselves, in that order.
	ArmsOff []ArmOff `json:"arms_off,omitempty"`
	// ShedAt are the times at which the share of units that consumers keep changed while
	// it ran; a phase begins at each.
	ShedAt []time.Time `json:"shed_at,omitempty"`
	// Resumes is the number of the killed iteration that this one carries on; 0 when
	// it was written in the file.
	Resumes uint32 `json:"resumes,omitempty"`
	// Repeats is the number of the iteration that this one was declared to repeat,
	// before it began; 0: none. See Rerun.
	Repeats uint32 `json:"repeats,omitempty"`
	// Ramp is how its traffic grows by itself; nil when it does not.
	Ramp *Ramp `json:"ramp,omitempty"`
	// Design is what the experiment was when this iteration ran, nil while that is
	// what the experiment still is. Read it through Experiment.AsOf.
	Design *Design `json:"design,omitempty"`
}

// Design is the part of an experiment that is fixed while an iteration runs. When
// the file changes it between two iterations, the earlier ones keep theirs here.
type Design struct {
	UnitKind     string      `json:"unit_kind"`
	Variants     []Variant   `json:"variants"`
	Control      string      `json:"control"`
	Window       Duration    `json:"window"`
	Grace        Duration    `json:"grace"`
	Crossovers   Crossovers  `json:"crossovers"`
	Exclude      []Condition `json:"exclude,omitempty"`
	Dimensions   []Dimension `json:"dimensions,omitempty"`
	Consent      Consent     `json:"consent,omitzero"`
	Attributes   Attributes  `json:"attributes,omitempty"`
	Covariate    string      `json:"covariate,omitempty"`
	PlannedUnits int64       `json:"planned_units,omitempty"`
	Alpha        float64     `json:"alpha"`
	AlphaKill    float64     `json:"alpha_kill"`
	Families     Families    `json:"families,omitzero"`
	Looks        Looks       `json:"looks,omitzero"`
	Stall        Duration    `json:"stall"`
	Silence      Duration    `json:"silence"`
	Goals        []string    `json:"goals"`
	Guardrails   []Guardrail `json:"guardrails,omitempty"`
	Checks       Checks      `json:"checks,omitzero"`
	Assignment   *Assignment `json:"assignment,omitempty"`
}

// Killed says that an iteration was ended by its kill switch.
type Killed struct {
	At       time.Time `json:"at"`       // t_k: when the accepted off call was sent; equals End
	Decision uint64    `json:"decision"` // sequence number in the decision log
	Reason   string    `json:"reason"`
}

// Phase is a stretch of an iteration with constant shares and targeting.
type Phase struct {
	Number  uint16    `json:"number"` // from 1
	From    time.Time `json:"from"`
	Shares  []float64 `json:"shares"`           // by index of Experiment.Variants, summing to 1
	Traffic float64   `json:"traffic"`          // share of eligible units that take part, 0..1
	Settle  Duration  `json:"settle,omitempty"` // units first exposed within it form a stratum of their own; 0 in the first phase
	// Sample is the share of the phase's units that are measured, drawn apart from who
	// takes part and who gets what; 0: all. Within an iteration it never rises. See Kept.
	Sample float64 `json:"sample,omitempty"`

	// Declared are the shares that the file gives a phase in which arms are off, and
	// ArmsOff says that it is in no file: it began when an arm was turned off, or when
	// consumers began to keep another share of units.
	Declared []float64 `json:"declared,omitempty"`
	ArmsOff  bool      `json:"arms_off,omitempty"`

	// Of a ramp: which of its steps the phase is, from 1, and by which line of the
	// decision log it began; 0: with the iteration. Reverted: nobody takes part any more.
	Step     uint16 `json:"step,omitempty"`
	Reverted bool   `json:"reverted,omitempty"`
	Decision uint64 `json:"decision,omitempty"`
}

// Dimension is an attribute of the first exposure by which results are split.
type Dimension struct {
	Attribute string   `json:"attribute"`
	Values    []string `json:"values"` // at most 50; anything else is "(other)", missing is "(none)"
}

// Metric is a definition, owned and versioned on its own, pinned by iterations.
type Metric struct {
	Name      string    `json:"name"`
	Owner     string    `json:"owner,omitempty"`
	Describe  string    `json:"description,omitempty"`
	Event     string    `json:"event,omitempty"` // empty for a ratio: its parts have their own
	Value     string    `json:"value,omitempty"` // "value" (default) or "attrs.NAME": where a mean or sum reads its number
	Where     Condition `json:"where,omitempty"` // attribute → required value, all must hold
	Kind      Kind      `json:"kind"`
	Direction Direction `json:"direction"`
	Unit      string    `json:"unit,omitempty"`
	Decimals  int       `json:"decimals"`         // 0..12, default 6 for mean and sum, 0 for count and proportion
	Window    Duration  `json:"window,omitempty"` // 0: the experiment's

	Numerator   *Part    `json:"numerator,omitempty"`   // of a ratio
	Denominator *Part    `json:"denominator,omitempty"` // of a ratio
	From        Duration `json:"from,omitempty"`        // of a retention: [first exposure + From, first exposure + To)
	To          Duration `json:"to,omitempty"`
	Quantile    float64  `json:"quantile,omitempty"`  // of a quantile: 0..1, both excluded
	Cap         *Cap     `json:"cap,omitempty"`       // of a unit's total; nil: none
	Covariate   string   `json:"covariate,omitempty"` // as in Experiment, for this metric alone
}

// Part is the numerator or the denominator of a ratio: a unit's total of one kind
// of event.
type Part struct {
	Event       string      `json:"event"`
	Value       string      `json:"value,omitempty"` // where a sum reads its number, as in Metric
	Where       Condition   `json:"where,omitempty"`
	Aggregation Aggregation `json:"aggregation"`
	Decimals    int         `json:"decimals"`
	Cap         *Cap        `json:"cap,omitempty"` // a fixed number
}

// Cap bounds a unit's total from above. Totals below it, negative ones too, stay
// as they are.
type Cap struct {
	At         string  `json:"at,omitempty"`         // decimal text, in the metric's unit; "": not a number yet
	Percentile float64 `json:"percentile,omitempty"` // of which At is the value; 0: the file names the number
}

// Condition is a set of attributes with the values that they must have, all of
// them.
type Condition map[string]string

// Guardrail is a rule that may stop an experiment.
type Guardrail struct {
	Metric    string    `json:"metric"`
	Direction Direction `json:"direction,omitempty"` // which way is good; "": the metric's
	Margin    float64   `json:"margin"`              // tolerated harm in the bad direction, ≥ 0
	Relative  bool      `json:"relative"`            // Margin is a fraction of the control's mean
	Method    Method    `json:"method,omitempty"`    // "": the engine's choice, see MethodOf
	Mode      Mode      `json:"mode"`
	Hold      Duration  `json:"hold,omitempty"`       // the breach must persist this long
	MinUnits  int64     `json:"min_units,omitempty"`  // per arm
	MinEvents int64     `json:"min_events,omitempty"` // units with an event that the smaller arm expects
	WarmUp    Duration  `json:"warm_up,omitempty"`    // after the iteration's start
	OnNoData  OnNoData  `json:"on_no_data"`
	// NeverKill is action: alert in the file. It keeps the rule out of the budget of
	// false kills: it takes no part of α_kill and can never be given mode kill while
	// an iteration runs.
	NeverKill bool `json:"never_kill,omitempty"`
}

// DirectionOf is which way is good for the guardrail.
func (g *Guardrail) DirectionOf(m *Metric) Direction {
	if g.Direction == "" {
		return m.Direction
	}
	return g.Direction
}

// MethodOf is the test that the guardrail judges by. The engine's choice is the
// mean's for every kind: it was measured on open results of all of them, and a
// test that depends on the data would not hold its level.
func (g *Guardrail) MethodOf() Method {
	if g.Method == "" {
		return ByMean
	}
	return g.Method
}

// Kind is how a unit's events become its y.
type Kind string

// The kinds. The zero value is no kind.
const (
	Mean       Kind = "mean"       // y = sum of values
	Sum        Kind = "sum"        // the same moments; the arm's total is shown too
	Count      Kind = "count"      // y = number of events
	Proportion Kind = "proportion" // y = 1 if any event
	Retention  Kind = "retention"  // y = 1 if any event in [first exposure + From, first exposure + To)
	Ratio      Kind = "ratio"      // Σy/Σz of two totals of each unit
	Quantile   Kind = "quantile"   // of the values of all events; computed from stored events only
)

// Binary tells whether y is 0 or 1.
func (k Kind) Binary() bool { return k == Proportion || k == Retention }

// Fast tells whether the kind is counted as moments while events are read.
func (k Kind) Fast() bool { return k != Quantile }

// Aggregation is how the events of one part of a ratio become a unit's total.
type Aggregation string

// The aggregations.
const (
	AggregateSum   Aggregation = "sum"   // the sum of values
	AggregateCount Aggregation = "count" // the number of events
	AggregateAny   Aggregation = "any"   // 1 with any event
)

// PrePeriod is the covariate that is a unit's own total before the experiment:
// over the stored outcomes of the 30 days before its first exposure, ending at the
// start of the first iteration with the same salt.
const PrePeriod = "pre_period"

// CovariateTerms takes a covariate apart: "pre_period + attrs.age" has two terms.
func CovariateTerms(covariate string) []string {
	if covariate == "" {
		return nil
	}
	return strings.Split(covariate, " + ")
}

// Direction says which way is good.
type Direction string

// The directions.
const (
	Increase Direction = "increase" // more is better
	Decrease Direction = "decrease" // less is better
)

// Crossovers is what happens to a unit seen in two variants of one phase.
type Crossovers string

// The policies.
const (
	Exclude Crossovers = "exclude" // its contribution is taken back
	First   Crossovers = "first"   // it stays in the variant of its first exposure
)

// Mode is what a breached guardrail may do. The zero value does nothing.
type Mode string

// The modes, in the order in which trust grows.
const (
	Observe Mode = "observe" // write down what it would do
	Notify  Mode = "notify"  // tell people
	Kill    Mode = "kill"    // turn the experiment off
)

// Method is the test by which a guardrail judges harm.
type Method string

// The methods. The zero value is the engine's choice.
const (
	ByMean  Method = "mean"  // the one-sided normal mixture on the margin's linear form
	ByCount Method = "count" // in which arm the units with an event are: exact, for rare events
)

// OnNoData is what one silent arm leads to.
type OnNoData string

// The policies; only an arm that is silent while the other goes on can kill.
const (
	HoldOnNoData OnNoData = "hold"
	WarnOnNoData OnNoData = "warn"
	KillOnNoData OnNoData = "kill"
)
