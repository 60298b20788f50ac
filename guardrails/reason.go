package guardrails

import "github.com/assay-dev/assay/internal/results"

// Reason is why a verdict is what it is. The list is closed; docs/guardrails.md
// says for each what to do, and testdata/scenarios has one file for each.
type Reason string

// Reasons of an inconclusive verdict.
const (
	// Undecided: everything is in order and neither harm nor its absence is shown yet.
	Undecided Reason = "undecided"
	// NotStarted: the iteration has not begun.
	NotStarted Reason = "not_started"
	// Ended: the iteration is over; nothing is left to turn off.
	Ended Reason = "ended"
	// WarmingUp: the rule's warm-up after the iteration's start is not over.
	WarmingUp Reason = "warming_up"
	// NoBasis: no phase has two units in each arm.
	NoBasis Reason = "no_basis"
	// FewUnits: an arm has fewer units than the rule asks for.
	FewUnits Reason = "few_units"
	// FewEvents: too few units have an event for the normal approximation.
	FewEvents Reason = "few_events"
	// SplitBroken: a phase has an open sample-ratio alarm, so its arms are not
	// comparable until a person says why they are.
	SplitBroken Reason = "srm"
	// ManyCrossovers: it is shown that more units cross over than the file's limit,
	// and the file says that this holds the guardrails.
	ManyCrossovers Reason = "crossovers"
	// WrongAssignment: it is shown that more units were assigned otherwise than the
	// file's limit, and the file says that this holds the guardrails.
	WrongAssignment Reason = "assignment"
	// Holding: harm beyond the margin is shown, but not yet for the rule's hold time.
	Holding Reason = "holding"
)

// Reasons of a healthy and of a breached verdict.
const (
	// NonInferior: harm as large as the margin is refuted on matured data.
	NonInferior Reason = "non_inferior"
	// Harm: harm beyond the margin is shown at the rule's part of the budget.
	Harm Reason = "harm"
	// Latched: it was decided in an earlier look; only a person undoes that.
	Latched Reason = "latched"
)

// Reasons of a blind verdict.
const (
	// NoStatus: no consumer has said how far it is, for a shard at least.
	NoStatus Reason = "no_status"
	// Stale: the least fresh shard is older than the experiment's stall.
	Stale Reason = "stale"
	// ClockSkew: a shard claims to be fresh in the future, so no age can be believed.
	ClockSkew Reason = "clock_skew"
	// NoData: the iteration runs and nothing of it was counted yet.
	NoData Reason = "no_data"
	// Silent: the newest counted event is older than the experiment's silence.
	// Replays and backfills look like this too.
	Silent Reason = "silent"
	// ArmSilent: one arm gets no units while the other goes on. The only reason
	// beside Harm that may kill, where the rule says on_no_data: kill.
	ArmSilent Reason = "arm_silent"
	// ExposuresStopped: no new unit came for so long that many were due at a fifth of
	// the rate before.
	ExposuresStopped Reason = results.ExposuresStopped
	// OutcomesStopped: no arm has a unit with an event of the rule's metric any more,
	// while units go on and many were due.
	OutcomesStopped Reason = results.OutcomesStopped
	// Adopting: the shards count under different versions of the experiment.
	Adopting Reason = "adopting"
	// Gap: a shard stopped since records are missing from its log.
	Gap Reason = "gap"
	// Partitions: a shard stopped since the topics' partition counts differ or changed.
	Partitions Reason = "partitions"
	// BrokenChain: the ledger's chain of parts has a hole or two writers.
	BrokenChain Reason = "chain"
	// MisplacedUnits: too many records lie in the wrong partition for their unit.
	MisplacedUnits Reason = "misplaced"
	// ShardStopped: a shard stands still for another reason; the detail has it.
	ShardStopped Reason = "shard_stopped"
	// UnevenLoss: the units whose producers kept fewer than the phase's sample are not
	// divided like the arms, so one arm has lost units that the other has not.
	UnevenLoss Reason = results.UnevenLoss
	// NodeAway: a server that holds some of the shards does not answer. Every
	// experiment has units there, so no number of any would be whole.
	NodeAway Reason = "node_away"
)

// Reasons of an error verdict.
const (
	// Overflow: a unit's total is too large to be summed exactly.
	Overflow Reason = "overflow"
	// Undefined: the rule names a metric, an arm or numbers that make no sense.
	Undefined Reason = "undefined"
	// LookFailed: the query failed.
	LookFailed Reason = "look_failed"
)

// Reasons lists every reason with the kind of verdict that it belongs to.
// Latched is listed under Breached; a latched arm_silent verdict is Blind.
func Reasons() map[Reason]Kind {
	return map[Reason]Kind{
		Undecided: Inconclusive, NotStarted: Inconclusive, Ended: Inconclusive, WarmingUp: Inconclusive,
		NoBasis: Inconclusive, FewUnits: Inconclusive, FewEvents: Inconclusive, SplitBroken: Inconclusive, ManyCrossovers: Inconclusive, WrongAssignment: Inconclusive,
		Holding: Inconclusive, NonInferior: Healthy, Harm: Breached, Latched: Breached,
		NoStatus: Blind, Stale: Blind, ClockSkew: Blind, NoData: Blind, Silent: Blind, ArmSilent: Blind,
		ExposuresStopped: Blind, OutcomesStopped: Blind, Adopting: Blind, Gap: Blind, Partitions: Blind, BrokenChain: Blind, MisplacedUnits: Blind,
		ShardStopped: Blind, NodeAway: Blind, UnevenLoss: Blind, Overflow: Error, Undefined: Error, LookFailed: Error,
	}
}

// StateReason translates what a shard says about itself into a reason; "" when
// all is well.
func StateReason(state string) Reason {
	switch state {
	case "", "ok":
		return ""
	case "gap":
		return Gap
	case "partitions":
		return Partitions
	case "chain":
		return BrokenChain
	case "misplaced":
		return MisplacedUnits
	default:
		return ShardStopped
	}
}
