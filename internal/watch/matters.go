package watch

import (
	"cmp"
	"fmt"

	"github.com/assay-dev/assay/guardrails"
)

// over is what is said of a matter whose iteration is looked at no more.
const over = "the iteration is over"

func killKey(experiment string, iteration uint32) string {
	return fmt.Sprintf("kill/%s/%d", experiment, iteration)
}

// killKeyOf is the key of the kill that a line is about: an arm by itself has its own.
func killKeyOf(e guardrails.Entry) string {
	if e.Ramp != nil {
		return rampKey(e.Experiment, e.Iteration)
	}
	if e.ArmOff {
		return killKey(e.Experiment, e.Iteration) + "/" + e.Arm
	}
	return killKey(e.Experiment, e.Iteration)
}

// what is killed, in words.
func what(e guardrails.Entry) string {
	if e.ArmOff {
		return fmt.Sprintf("%s of %s", e.Arm, e.Experiment)
	}
	return e.Experiment
}

func blindKey(experiment string, iteration uint32) string {
	return fmt.Sprintf("blind/%s/%d", experiment, iteration)
}

func silenceKey(r guardrails.Rule) string {
	return fmt.Sprintf("silence/%s/%d/%s", r.Experiment, r.Iteration, r.ID())
}

// tellOf tells people what a line of the decision log means for them. The caller
// holds the book.
func (w *Watch) tellOf(e guardrails.Entry) {
	switch e.Kind {
	case guardrails.Sending, guardrails.Accepted:
		w.alerts.progress(killKeyOf(e), e.Kind)
	case guardrails.Snoozed:
		w.tellSnooze(e)
	case guardrails.Effective, guardrails.SRMAcknowledged, guardrails.Resumed, guardrails.RampResume, guardrails.PhaseBegun:
		w.resolveBy(e)
	default:
		if a, ok := newsOf(e); ok {
			a.decided = e
			if k, ok := w.book.log.ByDecision(e.Decision); ok {
				a.decided = k.Decided
			}
			w.alerts.hear(a)
		}
	}
}

// tellFailure tells people of a kill's end that cannot be written down now. A hand
// tells nobody: who waits for it sees it.
func (w *Watch) tellFailure(e, decided guardrails.Entry) {
	if a, ok := newsOf(e); ok && w.live.Load() {
		a.At, a.decided = w.now(), decided
		w.alerts.tellAhead(a)
	}
}

// newsOf is what a line says to people; false when it says nothing to them. A kill
// keeps one key from its decision to its end, whoever decided.
func newsOf(e guardrails.Entry) (Alert, bool) {
	a := Alert{
		Key: killKeyOf(e), Matter: KillMatter, Experiment: e.Experiment, Iteration: e.Iteration,
		Guardrail: e.Guardrail, Arm: e.Arm, Phase: e.Phase, State: e.Kind, Reason: string(e.Kind), Text: e.Text, At: e.At,
	}
	if e.Ramp != nil {
		return rampNews(e, a)
	}
	switch e.Kind {
	case guardrails.Decided:
		return decisionOf(e, a)
	case guardrails.Held:
		a.Title = fmt.Sprintf("%s: a kill is held back, look at the data", e.Experiment)
	case guardrails.Verified:
		a.Title = fmt.Sprintf("%s is off", what(e))
	case guardrails.Denied, guardrails.Failed:
		a.Title = fmt.Sprintf("%s could NOT be turned off: %s", what(e), e.Kind)
	case guardrails.PendingApproval:
		a.Title = fmt.Sprintf("%s: turning it off waits for an approval", what(e))
	case guardrails.LoadShed:
		if e.Shed == nil {
			return a, false
		}
		a = shedNews(e, a)
	case guardrails.NotEffective:
		a.Title = fmt.Sprintf("%s is off, but its exposures go on", what(e))
	case guardrails.Overridden:
		a.Title = fmt.Sprintf("%s was turned on again by somebody", what(e))
	case guardrails.SRMAlarm:
		a.Matter, a.State, a.Reason = SplitMatter, "", string(e.Reason)
		a.Key = fmt.Sprintf("split/%s/%d/%d", e.Experiment, e.Iteration, e.Phase)
		a.Title = fmt.Sprintf("%s: the split of phase %d is broken", e.Experiment, e.Phase)
	default:
		return a, false
	}
	return a, true
}

func decisionOf(e guardrails.Entry, a Alert) (Alert, bool) {
	a.Reason = cmp.Or(string(e.Reason), "by_hand")
	switch {
	case e.Act == guardrails.DoKill && e.Guardrail == "":
		a.Title = fmt.Sprintf("%s: %s turns it off by hand", e.Experiment, e.Actor)
	case e.Act == guardrails.DoKill:
		a.Title = fmt.Sprintf("%s: %s, turning it off", what(e), e.Reason)
	case e.Act < guardrails.DoNotify:
		return a, false
	case e.Reason == guardrails.ArmSilent:
		a.Matter, a.State = SilenceMatter, ""
		a.Key = fmt.Sprintf("silence/%s/%d/%s/%s", e.Experiment, e.Iteration, e.Guardrail, e.Arm)
		a.Title = fmt.Sprintf("%s: one arm gets no units while the other goes on", e.Experiment)
	default:
		a.Matter, a.State = GuardrailMatter, ""
		a.Key = fmt.Sprintf("guardrail/%s/%d/%s/%s", e.Experiment, e.Iteration, e.Guardrail, e.Arm)
		a.Title = fmt.Sprintf("%s: guardrail %s is breached in %s", e.Experiment, e.Guardrail, e.Arm)
	}
	return a, true
}

// resolveBy closes what a line ends. That the exposures stopped ends the kill and
// everything that led to it; the next iteration ends all of the ones before.
func (w *Watch) resolveBy(e guardrails.Entry) {
	run := runKey{e.Experiment, e.Iteration}
	switch e.Kind {
	case guardrails.Effective:
		w.alerts.progress(killKeyOf(e), e.Kind)
		w.alerts.resolve(e.At, fmt.Sprintf("%s is off, and its exposures have stopped", what(e)), e.Text, func(a Alert) bool {
			return a.of(run) && (a.Matter == KillMatter || a.Matter == GuardrailMatter || a.Matter == SilenceMatter) &&
				(!e.ArmOff || a.Arm == e.Arm)
		})
	case guardrails.RampResume, guardrails.PhaseBegun:
		if e.Ramp.Revert {
			return // people are to look at it while its iteration lasts
		}
		w.alerts.resolve(e.At, fmt.Sprintf("%s: its ramp goes on", e.Experiment), e.Text, func(a Alert) bool {
			return a.of(run) && a.Matter == RampMatter
		})
	case guardrails.SRMAcknowledged:
		w.alerts.resolve(e.At, fmt.Sprintf("%s: the split of phase %d was acknowledged by %s", e.Experiment, e.Phase, e.Actor), e.Text, func(a Alert) bool {
			return a.of(run) && a.Matter == SplitMatter && a.Phase == e.Phase
		})
	case guardrails.Resumed:
		w.alerts.resolve(e.At, fmt.Sprintf("%s: %s opens iteration %d", e.Experiment, e.Actor, e.Iteration), e.Text, func(a Alert) bool {
			return a.Experiment == e.Experiment && a.Iteration < e.Iteration
		})
	}
}

// resolveOver closes the matters of iterations that are looked at no more. That a
// kill had no effect, or was overridden, is no such matter: exposures may still go on.
func (w *Watch) resolveOver(alive map[runKey]bool) {
	w.alerts.resolve(w.now(), "", over, func(a Alert) bool {
		return a.Experiment != "" && !alive[runKey{a.Experiment, a.Iteration}] && !goesOn(a)
	})
}

// context adds to an alert what the log and the applied version say.
func (w *Watch) context(a *Alert) {
	a.Head = w.book.head()
	a.explain()
	v := w.applied.Load()
	if v == nil {
		return
	}
	if e := v.Find(a.Experiment); e != nil {
		a.Owner, a.Switch, a.Links = e.Owner, e.KillSwitch, e.Links
	}
}
