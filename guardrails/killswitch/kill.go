package killswitch

import (
	"context"
	"errors"
	"time"
)

// kill is one run of the engine. Its stages are methods that return the next
// one, nil at the end; the picture is in the package's documentation.
type kill struct {
	*Switch
	request Request
	words   words
	until   time.Time

	out  Outcome
	err  error
	last Kind // how it would end if the time were up now

	kept     bool          // what is overwritten was handed over
	left     time.Time     // when the plan's last call left that can turn it off
	claim    string        // what the answer said that accepted the call
	readWait time.Duration // how long the last read was asked to wait for the next
	setbacks int           // pauses so far, for the length of the next
	// maybe is when the first call left that got no clear answer and may have
	// been applied all the same; zero once the switch has read as on after it.
	maybe time.Time
}

// words are those of a run: what it wants the switch to read as, and the rest.
type words struct{ already, wanted, unwanted, did string }

func offWords() words { return words{"it was off already", "off", "on", "turned it off"} }

type stage func(context.Context) stage

// look avoids a call that is not needed: some systems write, or fail, when they
// turn off what is off. A state that cannot be read is no reason to wait.
func (k *kill) look(ctx context.Context) stage {
	if state, _ := k.readBack(ctx); state == StateOff {
		return k.end(AlreadyOff, k.words.already)
	}
	return k.send
}

// follow goes where the answer to the call that left at a time points.
func (k *kill) follow(class Class, at time.Time, wait time.Duration) stage {
	switch class {
	case ClassAccepted:
		k.out.SentAt, k.claim, k.last, k.setbacks = at, k.out.Detail, Unknown, 0
		k.tell(Accepted, at)
		return k.confirm
	case ClassFault:
		return k.suspect(at, wait)
	case ClassConflict:
		k.last = Conflict
		return k.doubt(wait)
	case ClassRateLimited:
		k.last = RateLimited
		return k.pause(wait, k.send)
	case ClassTooEarly:
		k.last = Unknown
		return k.pause(wait, k.send)
	case ClassMisdirected:
		k.out.Detail += "; redirects are not followed, name the final address"
		return k.conclude(Unknown)
	default:
		return k.conclude(final(class))
	}
}

// suspect remembers that the call may have been applied.
func (k *kill) suspect(at time.Time, wait time.Duration) stage {
	k.last = Unknown
	if k.maybe.IsZero() {
		k.maybe = at
	}
	return k.doubt(wait)
}

// doubt reads back before it tries again: a call without an answer may have
// done its work, and a conflict may mean that somebody else was faster.
func (k *kill) doubt(wait time.Duration) stage {
	return func(ctx context.Context) stage {
		state, _ := k.readBack(ctx)
		switch {
		case state == StateOff && k.maybe.IsZero():
			return k.end(AlreadyOff, k.out.Detail+"; it now reads as "+k.words.wanted)
		case state == StateOff:
			k.out.SentAt = k.maybe
			return k.end(Applied, k.out.Detail+"; it reads as "+k.words.wanted+" all the same")
		case state == StateOn:
			k.maybe = time.Time{}
		}
		return k.pause(max(wait, k.readWait), k.send)
	}
}

// conclude ends without success, unless an earlier call that got no clear answer
// turns out to have done the work after all.
func (k *kill) conclude(kind Kind) stage {
	return func(ctx context.Context) stage {
		if !k.maybe.IsZero() && k.out.SentAt.IsZero() {
			if state, _ := k.readBack(ctx); state == StateOff {
				k.out.SentAt = k.maybe
				return k.end(Applied, k.out.Detail+"; an earlier call "+k.words.did)
			}
		}
		return k.end(kind, k.out.Detail)
	}
}

// confirm reads until the claim proves true. The call is not repeated: it was
// accepted, and a system that ignored it would ignore the same key again.
func (k *kill) confirm(ctx context.Context) stage {
	state, err := k.readBack(ctx)
	switch {
	case state == StateOff:
		return k.end(Applied, k.claim)
	case err == nil:
		k.out.Detail = "accepted (" + k.claim + "), but it still reads as " + k.words.unwanted
	default:
		k.out.Detail = "accepted (" + k.claim + "), not verified: " + err.Error()
	}
	if errors.Is(err, ErrNoReadBack) {
		return k.end(Unknown, k.out.Detail)
	}
	return k.pause(k.readWait, k.confirm)
}

// pause waits for the next stage: at least as long as the system asked for,
// and longer every time. A wait that would pass the deadline ends the kill at
// once, since a person should hear of it now and not later.
func (k *kill) pause(asked time.Duration, next stage) stage {
	return func(ctx context.Context) stage {
		wait := max(asked, backoff(k.setbacks+1, k.world.Random()))
		if wait >= k.until.Sub(k.world.Now()) {
			return k.conclude(k.last)
		}
		k.setbacks++
		if err := k.world.Sleep(ctx, wait); err != nil {
			return k.fail(err)
		}
		return next
	}
}

// readBack reads the state, if the vendor can, and notes when it was off.
func (k *kill) readBack(ctx context.Context) (State, error) {
	step, ok := k.vendor.Read(k.request.Target)
	if !ok {
		return StateUnknown, ErrNoReadBack
	}
	reply, err := k.read(ctx, step, k.until)
	k.readWait = reply.Wait
	k.remember(reply)
	if reply.State == StateOff {
		k.out.ReadBackAt = k.world.Now()
		k.tell(Verified, k.out.ReadBackAt)
	}
	return reply.State, err
}

func (k *kill) tell(s Stage, at time.Time) {
	if k.request.Progress != nil {
		k.request.Progress(s, at)
	}
}

func (k *kill) end(kind Kind, detail string) stage {
	k.out.Kind, k.out.Detail = kind, detail
	if kind != Applied && kind != Unknown {
		k.out.Saved = "" // nothing of ours was written over it
	}
	return nil
}

func (k *kill) fail(err error) stage {
	k.err = err
	return k.end(Unknown, err.Error())
}

// final is the ending of an answer that no retry can change.
func final(class Class) Kind {
	switch class {
	case ClassPendingApproval:
		return PendingApproval
	case ClassDenied:
		return Denied
	case ClassNotFound:
		return NotFound
	default:
		return Unknown
	}
}
