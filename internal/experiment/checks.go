package experiment

// Checks are guardrails on the experiment itself, not on a metric. They never
// turn it off: a check that raises its alarm holds every guardrail, or warns.
// Each has an error rate of its own beside α_kill.
type Checks struct {
	// Split is always there and always holds: arms that are not comparable cannot
	// show harm. What may change that is a person who says why.
	Split Check `json:"srm,omitzero"`
	// Crossovers is nil when the file sets no limit; they are shown in any case.
	Crossovers *CrossoverCheck `json:"crossovers,omitempty"`
	// Assignment is nil when the file sets no limit; what is computed anew is counted
	// and warned of in any case.
	Assignment *AssignmentCheck `json:"assignment,omitempty"`
}

// AssignmentCheck bounds the share of units that were shown another variant than their
// assignment gives them. It is tested at every look, phase by phase.
type AssignmentCheck struct {
	Limit   float64 `json:"limit"` // 0..1, both excluded
	OnAlarm OnAlarm `json:"on_alarm"`
}

// Check is what an alarm leads to.
type Check struct {
	OnAlarm OnAlarm `json:"on_alarm,omitempty"`
}

// CrossoverCheck bounds the share of units that are seen in two variants of one
// phase. It is tested at every look, phase by phase.
type CrossoverCheck struct {
	Limit   float64 `json:"limit"` // 0..1, both excluded
	OnAlarm OnAlarm `json:"on_alarm"`
}

// OnAlarm is what the alarm of a check leads to.
type OnAlarm string

// The policies. Neither ever kills.
const (
	HoldOnAlarm OnAlarm = "hold" // no guardrail judges harm while the alarm stands
	WarnOnAlarm OnAlarm = "warn" // people are told; guardrails go on
)

func checkFields() []field[Checks] {
	assigned := object(AssignmentCheck{OnAlarm: HoldOnAlarm}, assignmentCheckFields())
	crossovers := object(CrossoverCheck{OnAlarm: HoldOnAlarm}, crossoverFields())
	return []field[Checks]{
		as("srm", object(Check{OnAlarm: HoldOnAlarm}, splitFields()), func(c *Checks) *Check { return &c.Split }, "The test of each phase's split. It is always there."),
		as("assignment", pointer(assigned), func(c *Checks) **AssignmentCheck { return &c.Assignment }, "A limit for the units whose assignment, computed anew, is another one; default: none, they are only shown and warned of."),
		as("crossovers", pointer(crossovers), func(c *Checks) **CrossoverCheck { return &c.Crossovers }, "A limit for the units seen in two variants within a phase; default: none, they are only shown."),
	}
}

func splitFields() []field[Check] {
	return []field[Check]{
		as("on_alarm", choice(HoldOnAlarm), func(c *Check) *OnAlarm { return &c.OnAlarm }, "hold, the only choice: arms that are not comparable show no harm, until a person acknowledges why they are."),
	}
}

func assignmentCheckFields() []field[AssignmentCheck] {
	return []field[AssignmentCheck]{
		must(as("limit", portion("1% is usual"), func(c *AssignmentCheck) *float64 { return &c.Limit }, "The share of units that may be assigned otherwise, above 0% and below 100%.")),
		as("on_alarm", choice(HoldOnAlarm, WarnOnAlarm), func(c *AssignmentCheck) *OnAlarm { return &c.OnAlarm }, "Above the limit: hold (default) stops every guardrail from judging, warn only tells people."),
	}
}

func crossoverFields() []field[CrossoverCheck] {
	return []field[CrossoverCheck]{
		must(as("limit", portion("1% is usual"), func(c *CrossoverCheck) *float64 { return &c.Limit }, "The share of units that may cross over, above 0% and below 100%.")),
		as("on_alarm", choice(HoldOnAlarm, WarnOnAlarm), func(c *CrossoverCheck) *OnAlarm { return &c.OnAlarm }, "Above the limit: hold (default) stops every guardrail from judging, warn only tells people."),
	}
}

// checkChecks refuses a limit for what is not counted.
func (e *experimentFile) checkChecks() {
	if e.Checks.Crossovers != nil && e.Crossovers == First {
		e.refuse("checks.crossovers", RuleCrossoverCheck, "with crossovers: first nobody counts the units that cross over",
			"write crossovers: exclude, or take the check out")
	}
}

// checkAssignmentLimit refuses a limit for what is not computed.
func (e *experimentFile) checkAssignmentLimit() {
	if e.Checks.Assignment != nil && e.Assignment == nil {
		e.refuse("checks.assignment", RuleAssignment, "nobody knows how this experiment's units are assigned", "add assignment: with the system and its seed, or take the check out")
	}
}

// assignmentText is the limit of assignments as a fact of the design.
func (c Checks) assignmentText() string {
	if c.Assignment == nil {
		return "none"
	}
	return percent(c.Assignment.Limit) + ", " + string(c.Assignment.OnAlarm)
}

// limitText is the limit as a fact of the design. What an alarm leads to is none: it
// is free at any time, like a mode.
func (c Checks) limitText() string {
	if c.Crossovers == nil {
		return "none"
	}
	return percent(c.Crossovers.Limit)
}

func (c Checks) onAlarmText() string {
	if c.Crossovers == nil {
		return ""
	}
	return string(c.Crossovers.OnAlarm)
}
