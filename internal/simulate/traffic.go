package simulate

import (
	"container/heap"
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// tick is how often the traffic looks at its clock.
const tick = 10 * time.Millisecond

// askers is how many assignments are asked for at a time.
const askers = 4

// Assigner tells which variant of a flag a unit gets, "" when it is off.
type Assigner interface {
	Assign(ctx context.Context, flag, unit string) (variant string, err error)
}

// Emitter takes the records of the traffic. Emit must not wait for long: the
// traffic waits with it.
type Emitter interface {
	Emit(ctx context.Context, topic Topic, key, value []byte) error
}

// Traffic is the product with its users.
type Traffic struct {
	Stories []Story
	Seed    uint64
	// Prefix begins every unit and record id. Two runs into the same topics
	// need two prefixes, or the second one's users were all seen before.
	Prefix string
	Flags  Assigner
	Sink   Emitter
}

// Tally counts what the traffic did.
type Tally struct {
	Visitors   int // who arrived for the first time
	Assigned   int // visits that got a variant
	Off        int // visits to a flag that was off
	Unanswered int // visits for which the flag service gave no answer
	Records    int // sent, with repeats and broken ones
}

// Run sends traffic until the context ends, which is no error. Records that are
// still on their way then are lost, as with any product that is switched off.
func (t *Traffic) Run(ctx context.Context) (Tally, error) {
	r := &run{Traffic: t, start: time.Now(), arrived: make([]int, len(t.Stories))}
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return r.tally, nil
		case <-clock.C:
			err := r.step(ctx, time.Now())
			if err != nil && ctx.Err() == nil {
				return r.tally, err
			}
		}
	}
}

// run is the state of one Run. It is used by one goroutine.
type run struct {
	*Traffic
	start   time.Time
	arrived []int // visitors so far, by story
	number  uint64
	agenda  agenda
	tally   Tally
}

// step does everything that is due: new visitors, those who come back, and
// records that arrive.
func (r *run) step(ctx context.Context, now time.Time) error {
	visitors := r.arrivals(now)
	var due []entry
	for len(r.agenda) > 0 && !r.agenda[0].at.After(now) {
		e := heap.Pop(&r.agenda).(entry)
		if r.stopped(e.story, now) {
			continue
		}
		if e.back != nil {
			visitors = append(visitors, *e.back)
		} else {
			due = append(due, e)
		}
	}
	for _, e := range due {
		if err := r.Sink.Emit(ctx, e.record.Topic, e.record.Key, e.record.Value); err != nil {
			return fmt.Errorf("send an event: %w", err)
		}
		r.tally.Records++
	}
	return r.visit(ctx, visitors, now)
}

// arrivals lists the visitors who are due since the last step. After a long
// pause (a machine that slept) at most a second's worth comes at once.
func (r *run) arrivals(now time.Time) []Visitor {
	var out []Visitor
	for i := range r.Stories {
		s := &r.Stories[i]
		if r.stopped(s, now) {
			continue
		}
		should := int(now.Sub(r.start).Seconds() * s.Rate)
		r.arrived[i] = max(r.arrived[i], should-int(math.Ceil(s.Rate)))
		for ; r.arrived[i] < should; r.arrived[i]++ {
			r.number++
			unit := r.Prefix + "u" + strconv.FormatUint(r.number, 10)
			out = append(out, Visitor{Unit: unit, Story: s, Number: r.number})
		}
	}
	return out
}

func (r *run) stopped(s *Story, now time.Time) bool {
	return s.Stops > 0 && now.Sub(r.start) >= s.Stops
}

// visit asks for the variants, a few at a time, and puts what follows on the agenda.
func (r *run) visit(ctx context.Context, visitors []Visitor, now time.Time) error {
	variants, errs := make([]string, len(visitors)), make([]error, len(visitors))
	var group errgroup.Group
	group.SetLimit(askers)
	for i, v := range visitors {
		group.Go(func() error {
			variants[i], errs[i] = r.Flags.Assign(ctx, v.Story.Key, v.Unit)
			return nil
		})
	}
	_ = group.Wait() // errors are kept for each visitor: one failure stops nobody else
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, v := range visitors {
		r.count(v, variants[i], errs[i])
		records, again, back := Visit(r.Seed, v, variants[i], now)
		for _, d := range records {
			heap.Push(&r.agenda, entry{at: d.At, story: v.Story, record: d})
		}
		if !back.IsZero() {
			heap.Push(&r.agenda, entry{at: back, story: v.Story, back: &again})
		}
	}
	return nil
}

func (r *run) count(v Visitor, variant string, err error) {
	if !v.Returned {
		r.tally.Visitors++
	}
	switch {
	case err != nil:
		r.tally.Unanswered++
	case variant == "":
		r.tally.Off++
	default:
		r.tally.Assigned++
	}
}
