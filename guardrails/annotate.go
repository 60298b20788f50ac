package guardrails

import (
	"encoding/json"
	"slices"

	"github.com/assay-dev/assay/internal/results"
)

// Annotate adds to a document what was decided about its iteration: the latches
// of its phases' alarms (those given, which may be newer than the log), and how
// far its kill is.
func (l *Log) Annotate(d *results.Document, alarms []Alarm) {
	for i := range d.Phases {
		for _, a := range alarms {
			if a.Phase == d.Phases[i].Number {
				d.Phases[i].Alarm = &results.Alarm{At: a.At, Acknowledged: a.Acknowledged, By: a.By, Why: a.Why}
			}
		}
	}
	if k, ok := l.Kill(d.Experiment, d.Iteration); ok {
		d.Kill = k.result()
		d.Kill.After = l.index.grounds[k.Decided.Seq].after(d)
	}
	for _, arm := range l.armsOff(d.Experiment, d.Iteration) {
		k, _ := l.ArmKill(d.Experiment, d.Iteration, arm)
		d.ArmKills = append(d.ArmKills, *k.result())
	}
}

// armsOff are the arms of an iteration of which a kill by itself was decided, in that
// order.
func (l *Log) armsOff(experiment string, iteration uint32) (arms []string) {
	for _, i := range l.index.byRun[runKey{experiment, iteration}] {
		if d := &l.kills[i].Decided; d.ArmOff && !slices.Contains(arms, d.Arm) {
			arms = append(arms, d.Arm)
		}
	}
	return arms
}

// result is the kill as documents hold it.
func (k Kill) result() *results.Kill {
	return &results.Kill{
		Arm: k.arm(), State: string(k.State), Decision: k.Decided.Seq, By: k.Decided.Actor, Reason: k.Decided.Text,
		DecidedAt: k.Decided.At, SentAt: k.SentAt, ReadBackAt: k.Verified, Effect: string(k.Effective), OverriddenAt: k.Overridden,
	}
}

// grounds are what a kill was decided on.
type grounds struct {
	rule Rule
	open []Stratum
}

// groundsOf reads the evidence of a kill; nil for a kill by hand, which rests on no
// look.
func groundsOf(decided Entry) *grounds {
	var e Evidence
	if len(decided.Evidence) == 0 || json.Unmarshal(decided.Evidence, &e) != nil {
		return nil
	}
	return &grounds{e.Rule, e.Observation.Open}
}

// after compares the document with the look that the kill was decided on. What
// came in since then counts as usual; the evidence stays as it was.
func (g *grounds) after(d *results.Document) []results.AfterDecision {
	if g == nil {
		return nil
	}
	treatment, control := results.AfterDecision{Variant: g.rule.Arm}, results.AfterDecision{Variant: g.rule.Control}
	add := func(strata []Stratum, sign int64) {
		for _, s := range strata {
			treatment.Units += sign * s.Treatment.N
			treatment.NonZero += sign * s.Treatment.NonZero
			control.Units += sign * s.Control.N
			control.NonZero += sign * s.Control.NonZero
		}
	}
	add(Observe(d, g.rule, nil).Open, +1)
	add(g.open, -1)
	return []results.AfterDecision{treatment, control}
}
