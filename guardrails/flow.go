package guardrails

import (
	"slices"
	"time"
)

// What a flow must have shown before its end is told from a pause, and how long a pause
// must be. A stop is told when, at a fifth of the rate before, stopEvents were due: at
// that rate the chance of none is e^−20, and with the rate learned from 60 events alone
// still below one in ten million: (1 + 100/60/5)^−60.
const (
	flowSpan   = 30 * time.Second // and
	flowEvents = 60               // make a stretch to compare with
	stopSlower = 5
	stopEvents = 20
	stopLeast  = 15 * time.Second
	stopEach   = 7 // due in each arm alone, so that one arm's total loss is not taken for a stop
)

// flow is one kind of event over time: cumulative counts by arm, of units and of those
// with an event. For exposures the two are the same.
type flow struct {
	from flowMark // where the stretch that is being measured began
	last flowMark // when the counts last grew
	ref  flowRate // the last complete stretch
	// The two before it: what changes in the middle of one is seen against the other.
	before [2]flowRate
}

type flowMark struct {
	at            time.Time
	units, events []int64   // by arm
	values        []float64 // Σy by arm; nil where it says nothing
}

// flowRate is how much came in a stretch.
type flowRate struct {
	span          time.Duration
	units, events []int64
	values        []float64
}

// see takes in the counts of a look and tells whether they completed a stretch. values
// is asked only then.
func (f *flow) see(at time.Time, units, events []int64, values func() []float64) (complete bool) {
	now := flowMark{at: at, units: units, events: events}
	if f.from.at.IsZero() || len(f.from.events) != len(events) {
		now.values = values()
		*f = flow{from: now.clone(), last: now.clone()}
		return false
	}
	switch was, is := sum(f.last.events), sum(events); {
	case is < was: // taken back: crossovers, earlier exposures
		copy(f.last.events, events)
		return false
	case is == was:
		return false
	}
	f.last.at = at
	copy(f.last.units, units)
	copy(f.last.events, events)
	if at.Sub(f.from.at) < flowSpan || sum(events)-sum(f.from.events) < flowEvents {
		return false
	}
	now.values = values()
	f.before, f.ref = [2]flowRate{f.ref, f.before[0]}, now.since(f.from)
	f.from = now.clone()
	return true
}

func (m flowMark) clone() flowMark {
	return flowMark{m.at, slices.Clone(m.units), slices.Clone(m.events), slices.Clone(m.values)}
}

func (m flowMark) since(from flowMark) flowRate {
	r := flowRate{span: m.at.Sub(from.at), units: minus(m.units, from.units), events: minus(m.events, from.events)}
	if len(m.values) == len(from.values) {
		for i := range m.values {
			r.values = append(r.values, m.values[i]-from.values[i])
		}
	}
	return r
}

func minus(a, b []int64) []int64 {
	out := make([]int64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

func sum(xs []int64) (total int64) {
	for _, x := range xs {
		total += x
	}
	return total
}

// perSecond is the rate of events; 0 when nothing is known of it.
func (r flowRate) perSecond() float64 {
	if r.span <= 0 {
		return 0
	}
	return float64(sum(r.events)) / r.span.Seconds()
}

// stopped tells whether nothing came for too long to be a pause, and how many were due.
func (f *flow) stopped(at time.Time) (due float64, yes bool) {
	gap := at.Sub(f.last.at)
	due = f.ref.perSecond() * gap.Seconds()
	return due, gap >= stopLeast && due >= stopSlower*stopEvents
}

// stoppedWhile tells the same of events of units that go on: by the units that came
// since, in all arms together and in each alone.
func (f *flow) stoppedWhile(at time.Time, units []int64) (due float64, yes bool) {
	if _, yes = f.stopped(at); !yes || sum(f.ref.units) <= 0 {
		return 0, false
	}
	share := float64(sum(f.ref.events)) / float64(sum(f.ref.units))
	for i, n := range units {
		here := share * float64(n-f.last.units[i])
		due += here
		yes = yes && (here >= stopEach || n == 0)
	}
	return due, yes && due >= stopSlower*stopEvents
}

// wait is within how long a stop would be told at the rate of the flow; 0: not yet.
func (f *flow) wait() time.Duration {
	rate := f.ref.perSecond()
	if rate <= 0 {
		return 0
	}
	return max(stopLeast, time.Duration(stopSlower*stopEvents/rate*float64(time.Second)))
}

// waitWhile is the same where each arm must have been due some.
func (f *flow) waitWhile() time.Duration {
	wait := f.wait()
	if wait == 0 {
		return 0
	}
	events, units := float64(sum(f.ref.events)), float64(sum(f.ref.units))
	for _, n := range f.ref.units {
		if n > 0 {
			each := stopEach * units / (events * float64(n)) * f.ref.span.Seconds()
			wait = max(wait, time.Duration(each*float64(time.Second)))
		}
	}
	return wait
}

// jumped tells whether, in every arm, the units with an event became so many times as
// many as in a stretch before: by the units and by the time, since outcomes that come
// late make the one grow when enrolment ebbs, and a ramp the other.
func (f *flow) jumped() bool { return f.ref.jumped(f.before[0]) || f.ref.jumped(f.before[1]) }

func (r flowRate) jumped(was flowRate) bool {
	if was.span <= 0 || r.perSecond() < jumpFactor*was.perSecond() {
		return false
	}
	for i := range r.events {
		if was.units[i] <= 0 || r.units[i] <= 0 || r.events[i] < jumpEvents ||
			float64(r.events[i])/float64(r.units[i]) < jumpFactor*float64(was.events[i])/float64(was.units[i]) {
			return false
		}
	}
	return true
}

// jumpedValues tells whether, in every arm, the value of a unit with an event became so
// many times as large, or as small.
func (f *flow) jumpedValues() (factor float64, yes bool) {
	if factor, yes = f.ref.jumpedValues(f.before[0]); yes {
		return factor, true
	}
	return f.ref.jumpedValues(f.before[1])
}

func (r flowRate) jumpedValues(was flowRate) (factor float64, yes bool) {
	if len(r.values) == 0 || len(was.values) != len(r.values) {
		return 0, false
	}
	up, down := true, true
	for i := range r.values {
		if min(r.events[i], was.events[i]) < jumpEvents || was.values[i] == 0 {
			return 0, false
		}
		factor = r.values[i] / float64(r.events[i]) / (was.values[i] / float64(was.events[i]))
		up, down = up && factor >= jumpValue, down && factor*jumpValue <= 1
	}
	return factor, up || down
}

// A rate of a jump has at least jumpEvents in each arm: where 4 were due, 20 come with a
// chance below 10^−7 (Chernoff) in each arm. No such bound holds for values.
const (
	jumpEvents = 20
	jumpFactor = 5
	jumpValue  = 10
)
