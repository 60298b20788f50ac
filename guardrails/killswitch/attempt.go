package killswitch

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// send begins the vendor's plan.
func (k *kill) send(context.Context) stage {
	step, err := k.vendor.Off(k.request, k.world.Now())
	if err != nil {
		return k.fail(err)
	}
	k.left = time.Time{}
	return k.take(step)
}

// take makes one call of the plan and goes where its answer points.
func (k *kill) take(step Step) stage {
	return func(ctx context.Context) stage {
		at := k.world.Now()
		if !step.Aside {
			k.left = at
			k.out.Attempts++
			k.keep()
			k.tell(Sending, at)
		}
		answer, err := k.door.send(ctx, step.Call, k.until.Sub(at))
		if err != nil {
			return k.lose(step, err)
		}
		answer.At = k.world.Now()
		reply := step.Then(answer)
		k.note(answer, reply)
		if reply.Next != nil {
			return k.take(*reply.Next)
		}
		wait := max(reply.Wait, outbound.RetryAfter(answer.Header, answer.At))
		if step.Aside && reply.Class == ClassFault {
			return k.again(wait)
		}
		return k.follow(reply.Class, k.left, wait)
	}
}

// keep hands over what is about to be overwritten, once, while it still exists.
func (k *kill) keep() {
	if k.out.Saved != "" && !k.kept && k.request.Keep != nil {
		k.request.Keep(k.out.Saved)
		k.kept = true
	}
}

// lose goes on after a call that got no answer.
func (k *kill) lose(step Step, err error) stage {
	if step.Lost != ClassFault {
		k.out.Detail += "; then " + err.Error()
		return k.follow(step.Lost, k.left, 0)
	}
	k.out.Detail = err.Error()
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		return k.conclude(Denied)
	case step.Aside:
		return k.again(0)
	default:
		return k.suspect(k.left, 0)
	}
}

// again begins the plan anew after a call that cannot have changed anything.
func (k *kill) again(wait time.Duration) stage {
	k.last = Unknown
	return k.pause(wait, k.send)
}

// note keeps what people want to know of an answer: the last one of a plan.
func (k *kill) note(a Answer, r Reply) {
	k.out.Detail, k.out.ResponseID = k.because(r, a), responseID(a.Header)
	k.remember(r)
}

// remember keeps what any answer may add.
func (k *kill) remember(r Reply) {
	k.out.Link = cmp.Or(r.Link, k.out.Link)
	k.out.Serves = cmp.Or(r.Serves, k.out.Serves)
	k.out.Saved = cmp.Or(k.out.Saved, r.Saved) // a later attempt may find what an earlier one left
}
