package guardrails

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Lines about a ramp. A move is carried out like a kill: sending, accepted, and verified,
// denied, pending_approval or failed follow it; then the phase begins.
const (
	RampAdvance  EntryKind = "ramp_advance"  // the next step was decided
	RampRevert   EntryKind = "ramp_revert"   // nobody is to take part any more
	PhaseBegun   EntryKind = "phase_begun"   // the version with the move's phase was appended
	PhaseSkipped EntryKind = "phase_skipped" // nothing was left to append: the iteration had ended, or was killed
	RampApproved EntryKind = "ramp_approved" // a person agrees to the step
	RampPause    EntryKind = "ramp_paused"   // a person holds it where it is
	RampResume   EntryKind = "ramp_resumed"  // it goes on, also after a move that failed
)

// Moves tells whether the kind decides a move of a ramp.
func (k EntryKind) Moves() bool { return k == RampAdvance || k == RampRevert }

// MoveKey is the idempotency key of a move of a ramp.
func MoveKey(experiment string, iteration uint32, decision uint64) string {
	h := sha256.Sum256([]byte(strings.Join([]string{experiment, fmt.Sprint(iteration), "ramp", fmt.Sprint(decision)}, "\x00")))
	return "ramp_" + hex.EncodeToString(h[:16])
}

// RampLog is what the decision log says of an iteration's ramp.
type RampLog struct {
	// Last is the newest move; its Decided.Ramp is nil when there was none. Moves are
	// carried out like kills and kept like them.
	Last     Kill
	Approved *Move  // what a person agreed to; nil: nothing
	Paused   *Entry // by whom and why; nil: it is not
	Resumed  time.Time
	Killing  bool // a kill of the iteration was decided, and neither refused nor failed
}

// Open tells whether a move is not at its end, the phase's begin.
func (k Kill) Open() bool {
	return !k.Superseded && !k.Ended && (k.State == Verified || !k.State.Final())
}

// Moving tells whether a step is being carried out.
func (l RampLog) Moving() bool { return l.Last.Decided.Ramp != nil && l.Last.Open() }

// Stuck tells whether the last step could not be carried out, and nobody has said since
// that it is to be tried again.
func (l RampLog) Stuck() bool {
	last := l.Last
	return last.Decided.Ramp != nil && last.State.Final() && last.State != Verified && !l.Resumed.After(last.Touched)
}

// Ramp is what the log says of an iteration's ramp.
func (l *Log) Ramp(experiment string, iteration uint32) RampLog {
	var out RampLog
	if r := l.ramps[runKey{experiment, iteration}]; r != nil {
		out = *r
	}
	for _, k := range slices.Backward(l.moves) {
		if k.Decided.Experiment == experiment && k.Decided.Iteration == iteration {
			out.Last = k
			break
		}
	}
	k, decided := l.Kill(experiment, iteration)
	out.Killing = decided && (!k.State.Final() || k.State == Verified)
	return out
}

// Moves returns all moves of ramps, oldest first.
func (l *Log) Moves() []Kill { return slices.Clone(l.moves) }

// MayMove tells whether a move may be written now. It is asked at the moment of writing:
// of two guards that come to the same move one writes it, and a person's pause that came
// in between holds it.
func (l *Log) MayMove(experiment string, iteration uint32, m Move, now time.Time) bool {
	r := l.Ramp(experiment, iteration)
	last := r.Last.Decided.Ramp
	if r.Killing || last != nil && last.Revert && (r.Last.Open() || r.Last.State == Verified) {
		return false
	}
	_, snoozed := l.Snoozed(experiment, now)
	switch {
	case m.Revert:
		return m.ByHand || !snoozed && !(last != nil && last.Revert) // a guard tries once
	case last != nil && last.Revert:
		return false
	case r.Paused != nil || r.Last.Open() && last != nil || r.Stuck() || snoozed:
		return false
	default:
		return last == nil || last.Step < m.Step || !r.Last.Ended
	}
}

// ramped folds in a line about a ramp.
func (l *Log) ramped(run runKey, e Entry) {
	if l.ramps == nil {
		l.ramps = map[runKey]*RampLog{}
	}
	r := l.ramps[run]
	if r == nil {
		r = &RampLog{}
		l.ramps[run] = r
	}
	switch e.Kind {
	case RampAdvance, RampRevert:
		for i := range l.moves {
			if k := &l.moves[i]; k.Decided.Experiment == e.Experiment && k.Decided.Iteration == e.Iteration && k.Open() {
				k.Superseded = true
			}
		}
		l.moves = append(l.moves, Kill{Decided: e, State: e.Kind, Actor: e.Actor, Touched: e.At})
	case RampApproved:
		r.Approved = e.Ramp
	case RampPause:
		r.Paused = &e
	case RampResume:
		r.Paused, r.Resumed = nil, e.At
	}
}

// Supersedes is the move before a revert that may still be on its way; false without one.
func (l *Log) Supersedes(k Kill) (before Kill, ok bool) {
	for i := range l.moves {
		if m := l.moves[i]; m.Superseded && m.Decided.Seq < k.Decided.Seq && m.Decided.Experiment == k.Decided.Experiment && m.Decided.Iteration == k.Decided.Iteration {
			before, ok = m, true
		}
	}
	return before, ok
}
