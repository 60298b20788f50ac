package experiment

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// What Kill and Resume cannot do.
var (
	ErrUnknown    = errors.New("no such experiment")
	ErrNotRunning = errors.New("no iteration runs at that time")
	ErrNotKilled  = errors.New("the last iteration was not killed")
	ErrPlanned    = errors.New("another iteration is planned already")
	ErrAlphaKill  = errors.New("the budget of false kills must be above 0 and at most one half")
	ErrNoSwitch   = errors.New("the experiment names no kill switch")
)

// Kill makes the version in which the iteration that runs at a time ended then:
// the time at which the accepted off call was sent, once the switch was read back
// as off. Phases that would have come later never do. decision is the number of
// the deciding entry in the decision log.
func (v *Version) Kill(key string, at time.Time, decision uint64, reason, author string, now time.Time) (*Version, error) {
	next, e, err := v.after(key, reason, author, now)
	if err != nil {
		return nil, err
	}
	at = at.UTC().Truncate(time.Millisecond)
	it := e.At(at)
	if it == nil || it.Killed != nil || !at.After(it.Start) {
		return nil, fmt.Errorf("kill %s at %s: %w", key, stamp(at), ErrNotRunning)
	}
	it.End = at
	if it.EnrolUntil.After(at) {
		it.EnrolUntil = at
	}
	it.Phases = slices.DeleteFunc(it.Phases, func(p Phase) bool { return !p.From.Before(it.EnrolUntil) })
	it.Killed = &Killed{At: at, Decision: decision, Reason: reason}
	return next, nil
}

// Resume makes the version in which the next iteration after a kill begins now,
// with the shares and the traffic that there were, and with the metrics as they
// were applied last. Its guardrails only notify, unless a new budget of false
// kills is declared (rearmAlpha above 0).
func (v *Version) Resume(key string, rearmAlpha float64, reason, author string, now time.Time) (*Version, error) {
	next, e, err := v.after(key, reason, author, now)
	if err != nil {
		return nil, err
	}
	last := e.Latest()
	switch now := next.AppliedAt; {
	case last != nil && last.Killed == nil && !last.begun(now):
		return nil, fmt.Errorf("resume %s: iteration %d starts at %s: %w", key, last.Number, stamp(last.Start), ErrPlanned)
	case last == nil || last.Killed == nil || now.Before(last.End):
		return nil, fmt.Errorf("resume %s: %w", key, ErrNotKilled)
	case !(rearmAlpha >= 0 && rearmAlpha <= 0.5):
		return nil, fmt.Errorf("resume %s: %w", key, ErrAlphaKill)
	case rearmAlpha > 0 && e.KillSwitch == "":
		return nil, fmt.Errorf("resume %s: %w", key, ErrNoSwitch)
	}
	e.Iterations = append(e.Iterations, next.resumed(e, last, rearmAlpha))
	return next, nil
}

// resumed is the iteration that carries on from a killed one.
func (v *Version) resumed(e *Experiment, last *Iteration, rearmAlpha float64) Iteration {
	it := Iteration{
		Number: last.Number + 1, Resumes: last.Number, Start: v.AppliedAt, Salt: last.Salt,
		EnrolUntil: v.AppliedAt.Add(defaultEnrol), Metrics: v.freshMetrics(e, last),
		NotifyOnly: rearmAlpha == 0, AlphaKill: rearmAlpha, KillGuardrails: killGuardrails(e.Guardrails),
	}
	if it.NotifyOnly {
		// The same threshold tells people what would have been killed.
		it.AlphaKill = e.AlphaKill
	}
	it.KillRules = len(it.KillGuardrails) * (len(e.Variants) - 1)
	it.End = it.EnrolUntil.Add(e.longestWindow(it.Metrics))
	phase := Phase{Number: 1, From: it.Start, Traffic: 1}
	for _, va := range e.Variants {
		phase.Shares = append(phase.Shares, va.Share)
	}
	if then := e.AsOf(last); variantList(then.Variants) == variantList(e.Variants) {
		was := last.Phases[len(last.Phases)-1]
		phase.Shares, phase.Traffic, phase.Sample = slices.Clone(was.Shares), last.rampTraffic(was.Traffic), was.Sample
	}
	it.Phases = []Phase{phase}
	return it
}

// freshMetrics gives the texts that a new iteration pins: the catalogue's, or the
// last iteration's when the catalogue has lost one.
func (v *Version) freshMetrics(e *Experiment, last *Iteration) []Metric {
	var out []Metric
	for _, name := range e.metricNames() {
		i := slices.IndexFunc(v.Metrics, func(m Metric) bool { return m.Name == name })
		if i >= 0 {
			out = append(out, v.Metrics[i])
		} else if m := last.Metric(name); m != nil {
			out = append(out, *m)
		}
	}
	return out
}

// after starts the version that follows this one by an act on one experiment.
func (v *Version) after(key, reason, author string, now time.Time) (*Version, *Experiment, error) {
	next := v.cloneFor(key)
	next.Number, next.Author, next.Login, next.Reason = v.Number+1, author, "", reason
	if now = now.UTC().Truncate(time.Millisecond); now.After(v.AppliedAt) {
		next.AppliedAt = now
	}
	e := next.Find(key)
	if e == nil {
		return nil, nil, fmt.Errorf("experiment %s: %w", key, ErrUnknown)
	}
	return next, e, nil
}
