package experiment

import (
	"math/big"
	"time"
)

// Defaults of an experiment file.
const (
	defaultUnitKind = "user"
	defaultWindow   = Duration(7 * 24 * time.Hour)
	defaultAlpha    = 0.05
	defaultStall    = Duration(60 * time.Second)
	defaultSilence  = Duration(10 * time.Minute)
	defaultEnrol    = 28 * 24 * time.Hour
	defaultSettle   = Duration(10 * time.Minute)

	maxDimensions      = 3
	maxReaders         = 100
	maxExclusions      = 50
	maxDimensionValues = 50
)

// experimentText is an experiment file as it was written: what it leaves out is
// still open, because the version before and the time of apply decide it.
type experimentText struct {
	Experiment
	variants   []entry[*big.Rat]
	exclude    [][]entry[string]
	guardrails []guardrailText
	iterations []iterationText
	assignment *assignmentText
}

type guardrailText struct {
	Guardrail
	margin margin
	action action
}

// guardrail is the rule that the text means.
func (g guardrailText) guardrail() Guardrail {
	g.Margin, g.Relative = g.margin.value, g.margin.relative
	g.NeverKill = g.action == alertOnly
	return g.Guardrail
}

// action is what a breach may lead to in the end, as the file says it.
type action string

const (
	turnOff   action = "turn_off"
	alertOnly action = "alert"
)

type iterationText struct {
	number     *uint32
	repeats    uint32
	start      time.Time // zero: not written, as the two below
	enrolUntil time.Time
	end        time.Time
	salt       string
	ramp       *rampText
	phases     []phaseText
}

// maxSilence keeps a replay of old events from ever turning something off.
const maxSilence = 10 * time.Minute

type phaseText struct {
	from    time.Time
	traffic *big.Rat
	shares  []entry[*big.Rat]
	settle  *Duration
	sample  *big.Rat
}

func defaultExperiment() experimentText {
	return experimentText{Experiment: Experiment{
		UnitKind: defaultUnitKind, Window: defaultWindow, Crossovers: Exclude,
		Alpha: defaultAlpha, AlphaKill: defaultAlpha, Stall: defaultStall, Silence: defaultSilence,
		Goals: []string{},
	}}
}

// experimentFields is the table of the experiment file: the parser and the
// schema for editors both come from it.
func experimentFields() []field[experimentText] {
	type t = experimentText
	return []field[t]{
		must(as("key", name(), func(e *t) *string { return &e.Key }, "The experiment's key, as exposures carry it.")),
		must(as("owner", text(), func(e *t) *string { return &e.Owner }, "Who decides about it.")),
		as("readers", listOf(text(), maxReaders), func(e *t) *[]string { return &e.Readers }, "Who may read its rows, single units and analyses made to order, beside its owner: names of people and groups; default: whoever has the role."),
		as("objective", text(), func(e *t) *string { return &e.Objective }, "What it is for."),
		as("hypothesis", text(), func(e *t) *string { return &e.Hypothesis }, "What is expected to happen, and why."),
		as("success_criteria", text(), func(e *t) *string { return &e.SuccessCriteria }, "What must be seen to ship it."),
		as("rollback_plan", text(), func(e *t) *string { return &e.RollbackPlan }, "How it is taken back."),
		as("links", object(Links{}, linkFields()), func(e *t) *Links { return &e.Links }, "Where the rest of the story is."),
		as("unit_kind", name(), func(e *t) *string { return &e.UnitKind }, "What is randomised: user (default), device, session …"),
		must(as("variants", entries(name(), share()), func(e *t) *[]entry[*big.Rat] { return &e.variants }, "At least two variants with their intended shares, summing to 100%.")),
		must(as("control", name(), func(e *t) *string { return &e.Control }, "The variant that the others are compared with.")),
		as("window", span(shortest), func(e *t) *Duration { return &e.Window }, "How long after its first exposure a unit's outcomes count; default 7d."),
		as("grace", span(0), func(e *t) *Duration { return &e.Grace }, "Outcomes this long before the first exposure count too; default 0s."),
		as("crossovers", choice(Exclude, First), func(e *t) *Crossovers { return &e.Crossovers }, "A unit seen in two variants: exclude it (default), or keep it in the first."),
		as("exclude", listOf(entries(attribute(), text()), maxExclusions), func(e *t) *[][]entry[string] { return &e.exclude }, "Units that give nothing, such as bots and staff: a unit is out when all attributes of one line are so on its first exposure."),
		as("dimensions", listOf(object(Dimension{}, dimensionFields()), maxDimensions), func(e *t) *[]Dimension { return &e.Dimensions }, "At most three attributes of the first exposure by which results are split."),
		as("consent", object(Consent{}, consentFields()), func(e *t) *Consent { return &e.Consent }, "What an exposure must say of consent to count for its unit; default: nothing is asked."),
		as("attributes", choice(AnyAttributes, VerifiedAttributes), func(e *t) *Attributes { return &e.Attributes }, "Which attributes of the first exposure are believed: any (default), or verified, those of exposures whose record proves them."),
		as("covariate", covariate(), func(e *t) *string { return &e.Covariate }, "What is known of a unit beforehand, to narrow the intervals of its metrics: attrs.NAME of the first exposure, pre_period, or several as in pre_period + attrs.age."),
		as("planned_units", whole[int64](2, 1e12), func(e *t) *int64 { return &e.PlannedUnits }, "Units planned for both arms of a comparison; intervals are narrowest there."),
		as("alpha", level(), func(e *t) *float64 { return &e.Alpha }, "Two-sided level of the intervals; default 5%."),
		as("alpha_kill", level(), func(e *t) *float64 { return &e.AlphaKill }, "Budget of false kills of one iteration, shared by the guardrails that may kill; default 5%."),
		as("families", object(Families{}, familyFields()), func(e *t) *Families { return &e.Families }, "How alpha is shared among goals, arms and segments."),
		as("looks", object(Looks{}, lookFields()), func(e *t) *Looks { return &e.Looks }, "Dated looks at the goals, of a group-sequential design; default: none, every look counts."),
		as("stall", span(time.Second), func(e *t) *Duration { return &e.Stall }, "Data older than this is blind; default 60s."),
		as("silence", spanWithin(time.Second, maxSilence), func(e *t) *Duration { return &e.Silence }, "Blind when the newest counted event is older than this; default and at most 10m."),
		as("goals", listOf(metricName(), 0), func(e *t) *[]string { return &e.Goals }, "Names of the metrics that it wants to move."),
		as("guardrails", listOf(object(guardrailText{Guardrail: Guardrail{OnNoData: HoldOnNoData}}, guardrailFields()), 0), func(e *t) *[]guardrailText { return &e.guardrails }, "Metrics that must not get worse; new ones start in mode observe."),
		as("checks", object(Checks{}, checkFields()), func(e *t) *Checks { return &e.Checks }, "Guardrails on the experiment itself: its split and its crossovers."),
		as("signals", listOf(object(Signal{Hold: defaultHold, OnBreach: WarnOnTrip}, signalFields()), maxSignals), func(e *t) *[]Signal { return &e.Signals }, "Numbers of the services behind it, recorded beside the share of traffic that is exposed; at most 20."),
		as("kill_switch", name(), func(e *t) *string { return &e.KillSwitch }, "The name of the switch in the operator's configuration."),
		as("privacy_review", text(), func(e *t) *string { return &e.PrivacyReview }, "Who has reviewed that it reads sensitive attributes, and when, or the review's address."),
		as("reviews", listOf(moment(), MaxReviews), func(e *t) *[]time.Time { return &e.Reviews }, "Dates at which people are to look at it, ascending: they are reminded until a note is written."),
		as("stop_when", object(StopWhen{}, stopFields()), func(e *t) *StopWhen { return &e.StopWhen }, "When people are reminded to end it; nothing is turned off."),
		as("stale", object(Stale{}, staleFields()), func(e *t) *Stale { return &e.Stale }, "When it is reported that nobody looks after it, and when it is held; default: as the operator's configuration says."),
		as("approvals", whole[int](1, 10), func(e *t) *int { return &e.Approvals }, "Other people who must agree before it starts or grows; default: as the operator's configuration says."),
		as("assignment", pointer(object(assignmentText{}, assignmentFields())), func(e *t) **assignmentText { return &e.assignment }, "Who puts units into variants; default: your flag system, and nothing is known of it."),
		as("iterations", listOf(object(iterationText{}, iterationFields()), 0), func(e *t) *[]iterationText { return &e.iterations }, "Numbered runs; default: one from the time of apply."),
	}
}

func linkFields() []field[Links] {
	return []field[Links]{
		as("flag", link(), func(l *Links) *string { return &l.Flag }, "The feature flag."),
		as("change", link(), func(l *Links) *string { return &l.Change }, "The change request or design."),
		as("schema", link(), func(l *Links) *string { return &l.Schema }, "The schema of the events."),
	}
}

func dimensionFields() []field[Dimension] {
	return []field[Dimension]{
		must(as("attribute", attribute(), func(d *Dimension) *string { return &d.Attribute }, "An attribute of the exposure.")),
		must(as("values", listOf(text(), maxDimensionValues), func(d *Dimension) *[]string { return &d.Values }, "At most 50 values; anything else is (other), missing is (none).")),
	}
}

func guardrailFields() []field[guardrailText] {
	type t = guardrailText
	return []field[t]{
		must(as("metric", metricName(), func(g *t) *string { return &g.Metric }, "The name of a metric.")),
		as("direction", choice(Increase, Decrease), func(g *t) *Direction { return &g.Direction }, "Which way is good: increase or decrease; default: the metric's."),
		must(as("margin", marginShape(), func(g *t) *margin { return &g.margin }, "Tolerated harm: 0, 0.01 (in the metric's unit) or 2% (of the control's mean).")),
		must(as("mode", choice(Observe, Notify, Kill), func(g *t) *Mode { return &g.Mode }, "What a breach does: observe writes it down, notify tells people, kill turns the experiment off.")),
		as("action", choice(turnOff, alertOnly), func(g *t) *action { return &g.action }, "What a breach may ever lead to: turn_off (default), or alert, which takes no part of the budget of false kills."),
		as("method", choice(ByMean, ByCount), func(g *t) *Method { return &g.Method }, "The test: mean (the engine's choice), or count for rare events of units."),
		as("hold", span(0), func(g *t) *Duration { return &g.Hold }, "The breach must last this long; default 0s."),
		as("min_units", whole[int64](0, 1e12), func(g *t) *int64 { return &g.MinUnits }, "Units that each arm must have first; default 0."),
		as("min_events", whole[int64](0, 1e12), func(g *t) *int64 { return &g.MinEvents }, "Units with an event that the smaller arm must expect first; default: the method's own."),
		as("warm_up", span(0), func(g *t) *Duration { return &g.WarmUp }, "No verdict this long after the iteration's start; default 0s."),
		as("on_no_data", choice(HoldOnNoData, WarnOnNoData, KillOnNoData), func(g *t) *OnNoData { return &g.OnNoData }, "When one arm goes silent while the other goes on: hold (default), warn or kill."),
	}
}

func iterationFields() []field[iterationText] {
	type t = iterationText
	return []field[t]{
		as("number", pointer(whole[uint32](1, 1e6)), func(i *t) **uint32 { return &i.number }, "1, 2, … by default."),
		as("repeats", whole[uint32](1, 1e6), func(i *t) *uint32 { return &i.repeats }, "The number of an earlier iteration that this one is to repeat, so that both are analysed together: `assay rerun` writes it."),
		as("start", moment(), func(i *t) *time.Time { return &i.start }, "When it begins; default: the time of apply. An earlier time makes it retrospective: its guardrails only notify."),
		as("enrol_until", moment(), func(i *t) *time.Time { return &i.enrolUntil }, "No unit enters from here on; default: 28 days after the start."),
		as("end", moment(), func(i *t) *time.Time { return &i.end }, "Nothing counts from here on; default: enrol_until and the longest window."),
		as("salt", text(), func(i *t) *string { return &i.salt }, "The salt of the assignment; the same salt means the same units in the same variants."),
		as("phases", listOf(object(phaseText{}, phaseFields()), 1000), func(i *t) *[]phaseText { return &i.phases }, "Stretches with constant shares and traffic; default: one."),
		as("ramp", pointer(object(rampText{onBreach: HoldOnBreach}, rampFields())), func(i *t) **rampText { return &i.ramp }, "Lets the traffic grow step by step, each when every guardrail is healthy; default: none."),
	}
}

func phaseFields() []field[phaseText] {
	type t = phaseText
	return []field[t]{
		as("from", moment(), func(p *t) *time.Time { return &p.from }, "When it begins; default: the iteration's start for the first, the time of apply for the others."),
		as("traffic", share(), func(p *t) **big.Rat { return &p.traffic }, "Share of the eligible units that take part; default: as before, 100% at first."),
		as("shares", entries(name(), share()), func(p *t) *[]entry[*big.Rat] { return &p.shares }, "Shares of all variants; default: as before, at first those of variants."),
		as("settle", pointer(span(0)), func(p *t) **Duration { return &p.settle }, "Units that enter this soon after the change are kept apart; default 10m."),
		as("sample", share(), func(p *t) **big.Rat { return &p.sample }, "Share of the phase's units that are measured, whole units in all arms alike; default: as before, 100% at first. It never rises within an iteration."),
	}
}
