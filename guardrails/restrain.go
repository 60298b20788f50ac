package guardrails

import "time"

// Limits are the operator's brakes on all kills together.
type Limits struct {
	GlobalStop bool // kills are only written down
	PerHour    int  // at most so many automatic kills in any hour; 0: no cap
}

// Outcome is what remains of an act after everything that was already decided.
type Outcome struct {
	Act  Act
	Kind EntryKind // Decided or Held; "" when nothing is to be written
	Why  string    // why less is done than the verdict allows; "" otherwise
}

// Restrain says what may in fact be done about a verdict now. It is what makes
// acting idempotent: an iteration is turned off at most once, whoever asks. When
// many experiments breach together the data are the likelier culprit, so beyond
// the cap a kill is held, a person is paged, and it goes ahead only when the
// cap has room again and the harm is still there.
//
// before is the rule's state ahead of the step: what was already done about the
// same latch is not written again.
func (l *Log) Restrain(v Verdict, before State, limits Limits, now time.Time) Outcome {
	out := l.restrain(v, limits, now)
	if before.Latch != nil && out.Act <= before.Latch.Act {
		return Outcome{}
	}
	return out
}

func (l *Log) restrain(v Verdict, limits Limits, now time.Time) Outcome {
	if v.Act == DoNothing {
		return Outcome{}
	}
	if v.Act < DoKill {
		return Outcome{Act: v.Act, Kind: Decided}
	}
	run := v.Rule
	if why := l.needless(run); why != "" {
		return Outcome{Act: DoNotify, Kind: Decided, Why: why}
	}
	if limits.GlobalStop {
		return Outcome{Act: DoObserve, Kind: Decided, Why: "all kills are stopped by the operator"}
	}
	if s, ok := l.Snoozed(run.Experiment, now); ok {
		return s.outcome()
	}
	if limits.PerHour > 0 && l.killsSince(now.Add(-time.Hour)) >= limits.PerHour {
		if _, ok := l.WasHeld(run.Experiment, run.Iteration); ok {
			return Outcome{}
		}
		return Outcome{Act: DoNotify, Kind: Held, Why: "too many kills within an hour: suspect the data"}
	}
	return Outcome{Act: DoKill, Kind: Decided}
}

// needless says why another kill has no use: the experiment or the rule's arm is off,
// or being turned off, or a person wants it on.
func (l *Log) needless(r Rule) string {
	if l.overridden(r.Experiment, r.Iteration) {
		return "somebody turned it on again after a kill, and no guard does it twice"
	}
	whole, _ := l.Kill(r.Experiment, r.Iteration)
	if why := whole.needless("the experiment"); why != "" {
		return why
	}
	arm, _ := l.ArmKill(r.Experiment, r.Iteration, r.Arm)
	return arm.needless(r.Arm)
}

// needless says why a second kill beside this one has no use. One that was denied or
// failed is no such reason: it ended nothing, and a rule that shows harm after it may
// try again. Each rule latches, so each tries once.
func (k Kill) needless(what string) string {
	switch k.State {
	case "", Denied, Failed:
		return ""
	case PendingApproval:
		return "a kill waits for approval in the flag system"
	case Verified:
		return what + " is off already"
	default:
		return what + " is already being turned off"
	}
}

// killsSince counts automatic kills; those by hand are nobody's storm.
func (l *Log) killsSince(t time.Time) int {
	n := 0
	for _, k := range l.kills {
		if k.Decided.Guardrail != "" && k.Decided.At.After(t) {
			n++
		}
	}
	return n
}
