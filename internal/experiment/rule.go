package experiment

// Rule is a rule that a file or a change must keep. Each has at least one file
// that breaks it in the tests, beside the message that its owner gets.
type Rule string

// Rules of the form.
const (
	RuleSyntax         Rule = "syntax"          // YAML, not empty, not huge
	RuleOneDocument    Rule = "one-document"    // one experiment or metric in a file
	RulePlainYAML      Rule = "plain-yaml"      // no anchors, aliases, tags, merge keys
	RuleFileKind       Rule = "file-kind"       // an experiment has a key, a metric a name
	RuleUnknownField   Rule = "unknown-field"   // only fields of the table
	RuleDuplicateField Rule = "duplicate-field" // each at most once
	RuleMissingField   Rule = "missing-field"   // some are required
	RuleEmpty          Rule = "empty"           // a field that stands there says something
	RuleForm           Rule = "form"            // a mapping, a list or a single value, as the field wants
	RuleTooMany        Rule = "too-many"        // three dimensions, fifty values
)

// Rules of single values.
const (
	RuleName         Rule = "name"          // keys, variants, metrics, switches, unit kinds
	RuleMetricDollar Rule = "metric-dollar" // names with $ are the engine's own
	RuleAttribute    Rule = "attribute"     // names of attributes, places of a value
	RuleLink         Rule = "link"          // web addresses
	RuleChoice       Rule = "choice"        // one of a few words
	RuleWhole        Rule = "whole"         // whole numbers within bounds
	RuleDuration     Rule = "duration"      // 15s, 7d; whole milliseconds, not negative
	RuleTime         Rule = "time"          // RFC 3339 or a date
	RuleShare        Rule = "share"         // 0 % to 100 %
	RuleLevel        Rule = "level"         // above 0, at most one half
	RuleMargin       Rule = "margin"        // not negative
	RuleCap          Rule = "cap"           // a number above 0, or a percentile
	RuleQuantile     Rule = "quantile"      // between 0 and 1
	RuleNumber       Rule = "number"        // 0.8, -2
)

// Rules of meaning.
const (
	RuleDuplicateKey    Rule = "duplicate-key"    // no key or metric name in two files
	RuleValueUnused     Rule = "value-unused"     // no field that the metric's kind has no use for
	RuleCapDecimals     Rule = "cap-decimals"     // a cap is a whole number of the metric's decimals, within its range
	RuleRetention       Rule = "retention"        // from is before to
	RuleVariants        Rule = "variants"         // at least two, none without a share
	RuleShares          Rule = "shares"           // they sum to exactly 100 %
	RuleControl         Rule = "control"          // it is one of the variants
	RuleDimension       Rule = "dimension"        // attributes and values once, none that the engine uses
	RuleMetricUnknown   Rule = "metric-unknown"   // every metric named has a file
	RuleRepeated        Rule = "repeated"         // a metric is a goal once, a guardrail once
	RuleNothingMeasured Rule = "nothing-measured" // at least a goal or a guardrail
	RuleFamilies        Rule = "families"         // the primary goal is a goal, with its share and bonferroni
	RuleLooks           Rule = "looks"            // dated looks ascend, lie within the iteration, and have a design and planned units
	RuleReviews         Rule = "reviews"          // dates ascend
	RuleKillSwitch      Rule = "kill-switch"      // mode kill needs a switch
	RuleAlertOnly       Rule = "alert-only"       // and excludes action alert
	RuleCountMethod     Rule = "count-method"     // counts compare rates of units that have an event
	RuleSignal          Rule = "signal"           // each once, of a query or a health check, with limits that make sense
	RuleCrossoverCheck  Rule = "crossover-check"  // a limit needs crossovers to be counted
	RuleSlowGuardrail   Rule = "slow-guardrail"   // what is computed every few minutes guards nothing
	RuleIterationNumber Rule = "iteration-number" // ascending, without gaps
	RuleTimeOrder       Rule = "time-order"       // start < phases < enrol_until ≤ end ≤ the next start
	RuleRepeats         Rule = "repeats"          // a rerun measures what an earlier iteration measured, with units of its own
	RuleFirstPhase      Rule = "first-phase"      // begins with the iteration, settles at once
	RulePhaseShares     Rule = "phase-shares"     // a phase's shares name every variant
	RuleRamp            Rule = "ramp"             // its steps grow, something guards them, somebody carries them out, and no phases stand beside it
	RuleSample          Rule = "sample"           // a millionth at least, and never more than in the phase before
	RuleAssignment      Rule = "assignment"       // what assay assigns it can draw, move nobody in, and turn off
)

// Doubts: they never stop an apply.
const (
	WarnSplitChanges Rule = "split-changes" // a phase changes the split, not the traffic
	WarnNoGuardrails Rule = "no-guardrails"
	WarnOpenCap      Rule = "open-cap"    // a guardrail that may not kill before its cap is a number
	WarnNewKill      Rule = "new-kill"    // a guardrail that nobody has seen at work may kill at once
	WarnRampWindow   Rule = "ramp-window" // a step lasts as long as a guardrail's window, not as short as it says
	WarnRampLong     Rule = "ramp-long"   // nobody enrols any more before the last step
	WarnNoStory      Rule = "no-story"    // no objective, hypothesis, criteria or way back
)

// Rules of change.
const (
	RuleFileGone Rule = "file-gone" // what runs keeps its file and its place in it
	RuleFrozen   Rule = "frozen"    // the design does not change while an iteration runs
	RulePast     Rule = "past"      // what has begun or ended stays as it was
	RuleFromNow  Rule = "from-now"  // what may change changes from now on
)
