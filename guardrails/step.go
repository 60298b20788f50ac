package guardrails

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// silentArmUnits is how many units an arm must have been expected to get, by
// the shares, before getting none means that it is silent. At fair shares the
// chance of that is below e^−20 for any one stretch.
const silentArmUnits = 20

// maxSkew is how far ahead of the guard's clock a shard may claim to be fresh.
const maxSkew = time.Minute

// Step judges one look. It is a function of its arguments alone. The state that
// it returns is to be kept only if the verdict's act was written down.
func Step(r Rule, s State, o Observation) (State, Verdict) {
	j := judge{rule: r, state: s, obs: o}
	v := j.verdict()
	v.Rule, v.At = r, o.At
	next := j.remember(v)
	v = j.act(v, &next)
	v.Latch = next.Latch
	return next, v
}

// judge holds the arguments of one step.
type judge struct {
	rule  Rule
	state State
	obs   Observation
}

// verdict goes through everything that can stand in the way of a judgement, the
// graver first, and judges when nothing does.
func (j *judge) verdict() Verdict {
	if v, stop := j.impossible(); stop {
		return v
	}
	if j.obs.At.Before(j.rule.Start) {
		return say(Inconclusive, NotStarted, "the iteration starts at %s", j.rule.Start.UTC().Format(time.RFC3339))
	}
	if v, stop := j.blind(); stop {
		return v
	}
	if j.obs.Over > 0 {
		return say(Error, Overflow, "%d units have totals too large to be summed exactly: no number is shown", j.obs.Over)
	}
	v := j.measure()
	if reason, why := j.notYet(v); reason != "" {
		v.Kind, v.Reason, v.Text = Inconclusive, reason, why
		return v
	}
	return j.decide(v)
}

// over tells whether the iteration has ended.
func (j *judge) over() bool { return !j.obs.At.Before(j.rule.End) }

func (j *judge) impossible() (Verdict, bool) {
	if j.obs.Failed != "" {
		return say(Error, LookFailed, "the look failed: %s", j.obs.Failed), true
	}
	if why := j.rule.wrong(); why != "" {
		return say(Error, Undefined, "%s", why), true
	}
	return Verdict{}, false
}

// blind tells what keeps the data from being trusted to be there. Nothing found
// here is ever taken for "no breach".
func (j *judge) blind() (Verdict, bool) {
	o, r := j.obs, j.rule
	for _, t := range o.Troubles {
		return say(Blind, t.Reason, "%s", t.Detail), true
	}
	age := o.At.Sub(o.Freshness)
	switch {
	case o.Freshness.IsZero():
		return say(Blind, NoStatus, "no consumer has said how far it has read"), true
	case age < -maxSkew:
		return say(Blind, ClockSkew, "a consumer's clock is %s ahead of this one", -age.Round(time.Second)), true
	case age >= r.Stall:
		return say(Blind, Stale, "the counts are %s behind, %s is allowed", age.Round(time.Second), r.Stall), true
	case j.over():
		return Verdict{}, false // an ended iteration is meant to fall silent
	case o.Newest.IsZero():
		return say(Blind, NoData, "nothing was counted yet"), true
	case o.At.Sub(o.Newest) >= r.Silence:
		return say(Blind, Silent, "the newest counted event is %s old, %s is allowed",
			o.At.Sub(o.Newest).Round(time.Second), r.Silence), true
	}
	if arm, expected, silent := j.silentArm(); silent {
		return say(Blind, ArmSilent, "%s got no unit where %.0f were expected, while the other arm went on", arm, expected), true
	}
	return Verdict{}, false
}

// notYet tells what has to happen before the numbers may be judged.
func (j *judge) notYet(v Verdict) (Reason, string) {
	o, r := j.obs, j.rule
	switch {
	case len(o.SRMPhases) > 0:
		return SplitBroken, fmt.Sprintf("the split of phase %d is broken: its arms are not comparable until somebody acknowledges why", o.SRMPhases[0])
	case len(o.CrossPhases) > 0:
		return ManyCrossovers, fmt.Sprintf("more units of phase %d were seen in two variants than the file allows: what is left of its arms may not be comparable", o.CrossPhases[0])
	case len(o.WrongPhases) > 0:
		return WrongAssignment, fmt.Sprintf("more units of phase %d were shown another variant than their assignment gives them than the file allows: its arms are not what they are called", o.WrongPhases[0])
	case o.At.Before(r.Start.Add(r.WarmUp)):
		return WarmingUp, fmt.Sprintf("warming up until %s", r.Start.Add(r.WarmUp).UTC().Format(time.RFC3339))
	case v.Harm.Units[0] == 0:
		return NoBasis, "no phase has two units in each arm"
	case min(v.Harm.Units[0], v.Harm.Units[1]) < r.MinUnits:
		return FewUnits, fmt.Sprintf("the smaller arm has %d units, %d are asked for", min(v.Harm.Units[0], v.Harm.Units[1]), r.MinUnits)
	case !v.Gate.Passes:
		return FewEvents, fmt.Sprintf("%.0f units with an event are expected in the smaller arm, %.0f are needed", float64(v.Gate.Have), float64(v.Gate.Need))
	}
	return "", ""
}

// decide reads the tests: harm from open data, its absence from matured data.
func (j *judge) decide(v Verdict) Verdict {
	if v.Harm.Reject {
		since := j.state.Since
		if since.IsZero() {
			since = j.obs.At
		}
		if until := since.Add(j.rule.Hold); j.obs.At.Before(until) {
			v.Holding = &Hold{Since: since, Until: until}
			v.Kind, v.Reason = Inconclusive, Holding
			v.Text = fmt.Sprintf("%s; it must persist until %s", harmText(j.rule, v.Harm), until.UTC().Format(time.RFC3339))
			return v
		}
		v.Kind, v.Reason, v.Text = Breached, Harm, harmText(j.rule, v.Harm)
		return v
	}
	if v.Safe.Reject {
		v.Kind, v.Reason, v.Text = Healthy, NonInferior, safeText(j.rule, v.Safe)
		return v
	}
	v.Kind, v.Reason, v.Text = Inconclusive, Undecided, undecidedText(j.rule, v.Harm)
	if j.over() {
		v.Reason = Ended
	}
	return v
}

// remember is the state after the look: the stretch of unbroken harm, which any
// other look breaks, a blind one too, and the arms' last signs of life.
func (j *judge) remember(v Verdict) State {
	next := j.state
	next.Arms = j.state.Arms.after(j.obs.Current)
	if v.Reason != ArmSilent {
		next.Warned = false
	}
	switch {
	case v.Reason != Harm && v.Reason != Holding:
		next.Since = time.Time{}
	case next.Since.IsZero():
		next.Since = j.obs.At
	}
	return next
}

// act decides what may be done about the verdict, and latches it. What was done
// before is not done again; a greater act than before is (a guardrail that was
// moved from observe to kill while the harm goes on).
func (j *judge) act(v Verdict, next *State) Verdict {
	wanted := j.wanted(v)
	if latch := j.state.Latch; latch != nil && wanted <= latch.Act {
		v.Kind, v.Reason = latch.Kind, Latched
		v.Text = fmt.Sprintf("decided at %s (%s); now: %s", latch.At.UTC().Format(time.RFC3339), latch.Reason, v.Text)
		return v
	}
	v.Act = wanted
	switch {
	case wanted == DoNothing:
	case v.Reason == Harm, wanted == DoKill:
		next.Latch = &Latch{Kind: v.Kind, Reason: v.Reason, Act: wanted, At: j.obs.At}
	case v.Reason == ArmSilent:
		next.Warned = true
	}
	return v
}

// wanted is the act that the verdict alone would lead to.
func (j *judge) wanted(v Verdict) Act {
	if j.over() {
		return DoNothing // there is nothing left to turn off
	}
	switch v.Reason {
	case Harm:
		return j.rule.Allowed()
	case ArmSilent:
		act := DoNothing
		switch j.rule.OnNoData {
		case experiment.KillOnNoData:
			act = j.rule.Allowed()
		case experiment.WarnOnNoData:
			act = min(j.rule.Allowed(), DoNotify)
		}
		if act < DoKill && j.state.Warned {
			return DoNothing // said once for each silence
		}
		return act
	}
	return DoNothing
}

func say(k Kind, r Reason, format string, args ...any) Verdict {
	return Verdict{Kind: k, Reason: r, Text: fmt.Sprintf(format, args...)}
}
