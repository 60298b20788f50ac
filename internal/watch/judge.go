package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// judged is a look with what its rules say of it.
type judged struct {
	looked
	steps    []step
	identity storedLook

	ramping   *guardrails.Ramping // nil without a ramp
	rampFacts guardrails.RampFacts
}

// step is one rule's step, not yet remembered.
type step struct {
	before, after guardrails.State
	observation   guardrails.Observation
	verdict       guardrails.Verdict
}

// judge steps every rule of every look. Sample-ratio alarms come first, since
// an open one closes the gates of all rules.
func (w *Watch) judge(ctx context.Context, looks []looked, elapsed time.Duration) []*judged {
	out := make([]*judged, 0, len(looks))
	for _, l := range looks {
		j := &judged{looked: l}
		alarms := w.alarm(ctx, l)
		rules := guardrails.Rules(l.experiment, l.iteration)
		j.steps = make([]step, len(rules))
		for i, r := range rules {
			j.steps[i] = w.step(r, guardrails.Observe(l.document, r, alarms))
		}
		j.identity = identity(j)
		w.rest(j)
		w.annotate(j, alarms)
		w.ramp(j)
		w.tellJudged(j, elapsed)
		out = append(out, j)
	}
	w.tellShared()
	return out
}

// alarm raises what the splits show and returns all alarms of the run. One that
// could not be written down is still heeded; it is raised again in the next round.
func (w *Watch) alarm(ctx context.Context, l looked) []guardrails.Alarm {
	var known []guardrails.Alarm
	d := l.document
	w.book.read(func(log *guardrails.Log) { known = log.Alarms(d.Experiment, d.Iteration) })
	if len(d.Troubles) > 0 {
		return known // shards of two minds may count apart what belongs together
	}
	alarms, raised := guardrails.StepSRM(known, guardrails.Splits(d), d.At)
	for _, a := range raised {
		_, _, err := w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
			for _, known := range log.Alarms(d.Experiment, d.Iteration) {
				if known.Phase == a.Phase {
					return guardrails.Entry{}, false
				}
			}
			return srmEntry(w.config, d, a), true
		})
		if err != nil {
			w.parts.Log.Error("alarm not written", "experiment", d.Experiment, "phase", a.Phase, "error", err)
		}
	}
	return alarms
}

func srmEntry(c Config, d *results.Document, a guardrails.Alarm) guardrails.Entry {
	e := guardrails.Entry{
		Kind: guardrails.SRMAlarm, Experiment: d.Experiment, Iteration: d.Iteration, Phase: a.Phase,
		Reason: guardrails.SplitBroken, Actor: c.Instance, Config: d.Version, Code: c.Code,
		Text: fmt.Sprintf("the split of phase %d is not the intended one", a.Phase),
	}
	for _, p := range d.Phases {
		if p.Number != a.Phase {
			continue
		}
		e.Text += fmt.Sprintf(" (p = %.2g, threshold %.2g):", p.SRM.P.Float(), p.SRM.Threshold)
		for _, arm := range p.Arms {
			e.Text += fmt.Sprintf(" %s %d units for a share of %.4g,", arm.Variant, arm.Units, arm.Share)
		}
		e.Text = e.Text[:len(e.Text)-1]
		e.Evidence, _ = json.Marshal(p) // plain numbers and words: cannot fail
	}
	return e
}

// step judges one rule. What was done stands in the log and nowhere else; what
// only passes (a breach that has to persist, the arms' signs of life) in memory.
func (w *Watch) step(r guardrails.Rule, o guardrails.Observation) step {
	key := memoryKey{runKey{r.Experiment, r.Iteration}, r.ID()}
	before, known := w.memory[key]
	w.book.read(func(log *guardrails.Log) {
		written := log.State(r)
		before.Latch = written.Latch
		if !known {
			before.Warned = written.Warned
		}
	})
	after, v := guardrails.Step(r, before, o)
	if v.Act == guardrails.DoNothing {
		w.memory[key] = after
	}
	return step{before: before, after: after, observation: o, verdict: v}
}

// decide writes down what the verdicts lead to, and only that: kills are begun
// by carryOn, from the log. A rule whose decision could not be written forgets
// that it had come to one.
func (w *Watch) decide(ctx context.Context, all []*judged) error {
	var failed error
	for _, j := range all {
		for i := range j.steps {
			s := &j.steps[i]
			if s.verdict.Act == guardrails.DoNothing {
				continue
			}
			if err := w.writeDecision(ctx, j, s); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			w.memory[memoryKey{j.key(), s.verdict.Rule.ID()}] = s.after
		}
		// After its guardrails: a kill of the same round leaves nothing to ramp.
		failed = errors.Join(failed, w.decideRamp(ctx, j))
	}
	return failed
}

func (w *Watch) writeDecision(ctx context.Context, j *judged, s *step) error {
	v := s.verdict
	evidence, err := json.Marshal(guardrails.NewEvidence(j.document, s.before, s.observation, v))
	if err != nil {
		return fmt.Errorf("write the evidence of %s: %w", v.Rule.ID(), err)
	}
	_, _, err = w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		out := log.Restrain(v, log.State(v.Rule), *w.limits.Load(), w.now())
		if out.Kind == "" {
			return guardrails.Entry{}, false
		}
		e := guardrails.Entry{
			Kind: out.Kind, Act: out.Act, Experiment: v.Rule.Experiment, Iteration: v.Rule.Iteration,
			Guardrail: v.Rule.Metric, Arm: v.Rule.Arm, Verdict: v.Kind, Reason: v.Reason, Text: v.Text,
			Actor: w.config.Instance, Config: j.document.Version, Code: w.config.Code, Look: w.lookOf(j), Evidence: evidence,
		}
		e.ArmOff = out.Act == guardrails.DoKill && w.armAlone(j, v.Rule.Arm)
		if out.Why != "" {
			e.Text += "; " + out.Why
		}
		return e, true
	})
	return err
}

// armAlone tells whether a breach turns off its arm alone: where the switch can do
// that, and another treatment is still on.
func (w *Watch) armAlone(j *judged, arm string) bool {
	return w.leavesOthers(j.experiment, j.iteration, arm)
}

// leavesOthers tells whether an arm of an iteration can be turned off by itself, and
// another treatment goes on.
func (w *Watch) leavesOthers(e *experiment.Experiment, it *experiment.Iteration, arm string) bool {
	ran := e.AsOf(it)
	if w.parts.Arms == nil || !w.parts.Arms.OffersArm(e.KillSwitch, arm) || arm == ran.Control || ran.VariantIndex(arm) < 0 {
		return false
	}
	for _, v := range ran.Variants {
		if v.Key != ran.Control && v.Key != arm && it.ArmOff(v.Key) == nil {
			return true
		}
	}
	return false
}

// annotate adds to the document what the guard knows.
func (w *Watch) annotate(j *judged, alarms []guardrails.Alarm) {
	d := j.document
	d.Verdicts = make([]results.Verdict, len(j.steps))
	for i := range j.steps {
		d.Verdicts[i] = j.steps[i].verdict.Result()
	}
	w.book.read(func(log *guardrails.Log) { log.Annotate(d, alarms) })
}

// blindRound judges a round without a look: every rule is an error, which holds
// everything and tells people. Nothing is remembered but that.
func (w *Watch) blindRound(v *experiment.Version, runs []run, cause error, elapsed time.Duration) {
	for _, r := range runs {
		j := &judged{looked: looked{run: r, document: &results.Document{
			Experiment: r.experiment.Key, Iteration: r.iteration.Number, Version: v.Number, At: w.now()}}}
		for _, rule := range guardrails.Rules(r.experiment, r.iteration) {
			o := guardrails.Observation{At: w.now(), Failed: cause.Error()}
			if errors.Is(cause, ErrNodeAway) { // the rest is there, and is not the whole
				o = guardrails.Observation{At: w.now(), Troubles: []guardrails.Trouble{{Reason: guardrails.NodeAway, Detail: cause.Error()}}}
			}
			j.steps = append(j.steps, w.step(rule, o))
		}
		w.tellChanges(j)
		w.tellBlindness(j, elapsed)
	}
	if errors.Is(cause, ErrNodeAway) {
		w.tellShared()
	}
}
