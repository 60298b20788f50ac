package catalog

import (
	"cmp"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/words"
)

// Fitness is how an experiment is in one word: the gravest thing that is known of it.
type Fitness string

// The words, the gravest first.
const (
	Breached    Fitness = "breached"     // a guardrail shows harm beyond its margin
	BrokenSplit Fitness = "srm"          // an arm lacks units: the arms are not comparable
	Blind       Fitness = "blind"        // the data is not there or not to be trusted
	Failed      Fitness = "error"        // a guardrail could not be judged
	Crossed     Fitness = "crossovers"   // more units saw two variants than the file allows
	Unlooked    Fitness = "unknown"      // nobody has looked yet
	Warned      Fitness = "warned"       // something is not as it was; nothing is held back for it
	Unguarded   Fitness = "unguarded"    // no guardrail watches it
	Unproven    Fitness = "inconclusive" // neither harm nor its absence is shown
	Healthy     Fitness = "healthy"      // every guardrail is shown to be within its margin
)

// Fitnesses lists the words, the gravest first.
func Fitnesses() []Fitness {
	return []Fitness{Breached, BrokenSplit, Blind, Failed, Crossed, Unlooked, Warned, Unguarded, Unproven, Healthy}
}

// lookEvery is how old the newest look of a running experiment may be. A guard stores
// one each minute at least.
const lookEvery = 5 * time.Minute

// fitness is the gravest thing that is known, in a word and in a sentence.
func (s Subject) fitness() (Fitness, string) {
	d := s.Document
	if d == nil {
		return Unlooked, "No look has been taken yet."
	}
	switch overall := Overall(d); {
	case overall == "breached":
		return Breached, "A guardrail is breached: " + worstText(d, "breached")
	case SRMAlarm(d) && SplitTrivial(d):
		return BrokenSplit, splitTrivialText()
	case SRMAlarm(d):
		return BrokenSplit, "The split is broken: the arms are not comparable. Find out why before reading any effect."
	case overall == "blind":
		return Blind, "No judgement: " + worstText(d, "blind")
	case overall == "error":
		return Failed, "No judgement: " + worstText(d, "error")
	}
	if why := s.untrusted(); why != "" {
		return Blind, "No judgement: " + why
	}
	for _, c := range d.CrossoverChecks {
		if _, held := c.Held(); held {
			return Crossed, "Too many units were seen in two variants: what is left of the arms may not be comparable. " + c.String() + "."
		}
	}
	if warnings := s.warnings(); len(warnings) > 0 {
		return Warned, warnings[0].Text
	}
	switch overall := Overall(d); {
	case len(d.Verdicts) == 0:
		return Unguarded, "No guardrail watches it."
	case overall == "healthy":
		return Healthy, "Every guardrail is shown to be healthy."
	}
	return Unproven, "Neither harm nor its absence is shown by every guardrail yet."
}

// untrusted says why the data may not be believed although no guardrail says so; "" when
// it may. Without guardrails nobody else asks.
func (s Subject) untrusted() string {
	d := s.Document
	if !s.Now.Before(d.End) && !d.End.IsZero() {
		return "" // an ended iteration is meant to fall silent
	}
	if at := s.lookedAt(); s.Now.Sub(at) > lookEvery {
		return fmt.Sprintf("the newest look is from %s: is a guard running?", s.instant(at))
	}
	if len(d.Troubles) > 0 {
		return cmp.Or(d.Troubles[0].Detail, d.Troubles[0].Code)
	}
	for _, c := range d.LossChecks {
		if c.Alarm {
			return c.Text
		}
	}
	for _, a := range d.Anomalies {
		if a.Blind && (a.Metric == "" || isGoal(d, a.Metric)) {
			return cmp.Or(a.Text, a.Code)
		}
	}
	if len(d.Verdicts) > 0 || s.Experiment == nil || s.Iteration == nil {
		return ""
	}
	e := s.Experiment.AsOf(s.Iteration)
	switch age := d.At.Sub(d.Freshness); {
	case d.Freshness.IsZero():
		return "no consumer has said how far it has read"
	case age >= e.Stall.Std():
		return fmt.Sprintf("the counts are %s behind, %s is allowed", age.Round(time.Second), e.Stall)
	case d.Newest.IsZero():
		return "nothing was counted yet"
	case d.At.Sub(d.Newest) >= e.Silence.Std():
		return fmt.Sprintf("the newest counted event is %s old, %s is allowed", d.At.Sub(d.Newest).Round(time.Second), e.Silence)
	}
	return ""
}

func splitTrivialText() string {
	return fmt.Sprintf("The split is off by a trivial amount, at most %s of an arm's units: find the cause, and acknowledge the alarm.", words.Share(srmTrivial()))
}
