package guardrails

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// RampState is where a ramp is. The list is closed.
type RampState string

// The states.
const (
	RampWaiting   RampState = "waiting"   // the step has not lasted long enough, or has too few units
	RampHeld      RampState = "held"      // something stands in the way; the reason says what
	RampAdvancing RampState = "advancing" // the next step was decided and is being carried out
	RampAdvanced  RampState = "advanced"  // the step has begun and settles
	RampReverted  RampState = "reverted"  // nobody takes part any more; it never goes on
	RampDone      RampState = "done"      // the last step is in force
)

// RampReason is why a ramp is where it is. The list is closed; docs/ramps.md says for
// each what to do.
type RampReason string

// Why a ramp waits or has just moved.
const (
	RampSettling RampReason = "settling" // caches and polling catch up with the new traffic
	RampTime     RampReason = "time"     // the step's time is not over
	RampUnits    RampReason = "units"    // too few units of the step have their window behind them
	RampMoving   RampReason = "moving"   // the flag system is being told
)

// Why a ramp is held.
const (
	RampUndecided     RampReason = "undecided"        // a guardrail is not healthy yet: harm is neither shown nor refuted
	RampBreached      RampReason = "breached"         // harm is shown
	RampBlind         RampReason = "blind"            // the data cannot be trusted to be there
	RampError         RampReason = "error"            // a guardrail cannot be computed
	RampSplit         RampReason = "srm"              // a phase's split is broken
	RampCrossovers    RampReason = "crossovers"       // more units cross over than the file allows
	RampMismatch      RampReason = "assignment"       // units are shown another variant than their assignment gives them
	RampSignal        RampReason = "signal"           // a signal's breaker has tripped, or nobody knows that it has not
	RampStale         RampReason = "stale"            // nobody looks after the experiment, so it is held
	RampApproval      RampReason = "approval"         // a person must agree
	RampPaused        RampReason = "paused"           // a person said so
	RampSnoozed       RampReason = "snoozed"          // automatic kills wait, so nothing would stop a bad step
	RampRetrospective RampReason = "retrospective"    // it began before it was applied: its guardrails only look back
	RampNoSwitch      RampReason = "switch"           // the switch cannot set the traffic
	RampDrift         RampReason = "drift"            // the flag system has another traffic than the step: somebody changed it
	RampUnread        RampReason = "unread"           // nobody knows which traffic the flag system has
	RampDenied        RampReason = "denied"           // the flag system refused the step
	RampPending       RampReason = "pending_approval" // there, a person must agree
	RampFailed        RampReason = "failed"           // the step could not be carried out in time
	RampEnded         RampReason = "ended"            // nobody enrols any more
)

// Why a ramp is reverted.
const (
	RampHarm         RampReason = "harm"          // harm was shown, and the file says on_breach: revert
	RampByHand       RampReason = "by_hand"       // a person said so
	RampKilled       RampReason = "killed"        // the experiment was turned off
	RampReverting    RampReason = "reverting"     // it was decided and is being carried out
	RampRevertFailed RampReason = "revert_failed" // it could not be carried out: units may still take part
)

// RampReasons lists every reason with the state that it belongs to.
func RampReasons() map[RampReason]RampState {
	return map[RampReason]RampState{
		RampSettling: RampAdvanced, RampTime: RampWaiting, RampUnits: RampWaiting, RampMoving: RampAdvancing,
		RampUndecided: RampHeld, RampBreached: RampHeld, RampBlind: RampHeld, RampError: RampHeld, RampSplit: RampHeld,
		RampCrossovers: RampHeld, RampMismatch: RampHeld, RampSignal: RampHeld, RampStale: RampHeld, RampApproval: RampHeld, RampPaused: RampHeld, RampSnoozed: RampHeld,
		RampRetrospective: RampHeld, RampNoSwitch: RampHeld, RampDrift: RampHeld, RampUnread: RampHeld, RampDenied: RampHeld, RampPending: RampHeld, RampFailed: RampHeld, RampEnded: RampHeld,
		RampHarm: RampReverted, RampByHand: RampReverted, RampKilled: RampReverted, RampReverting: RampReverted, RampRevertFailed: RampReverted,
	}
}

// RampFacts is what one look shows to a ramp, with what the log and the version say.
type RampFacts struct {
	At time.Time `json:"at"`

	// Of the version: which step is in force since when, and how long it settles.
	Step       int           `json:"step"`
	Since      time.Time     `json:"since"`
	Settle     time.Duration `json:"settle,omitempty"`
	Reverted   bool          `json:"reverted,omitempty"`
	Killed     bool          `json:"killed,omitempty"`
	EnrolUntil time.Time     `json:"enrol_until"`
	Limit      string        `json:"limit,omitempty"` // retrospective: its guardrails look back

	// Of the look: what every guardrail says, and the units of the step that each arm has
	// with their windows behind them, the least of all guardrails and arms.
	Verdicts []Verdict `json:"verdicts"`
	Units    int64     `json:"units"`
	// Mismatch says that units were shown another variant than their assignment gives
	// them, Crossing that more cross over than the file allows; "" when not.
	Mismatch string `json:"mismatch,omitempty"`
	Crossing string `json:"crossing,omitempty"`
	// Signal says which breaker of the file's signals is not closed, and why; "" when all are.
	Signal string `json:"signal,omitempty"`

	// Stale says why the experiment is held as one that nobody looks after; "" when it is not.
	Stale string `json:"stale,omitempty"`

	Unable string `json:"unable,omitempty"` // why the switch cannot set the traffic
	// Of the flag system: which traffic it has when that is not the step's, and why nobody
	// knows; "" when it has the step's.
	Drift  string `json:"drift,omitempty"`
	Unread string `json:"unread,omitempty"`

	Stopped string  `json:"stopped,omitempty"` // why automatic kills wait
	Log     RampLog `json:"-"`
}

// Ramping is where a ramp is, and what is to be done now.
type Ramping struct {
	State   RampState
	Reason  RampReason
	Text    string // one sentence for people
	Step    int
	Of      int
	Traffic float64
	Since   time.Time
	Move    *Move // to be written down and carried out; nil: nothing
}

// Move is a change of a ramp's traffic.
type Move struct {
	Step    int     `json:"step"`    // that begins; of a revert, the one that ends
	Was     float64 `json:"was"`     // the traffic before
	Traffic float64 `json:"traffic"` // from then on
	Revert  bool    `json:"revert,omitempty"`
	ByHand  bool    `json:"by_hand,omitempty"`
}

// leastUnits is what an arm of a step needs so that it is counted at all.
const leastUnits = 2

// StepRamp says where a ramp is and what is to be done. It is a function of its
// arguments alone, and leads to one move at most, to the next step and never past one.
func StepRamp(r *experiment.Ramp, f RampFacts) Ramping {
	j := rampJudge{r, f}
	out := j.state()
	out.Step, out.Of, out.Since, out.Traffic = f.Step, len(r.Steps), f.Since, j.traffic()
	return out
}

type rampJudge struct {
	ramp *experiment.Ramp
	RampFacts
}

func (j *rampJudge) traffic() float64 {
	if j.Reverted || j.Step < 1 || j.Step > len(j.ramp.Steps) {
		return 0
	}
	return j.ramp.Steps[j.Step-1].Traffic
}

// state goes through everything that decides it, the graver first.
func (j *rampJudge) state() Ramping {
	if out, over := j.over(); over {
		return out
	}
	if v := j.first(Breached, ""); v != nil && j.reverts(v) {
		return Ramping{State: RampReverted, Reason: RampReverting, Text: fmt.Sprintf("%s is breached in %s: nobody is to take part any more", v.Rule.Metric, v.Rule.Arm),
			Move: &Move{Step: j.Step, Was: j.traffic(), Revert: true}}
	}
	if j.Log.Moving() {
		return Ramping{State: RampAdvancing, Reason: RampMoving, Text: fmt.Sprintf("step %d, %s, is being carried out", j.Log.Last.Decided.Ramp.Step, share(j.Log.Last.Decided.Ramp.Traffic))}
	}
	if j.Step >= len(j.ramp.Steps) {
		return Ramping{State: RampDone, Text: fmt.Sprintf("the last step, %s, is in force", share(j.traffic()))}
	}
	if reason, why := j.heldBy(); reason != "" {
		return Ramping{State: RampHeld, Reason: reason, Text: why}
	}
	return j.ready()
}

// over is a ramp that never goes on.
func (j *rampJudge) over() (Ramping, bool) {
	last, moved := j.Log.Last, j.Log.Last.Decided.Ramp
	reverted := moved != nil && moved.Revert
	out := Ramping{State: RampReverted}
	switch {
	case j.Killed || j.Log.Killing:
		out.Reason, out.Text = RampKilled, "the experiment was turned off"
	case !j.Reverted && !reverted:
		return out, false
	case reverted && (last.State == Denied || last.State == Failed || last.State == PendingApproval):
		out.Reason, out.Text = RampRevertFailed, fmt.Sprintf("it could not be carried out (%s): units may still take part", last.State)
	case reverted && !j.Reverted:
		out.Reason, out.Text = RampReverting, "nobody is to take part any more: the flag system is being told"
	case reverted && !moved.ByHand:
		out.Reason, out.Text = RampHarm, last.Decided.Text
	default:
		out.Reason, out.Text = RampByHand, last.Decided.Text
	}
	return out, true
}

// first is the first verdict of a kind, and with a reason of that one; nil without one.
func (j *rampJudge) first(k Kind, reason Reason) *Verdict {
	for i := range j.Verdicts {
		if v := &j.Verdicts[i]; v.Kind == k && (reason == "" || v.Reason == reason) {
			return v
		}
	}
	return nil
}

// reverts tells whether a breach takes the ramp back: where the file says so, by a rule
// that tells people and does not kill, and while guards may act by themselves.
func (j *rampJudge) reverts(v *Verdict) bool {
	return j.ramp.OnBreach == experiment.RevertOnBreach && v.Rule.Allowed() == DoNotify && j.Stopped == "" && j.Limit == "" && j.At.Before(j.EnrolUntil)
}

// heldBy is what stands in the way of any step; "" when nothing does.
func (j *rampJudge) heldBy() (RampReason, string) {
	log := j.Log
	if !j.At.Before(j.EnrolUntil) {
		return RampEnded, "nobody enrols any more"
	}
	if log.Paused != nil {
		return RampPaused, fmt.Sprintf("paused by %s: %s", log.Paused.Actor, log.Paused.Text)
	}
	if v := j.first(Breached, ""); v != nil {
		return RampBreached, fmt.Sprintf("%s in %s: %s", v.Rule.Metric, v.Rule.Arm, v.Text)
	}
	if log.Stuck() {
		return failedReason(log.Last.State), fmt.Sprintf("step %d could not be carried out: %s", log.Last.Decided.Ramp.Step, log.Last.Text)
	}
	if j.Unable != "" {
		return RampNoSwitch, j.Unable
	}
	if j.Drift != "" {
		return RampDrift, j.Drift
	}
	for _, k := range []struct {
		kind   Kind
		reason RampReason
	}{{Error, RampError}, {Blind, RampBlind}} {
		if v := j.first(k.kind, ""); v != nil {
			return k.reason, fmt.Sprintf("%s in %s: %s (%s)", v.Rule.Metric, v.Rule.Arm, v.Text, v.Reason)
		}
	}
	for _, k := range []struct {
		verdict Reason
		reason  RampReason
	}{{SplitBroken, RampSplit}, {ManyCrossovers, RampCrossovers}, {WrongAssignment, RampMismatch}} {
		if v := j.first(Inconclusive, k.verdict); v != nil {
			return k.reason, v.Text
		}
	}
	switch {
	case j.Crossing != "":
		return RampCrossovers, j.Crossing
	case j.Mismatch != "":
		return RampMismatch, j.Mismatch
	case j.Signal != "":
		return RampSignal, j.Signal
	case j.Stale != "":
		return RampStale, j.Stale
	case j.Unread != "":
		return RampUnread, j.Unread
	case j.Limit != "":
		return RampRetrospective, "the iteration began before it was applied, and its guardrails only notify: no step is decided on what was replayed"
	case j.Stopped != "":
		return RampSnoozed, j.Stopped + ": nothing would stop a bad step"
	}
	return "", ""
}

func failedReason(k EntryKind) RampReason {
	switch k {
	case Denied:
		return RampDenied
	case PendingApproval:
		return RampPending
	default:
		return RampFailed
	}
}

// ready goes through what a step asks for, the approval last: nobody is asked before
// everything else is in order.
func (j *rampJudge) ready() Ramping {
	step, next := j.ramp.Steps[j.Step-1], j.ramp.Steps[j.Step]
	asked := max(step.Units, leastUnits)
	switch settled, until := j.Since.Add(j.Settle), j.Since.Add(j.Settle+step.For.Std()); {
	case j.At.Before(settled):
		return Ramping{State: RampAdvanced, Reason: RampSettling, Text: fmt.Sprintf("step %d, %s, has begun and settles until %s", j.Step, share(step.Traffic), settled.UTC().Format(time.RFC3339))}
	case j.At.Before(until):
		return Ramping{State: RampWaiting, Reason: RampTime, Text: fmt.Sprintf("step %d lasts until %s at least", j.Step, until.UTC().Format(time.RFC3339))}
	case j.Units < asked:
		return Ramping{State: RampWaiting, Reason: RampUnits, Text: fmt.Sprintf("an arm of step %d has %d units whose window has passed, %d are asked for", j.Step, j.Units, asked)}
	}
	for i := range j.Verdicts {
		if v := &j.Verdicts[i]; v.Kind != Healthy {
			return Ramping{State: RampHeld, Reason: RampUndecided, Text: fmt.Sprintf("%s in %s is not healthy yet: %s (%s)", v.Rule.Metric, v.Rule.Arm, v.Text, v.Reason)}
		}
	}
	switch {
	case len(j.Verdicts) == 0:
		return Ramping{State: RampHeld, Reason: RampUndecided, Text: "no guardrail says that it is healthy: there is none"}
	case step.Approval && !j.approved():
		return Ramping{State: RampHeld, Reason: RampApproval, Text: fmt.Sprintf("every guardrail is healthy; step %d, %s, waits for a person: assay ramp approve", j.Step+1, share(next.Traffic))}
	}
	return Ramping{State: RampAdvancing, Reason: RampMoving, Text: fmt.Sprintf("every guardrail is healthy: %s → %s, step %d of %d", share(step.Traffic), share(next.Traffic), j.Step+1, len(j.ramp.Steps)),
		Move: &Move{Step: j.Step + 1, Was: step.Traffic, Traffic: next.Traffic}}
}

// approved tells whether a person agreed to the next step as it is now: another traffic
// that came into the file since was not agreed to.
func (j *rampJudge) approved() bool {
	a := j.Log.Approved
	return a != nil && a.Step == j.Step+1 && a.Traffic == j.ramp.Steps[j.Step].Traffic
}

// share writes a share of the units for people.
func share(x float64) string { return fmt.Sprintf("%.4g %%", 100*x) }

// RampEvidence is everything that a move of a ramp follows from: StepRamp of it gives
// the same move again.
type RampEvidence struct {
	Ramp     *experiment.Ramp `json:"ramp"`
	Facts    RampFacts        `json:"facts"`
	Approved *Move            `json:"approved,omitempty"`
}

// Replay decides again from the evidence alone.
func (e RampEvidence) Replay() Ramping {
	f := e.Facts
	f.Log = RampLog{Approved: e.Approved}
	return StepRamp(e.Ramp, f)
}
