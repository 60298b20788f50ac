package guardrails

import (
	"slices"
	"time"
)

// Log is what the decision log says, folded: which rules are latched, which
// kills exist and how far they are, which alarms are open. It is rebuilt from
// the entries alone, so a restarted guard knows what the last one knew.
//
// The zero value is an empty log.
type Log struct {
	Last  uint64 // Seq of the newest entry
	Head  string // Hash of the newest entry; it vouches for all of them
	kills []Kill
	index killIndex
	rules map[ruleKey]State
	srm   map[phaseKey]*Alarm
	held  map[runKey]time.Time

	snoozes map[string]Snooze // by experiment; "" for all

	shed  Entry  // the newest step of the plan
	moves []Kill // of ramps
	ramps map[runKey]*RampLog
}

// killIndex finds kills. A guard asks it for each iteration in each of its rounds, and
// what was ever killed stays in the log.
type killIndex struct {
	byRun      map[runKey][]int // places in kills, rising
	byDecision map[uint64]int
	grounds    map[uint64]*grounds // by decision: what its evidence says
}

type runKey struct {
	experiment string
	iteration  uint32
}

type ruleKey struct {
	runKey
	metric, arm string
}

type phaseKey struct {
	runKey
	phase uint16
}

// Kill is one kill and how far it is.
type Kill struct {
	Decided   Entry     // the decision, with its evidence
	State     EntryKind // Decided, Sending, Accepted, Verified, Denied, PendingApproval, Failed
	Actor     string    // who carries it out
	Touched   time.Time // time of its last entry
	SentAt    time.Time // t_k, once accepted
	Verified  time.Time // when it was read back as off
	Ended     bool      // the version with the iteration's end, or with the arm's share of 0, is there
	EndedAt   time.Time // when that was written
	Effective EntryKind // Effective or NotEffective, the last said; "" when nothing was

	Overridden time.Time // when it was seen to be on again

	// Of a move of a ramp, which is kept as a kill is: what its last line says, and that
	// a later move took its place before it had come to its end.
	Text       string
	Superseded bool
}

// Add folds in the next entry. Entries that are already in are ignored, so
// overlapping reads are harmless.
func (l *Log) Add(e Entry) {
	if e.Seq <= l.Last {
		return
	}
	l.Last, l.Head = e.Seq, e.Hash
	run := runKey{e.Experiment, e.Iteration}
	switch e.Kind {
	case Decided:
		l.decided(run, e)
	case Held:
		if l.held == nil {
			l.held = map[runKey]time.Time{}
		}
		l.held[run] = e.At
	case Snoozed:
		l.snooze(e)
	case RampAdvance, RampRevert, RampApproved, RampPause, RampResume:
		if e.Ramp != nil {
			l.ramped(run, e)
		}
	case LoadShed:
		if e.Shed != nil {
			l.shed = e
		}
	case SRMAlarm, SRMAcknowledged:
		l.alarm(phaseKey{run, e.Phase}, e)
	default:
		l.progress(e)
	}
}

func (l *Log) decided(run runKey, e Entry) {
	if e.Act == DoKill {
		if l.index.byRun == nil {
			l.index = killIndex{map[runKey][]int{}, map[uint64]int{}, map[uint64]*grounds{}}
		}
		l.index.byRun[run] = append(l.index.byRun[run], len(l.kills))
		l.index.byDecision[e.Seq] = len(l.kills)
		l.index.grounds[e.Seq] = groundsOf(e)
		l.kills = append(l.kills, Kill{Decided: e, State: Decided, Actor: e.Actor, Touched: e.At})
	}
	if e.Guardrail == "" {
		return
	}
	if l.rules == nil {
		l.rules = map[ruleKey]State{}
	}
	key := ruleKey{run, e.Guardrail, e.Arm}
	s := l.rules[key]
	if e.Reason == ArmSilent && e.Act < DoKill {
		s.Warned = true
	} else if s.Latch == nil || e.Act > s.Latch.Act {
		s.Latch = &Latch{Kind: e.Verdict, Reason: e.Reason, Act: e.Act, At: e.At}
	}
	l.rules[key] = s
}

func (l *Log) alarm(key phaseKey, e Entry) {
	if l.srm == nil {
		l.srm = map[phaseKey]*Alarm{}
	}
	a := l.srm[key]
	if a == nil {
		a = &Alarm{Phase: e.Phase, At: e.At}
		l.srm[key] = a
	}
	if e.Kind == SRMAcknowledged {
		a.Acknowledged, a.By, a.Why = e.At, e.Actor, e.Text
	}
}

func (l *Log) progress(e Entry) {
	k := l.decision(e.Decision)
	if k == nil {
		return
	}
	k.Text = e.Text
	switch e.Kind {
	case Sending, Accepted, Verified, Denied, PendingApproval, Failed:
		k.State, k.Actor, k.Touched = e.Kind, e.Actor, e.At
		if !e.SentAt.IsZero() {
			k.SentAt = e.SentAt
		}
		if e.Kind == Verified {
			k.Verified = e.At
		}
	case IterationEnded, ArmEnded, PhaseBegun, PhaseSkipped:
		k.Ended, k.EndedAt = true, e.At
	case Effective, NotEffective:
		k.Effective = e.Kind
	case Overridden:
		k.Overridden = e.At
	}
}

// State is the rule's memory after a restart.
func (l *Log) State(r Rule) State {
	return l.rules[ruleKey{runKey{r.Experiment, r.Iteration}, r.Metric, r.Arm}]
}

// Kill returns the newest kill of a whole iteration, if one was ever decided. Guards
// decide at most one; a person may order another after a failed one.
func (l *Log) Kill(experiment string, iteration uint32) (Kill, bool) {
	return l.kill(experiment, iteration, "")
}

// ArmKill returns the newest kill of one arm by itself.
func (l *Log) ArmKill(experiment string, iteration uint32, arm string) (Kill, bool) {
	return l.kill(experiment, iteration, arm)
}

func (l *Log) kill(experiment string, iteration uint32, arm string) (Kill, bool) {
	for _, i := range slices.Backward(l.index.byRun[runKey{experiment, iteration}]) {
		if l.kills[i].arm() == arm {
			return l.kills[i], true
		}
	}
	return Kill{}, false
}

// arm is the one that is turned off by itself; "" for the whole experiment.
func (k Kill) arm() string {
	if k.Decided.ArmOff {
		return k.Decided.Arm
	}
	return ""
}

// overridden tells whether somebody turned on again what a kill of the iteration had
// turned off.
func (l *Log) overridden(experiment string, iteration uint32) bool {
	return slices.ContainsFunc(l.index.byRun[runKey{experiment, iteration}], func(i int) bool { return !l.kills[i].Overridden.IsZero() })
}

// ByDecision returns the kill, or the move of a ramp, that an entry decided.
func (l *Log) ByDecision(seq uint64) (Kill, bool) {
	if k := l.decision(seq); k != nil {
		return *k, true
	}
	return Kill{}, false
}

// decision is what an entry decided and what is carried out, nil without one.
func (l *Log) decision(seq uint64) *Kill {
	if i, known := l.index.byDecision[seq]; known {
		return &l.kills[i]
	}
	for i := range l.moves {
		if l.moves[i].Decided.Seq == seq {
			return &l.moves[i]
		}
	}
	return nil
}

// Kills returns all kills, oldest first.
func (l *Log) Kills() []Kill { return slices.Clone(l.kills) }

// WasHeld tells whether a kill of the iteration was held back, and when last.
func (l *Log) WasHeld(experiment string, iteration uint32) (time.Time, bool) {
	at, ok := l.held[runKey{experiment, iteration}]
	return at, ok
}
