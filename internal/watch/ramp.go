package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// ramp says where the iteration's ramp is, writes it into the look and shows it. What it
// wants done is written down by decide.
func (w *Watch) ramp(j *judged) {
	if j.iteration.Ramp == nil {
		return
	}
	f := w.rampFacts(j)
	now := guardrails.StepRamp(j.iteration.Ramp, f)
	j.rampFacts, j.ramping, j.identity.ramp = f, &now, string(now.State)+"/"+string(now.Reason)
	j.document.Ramp = rampResult(j.iteration, f, now)
	w.gauges.setRamp(j.experiment.Key, now)
	w.tellRamp(j, now)
	w.tellDrift(j, f.Drift)
}

func (w *Watch) rampFacts(j *judged) guardrails.RampFacts {
	it, now := j.iteration, j.document.At
	f := guardrails.RampFacts{At: now, Killed: it.Killed != nil, EnrolUntil: it.EnrolUntil, Mismatch: mismatch(j.document), Crossing: crossing(j.document), Signal: w.trippedSignal(j)}
	f.Step, f.Since, f.Reverted = it.RampAt(now)
	if p := it.PhaseAt(now); p != nil && p.From.Equal(f.Since) {
		f.Settle = p.Settle.Std()
	}
	if it.Retrospective {
		f.Limit = string(experiment.LimitRetrospective)
	}
	phases := it.StepPhases(f.Step)
	for i := range j.steps {
		s := &j.steps[i]
		f.Verdicts = append(f.Verdicts, s.verdict)
		if n := unitsIn(s.observation.Matured, phases); i == 0 || n < f.Units {
			f.Units = n
		}
	}
	f.Unable = "nothing here can set the traffic"
	if w.parts.Traffic != nil {
		f.Unable = w.parts.Traffic.CannotSet(j.experiment.KillSwitch, it.Ramp)
	}
	if w.limits.Load().GlobalStop {
		f.Stopped = "all automatic kills are stopped by the operator"
	}
	if w.parts.Holds != nil {
		f.Stale = w.parts.Holds.Held(j.experiment)
	}
	w.book.read(func(log *guardrails.Log) {
		f.Log = log.Ramp(j.experiment.Key, it.Number)
		if s, ok := log.Snoozed(j.experiment.Key, now); ok {
			f.Stopped = fmt.Sprintf("automatic kills are snoozed until %s by %s", s.Until.UTC().Format(time.RFC3339), s.By)
		}
	})
	f.Drift, f.Unread = w.drift(j, f)
	return f
}

// unitsIn are the units of the smaller arm in some phases.
func unitsIn(strata []guardrails.Stratum, phases []uint16) int64 {
	var treatment, control int64
	for _, s := range strata {
		if slices.Contains(phases, s.Phase) {
			treatment += s.Treatment.N
			control += s.Control.N
		}
	}
	return min(treatment, control)
}

// mismatch says that units are shown another variant than their assignment gives them:
// by the file's limit, or without one by any that was seen lately.
func mismatch(d *results.Document) string {
	for _, c := range d.AssignmentChecks {
		if c.Alarm {
			return c.String()
		}
	}
	for _, a := range d.Anomalies {
		if a.Code == results.Misassigned && len(d.AssignmentChecks) == 0 {
			return a.Text
		}
	}
	return ""
}

func crossing(d *results.Document) string {
	for _, c := range d.CrossoverChecks {
		if c.Alarm {
			return c.String()
		}
	}
	return ""
}

// rampResult is the ramp as documents hold it.
func rampResult(it *experiment.Iteration, f guardrails.RampFacts, now guardrails.Ramping) *results.Ramp {
	out := &results.Ramp{
		State: string(now.State), Reason: string(now.Reason), Text: now.Text,
		Step: now.Step, Traffic: now.Traffic, Since: now.Since, Units: f.Units, OnBreach: string(it.Ramp.OnBreach),
	}
	for i, s := range it.Ramp.Steps {
		step := results.RampStep{Traffic: s.Traffic, Units: s.Units, Approval: s.Approval}
		if s.For > 0 {
			step.For = s.For.String()
		}
		for k := range it.Phases {
			if p := &it.Phases[k]; int(p.Step) == i+1 && !p.From.After(f.At) && step.Began.IsZero() {
				step.Began, step.Decision = p.From, p.Decision
			}
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

// decideRamp writes down the move that a ramp wants. It is carried out by carryOn, from
// the log.
func (w *Watch) decideRamp(ctx context.Context, j *judged) error {
	if j.ramping == nil || j.ramping.Move == nil {
		return nil
	}
	move, text := *j.ramping.Move, j.ramping.Text
	evidence, err := json.Marshal(guardrails.RampEvidence{Ramp: j.iteration.Ramp, Facts: j.rampFacts, Approved: j.rampFacts.Log.Approved})
	if err != nil {
		return fmt.Errorf("write the evidence of a ramp's move: %w", err)
	}
	_, _, err = w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		e := guardrails.Entry{
			Kind: guardrails.RampAdvance, Experiment: j.experiment.Key, Iteration: j.iteration.Number, Ramp: &move,
			Actor: w.config.Instance, Text: text, Config: j.document.Version, Code: w.config.Code, Look: w.lookOf(j), Evidence: evidence,
		}
		if move.Revert {
			e.Kind = guardrails.RampRevert
		}
		return e, !w.limits.Load().GlobalStop && log.MayMove(e.Experiment, e.Iteration, move, w.now())
	})
	if err != nil {
		return fmt.Errorf("write the move of a ramp: %w", err)
	}
	return nil
}

// clear tells whether nothing is on its way any more that would undo a move: a call for
// the step before may still leave from another guard, until that one has read the log.
// The caller holds the book.
func (w *Watch) clear(log *guardrails.Log, k guardrails.Kill, now time.Time) bool {
	before, ok := log.Supersedes(k)
	if !ok || before.State.Final() || before.State == before.Decided.Kind {
		return true
	}
	w.mu.Lock()
	ours := w.inFlight[before.Decided.Seq]
	w.mu.Unlock()
	if before.Actor == w.config.Instance {
		return !ours
	}
	return now.Sub(before.Touched) >= w.config.Lease || w.presence.silent(before.Actor, now)
}

// noPhase says why no phase is left to begin; "" when one is.
func noPhase(it *experiment.Iteration, k guardrails.Kill) string {
	move, newest := k.Decided.Ramp, &it.Phases[len(it.Phases)-1]
	switch {
	case it.Ramp == nil:
		return "the iteration has no ramp"
	case !k.SentAt.Before(it.EnrolUntil):
		return "nobody enrols any more"
	case newest.Reverted:
		return "the ramp had been reverted"
	case !move.Revert && (int(newest.Step) != move.Step-1 || move.Step > len(it.Ramp.Steps)):
		return fmt.Sprintf("the ramp is at step %d of %d", newest.Step, len(it.Ramp.Steps))
	}
	return ""
}

func rampKey(experiment string, iteration uint32) string {
	return fmt.Sprintf("ramp/%s/%d", experiment, iteration)
}

// rampNews is what a line about a ramp says to people; false when it says nothing to
// them. That a step has begun is seen where the ramp is looked at, and wakes nobody.
func rampNews(e guardrails.Entry, a Alert) (Alert, bool) {
	a.Key, a.Matter = rampKey(e.Experiment, e.Iteration), RampMatter
	to := fmt.Sprintf("step %d, %s", e.Ramp.Step, share(e.Ramp.Traffic))
	switch {
	case e.Kind == guardrails.RampRevert && e.Ramp.ByHand:
		a.Title = fmt.Sprintf("%s: %s reverts the ramp", e.Experiment, e.Actor)
	case e.Kind == guardrails.RampRevert:
		a.Title = fmt.Sprintf("%s: the ramp is reverted, harm is shown", e.Experiment)
	case e.Kind == guardrails.Verified && e.Ramp.Revert:
		a.Title = fmt.Sprintf("%s: nobody takes part any more", e.Experiment)
	case (e.Kind == guardrails.Denied || e.Kind == guardrails.Failed) && e.Ramp.Revert:
		a.Title = fmt.Sprintf("%s: the ramp could NOT be reverted: %s", e.Experiment, e.Kind)
	case e.Kind == guardrails.Denied, e.Kind == guardrails.Failed:
		a.Title = fmt.Sprintf("%s: the ramp is held, %s could not be carried out: %s", e.Experiment, to, e.Kind)
	case e.Kind == guardrails.PendingApproval && e.Ramp.Revert:
		a.Title = fmt.Sprintf("%s: the revert of its ramp waits for an approval", e.Experiment)
	case e.Kind == guardrails.PendingApproval:
		a.Title = fmt.Sprintf("%s: the ramp is held, %s waits for an approval in the flag system", e.Experiment, to)
	default:
		return a, false
	}
	return a, true
}

// approvalKey is the matter of a ramp that waits for a person.
func approvalKey(experiment string, iteration uint32) string {
	return fmt.Sprintf("approval/%s/%d", experiment, iteration)
}

// tellRamp asks people for the approval that a ramp waits for, once.
func (w *Watch) tellRamp(j *judged, now guardrails.Ramping) {
	key := approvalKey(j.experiment.Key, j.iteration.Number)
	if now.Reason != guardrails.RampApproval {
		w.alerts.resolveKey(key, w.now(), fmt.Sprintf("%s: its ramp no longer waits for an approval", j.experiment.Key), now.Text)
		return
	}
	w.alerts.raise(Alert{
		Key: key, Matter: ApprovalMatter, Reason: string(now.Reason), Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: j.document.At,
		Title: fmt.Sprintf("%s: its ramp waits for an approval of step %d", j.experiment.Key, now.Step+1), Text: now.Text,
	})
}
