package results

import "time"

// Document is one look, computed. It is stored as JSON and read by everybody;
// its field names are stable. Numbers that are not known, and ends that are not
// bounded, are null.
type Document struct {
	Experiment string `json:"experiment"`
	Iteration  uint32 `json:"iteration"`
	Iterations int    `json:"iterations"` // K of "iteration k of K"
	Version    uint32 `json:"version"`    // of the configuration
	Code       string `json:"code"`       // of the program
	Kind       string `json:"kind"`       // KindGuard or KindFull

	At          time.Time `json:"at"`
	Exploratory string    `json:"exploratory,omitempty"` // no planned result, and why: of an Analysis only

	AsOf      bool              `json:"as_of,omitempty"`    // computed later, as it stood at At
	Vector    map[uint16]uint64 `json:"vector"`             // shard → last part in the numbers
	Freshness time.Time         `json:"freshness,omitzero"` // everything before it was counted; absent: not known
	Newest    time.Time         `json:"newest,omitzero"`    // event time of the newest counted event
	Troubles  []Trouble         `json:"troubles,omitempty"` // what keeps the look from being trusted

	Control    string    `json:"control"`
	Start      time.Time `json:"start"`
	EnrolUntil time.Time `json:"enrol_until"`
	End        time.Time `json:"end"`
	Killed     *Killed   `json:"killed,omitempty"`
	Limits     []string  `json:"limits,omitempty"` // retrospective, notify_only, closed
	Floor      time.Time `json:"floor,omitzero"`   // of a closed iteration: events from before it are no longer kept
	Budget     Budget    `json:"budget"`

	Phases      []Phase      `json:"phases"`
	Comparisons []Comparison `json:"comparisons"`
	Families    []Family     `json:"families,omitempty"` // of tests that share an error rate
	Cells       []CellSums   `json:"cells"`
	Crossovers  []Crossover  `json:"crossovers,omitempty"`
	// CrossoverChecks hold the phases against the file's limit, if it sets one.
	CrossoverChecks []CrossoverCheck `json:"crossover_checks,omitempty"`
	// LossChecks ask of phases that measure some units only whether what was lost differs
	// by arm. An alarm makes every rule blind.
	LossChecks []LossCheck `json:"loss_checks,omitempty"`
	// AssignmentChecks do the same with assignments that were computed anew.
	AssignmentChecks []AssignmentCheck `json:"assignment_checks,omitempty"`
	// Consents say of each phase, where consent is asked for, whose numbers these are.
	Consents []Consent  `json:"consents,omitempty"`
	Aside    Aside      `json:"aside"`
	AfterEnd []AfterEnd `json:"after_end,omitempty"`
	// Gaps are records that may have belonged to the iteration and that nobody
	// read. Whoever shows a document adds them.
	Gaps []Gap `json:"gaps,omitempty"`

	// Slow are the metrics computed from stored events, of their own time. Whoever
	// shows a document adds them.
	Slow *Slow `json:"slow,omitempty"`
	// Placebo is what the same computation makes of halves of the control, of its own
	// time. Whoever shows a document adds it.
	Placebo *Placebo `json:"placebo,omitempty"`
	// Dated are the goals at the dated looks of the file. Whoever shows a document adds
	// them (JudgeDates).
	Dated *Dated `json:"dated_looks,omitempty"`
	// Together are this iteration and those before it as one. Whoever shows a document adds
	// them (RunsTogether).
	Together []Together `json:"runs_together,omitempty"`
	// Plan says how each question is answered and what is lacking. Whoever is asked
	// for it adds it (PlanAnalysis).
	Plan []Plan `json:"plan,omitempty"`
	// Days are the effects on goals by the day of exposure, for whoever asks (ByDay).
	Days []Days `json:"days,omitempty"`
	// Beliefs are posteriors, for whoever asks for them (Believe). They decide nothing.
	Beliefs *Beliefs `json:"beliefs,omitempty"`

	// Ramp is where the iteration's ramp is; by the guard.
	Ramp *Ramp `json:"ramp,omitempty"`

	// What the guard adds: what is not as it was in what comes in, and how soon it would
	// notice a stop.
	Anomalies []Anomaly `json:"anomalies,omitempty"`
	Seen      []Seen    `json:"seen,omitempty"`
	// And its verdicts, and the kill of the iteration if one was decided.
	Verdicts []Verdict `json:"verdicts,omitempty"`
	Kill     *Kill     `json:"kill,omitempty"`
	ArmKills []Kill    `json:"arm_kills,omitempty"` // of arms that are turned off by themselves

	// LogHead is the hash of the decision log's last line when the document was shown:
	// it vouches for all decisions up to then. Whoever shows a document adds it.
	LogHead string `json:"log_head,omitempty"`
}

// The kinds of a document.
const (
	KindGuard = "guard" // the guardrails' metrics, taken every second
	KindFull  = "full"  // all metrics and dimensions, taken every minute
)

// Kill is how far a kill is. Absent times have not come.
type Kill struct {
	Arm        string    `json:"arm,omitempty"` // of one arm by itself
	State      string    `json:"state"`         // decided, sending, accepted, verified, denied, pending_approval, failed
	Decision   uint64    `json:"decision"`
	By         string    `json:"by"`
	Reason     string    `json:"reason"`
	DecidedAt  time.Time `json:"decided_at"`
	SentAt     time.Time `json:"sent_at,omitzero"`      // when the accepted off call was sent: t_k
	ReadBackAt time.Time `json:"read_back_at,omitzero"` // when the switch was read back as off
	Effect     string    `json:"effect,omitempty"`      // effective, not_effective: what the exposures say

	// OverriddenAt is when the switch was read as on again, before the planned end: a
	// person wants the experiment to go on, and no guard turns this iteration off again.
	OverriddenAt time.Time `json:"overridden_at,omitzero"`

	// After is what came in since the deciding look, of records from before the
	// switch was off: it is in the numbers, and not in the decision. Absent for
	// kills by hand.
	After []AfterDecision `json:"after_decision,omitempty"`
}

// AfterDecision is by how much an arm has grown, in units of the deciding metric.
// It is negative where more was taken back (crossovers) than came in.
type AfterDecision struct {
	Variant string `json:"variant"`
	Units   int64  `json:"units"`
	NonZero int64  `json:"nonzero"`
}

// Alarm is the latch of a phase's sample-ratio alarm.
type Alarm struct {
	At           time.Time `json:"at"`
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	By           string    `json:"by,omitempty"`
	Why          string    `json:"why,omitempty"`
}

// Trouble is one thing that keeps a look from being trusted. Code is one of
// no_status, adopting, or the state of a shard.
type Trouble struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
}

// Killed says that the iteration was ended by its kill switch. Records with an
// earlier time that came in since then are in the numbers, after the decision.
type Killed struct {
	At       time.Time `json:"at"`
	Decision uint64    `json:"decision"`
	Reason   string    `json:"reason"`
}

// Budget is the error rate spent on false kills.
type Budget struct {
	Alpha     float64 `json:"alpha"`      // of the intervals, two-sided
	AlphaKill float64 `json:"alpha_kill"` // of this iteration
	Rules     int     `json:"rules"`      // that share it
	Spent     float64 `json:"spent"`      // by all iterations together

	// What it was spent on; looks of the guard have none of these.
	Iterations []BudgetIteration `json:"iterations,omitempty"` // that make Spent
	Parts      []BudgetPart      `json:"parts,omitempty"`      // of this iteration: guardrails × arms
	Checks     []BudgetCheck     `json:"checks,omitempty"`     // beside AlphaKill
}

// BudgetIteration is what one iteration may err by.
type BudgetIteration struct {
	Number    uint32    `json:"number"`
	AlphaKill float64   `json:"alpha_kill"`
	Rules     int       `json:"rules"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Killed    bool      `json:"killed,omitempty"`
}

// BudgetPart is what one guardrail may err by in one arm, over all looks.
type BudgetPart struct {
	Metric   string  `json:"metric"`
	Arm      string  `json:"arm"`
	Alpha    float64 `json:"alpha"`
	Declared bool    `json:"declared"` // a part of AlphaKill; else of the second budget, for messages
	Mode     string  `json:"mode"`
	Method   string  `json:"method"`
	Limit    string  `json:"limit,omitempty"` // why it may at most notify
}

// BudgetCheck is what a check of the experiment itself may err by.
type BudgetCheck struct {
	Check   string  `json:"check"` // srm, crossovers
	Alpha   float64 `json:"alpha"`
	OnAlarm string  `json:"on_alarm"`
}

// Phase is one stretch of constant shares with its sample-ratio tests. Units
// first exposed while a phase settles stand apart: in Settling, in no test.
type Phase struct {
	Number  uint16    `json:"number"`
	From    time.Time `json:"from"`
	Traffic float64   `json:"traffic"`
	// Sample is the share of the phase's units that are measured; absent: all. All
	// numbers are of those units; an arm's total divided by it estimates all units' total.
	Sample float64 `json:"sample,omitempty"`
	// Kept is the share of all units that consumers kept while the phase lasted, of which
	// Sample is a part; absent: all.
	Kept    float64    `json:"kept,omitempty"`
	Settle  string     `json:"settle,omitempty"`
	Arms    []PhaseArm `json:"arms"`
	SRM     SRM        `json:"srm"`      // of all units by first exposure, the excluded too: the gate
	SRMLeft SRM        `json:"srm_left"` // of those left after crossovers and exclude: a warning
	// SRMBy tests the units of each value of a dimension; looks of the guard have none.
	SRMBy    []SRMBy    `json:"srm_by,omitempty"`
	Alarm    *Alarm     `json:"alarm,omitempty"` // once raised, kept until a person acknowledges it; by the guard
	Settling []PhaseArm `json:"settling,omitempty"`
}

// PhaseArm is one arm in one phase.
type PhaseArm struct {
	Variant string  `json:"variant"`
	Share   float64 `json:"share"` // intended, 0..1
	Units   int64   `json:"units"` // by first exposure
	Left    int64   `json:"left"`  // of these, after crossovers were taken out
	// Excluded are units that the experiment's exclude leaves out, by the attributes
	// of their first exposure. They are not among Units, and in SRM they are.
	Excluded int64 `json:"excluded,omitempty"`
	// LeftOut are units that sampling leaves out, of those whose exposures came all the
	// same; in no other number and no test. ShortKept are units whose producer kept a
	// smaller share than the phase says; they are among Units.
	LeftOut   int64 `json:"left_out,omitempty"`
	ShortKept int64 `json:"short_kept,omitempty"`
}

// SRMBy is the sample-ratio test among the units with one value of a dimension, those
// that exclude leaves out not among them. Its threshold is the phase's, divided by all
// values that the dimensions can have. An alarm warns.
type SRMBy struct {
	Dimension string  `json:"dimension"`
	Value     string  `json:"value"`
	Units     []int64 `json:"units"` // of each arm, in the phase's order
	SRM       SRM     `json:"srm"`
}

// SRM is a sample-ratio test: p is valid at every look, chi_square_p and exact_p at one
// only. exact_p is null where χ² is as good or it would take too long.
type SRM struct {
	P          Number   `json:"p"`
	LogBF      Number   `json:"log_bayes_factor"`
	ChiSquare  Number   `json:"chi_square"`
	ChiSquareP Number   `json:"chi_square_p"`
	ExactP     Number   `json:"exact_p"`
	Threshold  float64  `json:"threshold"`
	Alarm      bool     `json:"alarm"`             // p is below the threshold in this look
	Missing    Number   `json:"missing"`           // least part of an arm's units whose loss explains the counts, 0..1
	Trivial    bool     `json:"trivial,omitempty"` // an alarm about less than matters: missing is at most stats.SRMTrivial
	Leaked     int64    `json:"leaked,omitempty"`  // units in arms that have no share
	Warnings   []string `json:"warnings,omitempty"`
}

// Comparison is one metric of one arm against the control.
type Comparison struct {
	Metric    string   `json:"metric"`
	Arm       string   `json:"arm"`
	Kind      string   `json:"kind"`
	Direction string   `json:"direction"`
	Unit      string   `json:"unit,omitempty"`
	Window    string   `json:"window"`
	Goal      bool     `json:"goal"`
	Guardrail bool     `json:"guardrail"`
	Overflow  int64    `json:"overflow,omitempty"` // units whose total is too large; then there are no numbers
	Open      Estimate `json:"open"`               // all slots: the mean so far of the units so far
	Matured   Estimate `json:"matured"`            // slots whose window has passed: goals and decisions
	// Gate is that of a goal's matured result: until it passes, its intervals and tests
	// are not to be relied on and nothing is recommended.
	Gate *Gate `json:"gate,omitempty"`
	// Segments compare the effect by each dimension; looks of the guard have none.
	Segments []Segmentation `json:"segments,omitempty"`
	// Adjusted is the matured result within the family of goals; absent where one
	// test stands alone.
	Adjusted *Adjusted `json:"adjusted,omitempty"`
}

// Estimate is the effect with its intervals, absolute and relative to the
// control's mean.
type Estimate struct {
	Treatment Arm    `json:"treatment"`
	Control   Arm    `json:"control"`
	Absolute  Effect `json:"absolute"`
	Relative  Effect `json:"relative"`
	// SmallCounts is there for shares of units with few units of the rarer outcome in an arm.
	SmallCounts *SmallCounts `json:"small_counts,omitempty"`
	// FirstEvents is there for metrics of events while they are rare.
	FirstEvents *FirstEvents `json:"first_events,omitempty"`
	LeftOut     []string     `json:"left_out,omitempty"` // phases with fewer than two units in an arm
	Warnings    []Doubt      `json:"warnings,omitempty"`
}

// Arm is one arm of a comparison, its phases weighed like the effect's.
type Arm struct {
	Units   int64  `json:"units"`
	NonZero int64  `json:"nonzero"`
	Mean    Number `json:"mean"`
	// Interval is that of Mean alone; absent where there is none. Whoever shows a document
	// adds it (AddDetails).
	Interval *ArmInterval `json:"interval,omitempty"`
	Total    string       `json:"total,omitempty"` // Σ of all phases that count, exact; for metrics of kind sum
}

// Effect is an estimate with the interval for one planned look (fixed) and the
// one that holds at every look (sequential).
type Effect struct {
	Estimate    Number   `json:"estimate"`
	StdError    Number   `json:"std_error"`
	Fixed       Interval `json:"fixed"`
	FixedP      Number   `json:"fixed_p"`
	Sequential  Interval `json:"sequential"`
	SequentialP Number   `json:"sequential_p"`
}

// Interval is a range; an end that is null is not bounded.
type Interval struct {
	Low  Number `json:"low"`
	High Number `json:"high"`
}

// Doubt is a warning for programs (code) and people (text).
type Doubt struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// CellSums are the exact moments of one cell. Sums are integers of y·10^decimals,
// and of a ratio's z·10^denominator_decimals.
type CellSums struct {
	Phase    uint16 `json:"phase"`
	Settling bool   `json:"settling,omitempty"`
	Variant  string `json:"variant"`
	Metric   string `json:"metric"`
	Decimals int    `json:"decimals"`
	// DenominatorDecimals tells a ratio from all other kinds.
	DenominatorDecimals *int `json:"denominator_decimals,omitempty"`

	Dimension string `json:"dimension,omitempty"`
	Value     string `json:"value,omitempty"`
	Open      Exact  `json:"open"`
	Matured   Exact  `json:"matured"`
}

// Exact are sums as decimal strings.
type Exact struct {
	N          int64  `json:"n"`
	NonZero    int64  `json:"nonzero"`
	Over       int64  `json:"over,omitempty"`
	Sum        string `json:"sum"`
	SumSquares string `json:"sum_squares"`

	// Of ratios only.
	SumDenominator        string `json:"sum_denominator,omitempty"`
	SumSquaresDenominator string `json:"sum_squares_denominator,omitempty"`
	SumProduct            string `json:"sum_product,omitempty"`
}

// Scale says how the cell's integers are read.
func (c *CellSums) Scale() Scale { return Scale{c.Decimals, c.DenominatorDecimals} }

// Crossover counts the units first seen in one variant and then in another of
// the same phase.
type Crossover struct {
	Phase uint16 `json:"phase"`
	First string `json:"first"`
	Other string `json:"other"`
	Units int64  `json:"units"`
}

// Aside is what was counted beside the numbers.
type Aside struct {
	Moved           int64            `json:"moved"`            // exposures to another variant in a later phase
	Outside         int64            `json:"outside"`          // exposures outside every iteration
	UnknownVariants int64            `json:"unknown_variants"` // a producer sends a variant that the file does not know
	OtherUnitKind   int64            `json:"other_unit_kind"`
	OutOfRange      map[string]int64 `json:"out_of_range,omitempty"` // values too large, by metric
	Assignments     map[string]int64 `json:"assignments,omitempty"`  // units by what came of computing their assignment anew; they do take part
}

// Gap is a stretch of records that may have belonged to the iteration and that
// were lost.
type Gap struct {
	// Kind is how: unread (deleted before it was read), before (deleted before the
	// topic was first read), unstored (counted, then lost), replaced (another log
	// stands at places that were counted). Empty: unread.
	Kind       string    `json:"kind,omitempty"`
	Topic      string    `json:"topic"`
	Partition  uint16    `json:"partition"`
	Records    uint64    `json:"records"`
	AcceptedAt time.Time `json:"accepted_at"`
}

// AfterEnd counts the exposures of a killed iteration from its end on.
type AfterEnd struct {
	Variant   string    `json:"variant"`
	Exposures int64     `json:"exposures"`
	Newest    time.Time `json:"newest"`
}
