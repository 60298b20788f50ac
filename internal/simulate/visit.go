package simulate

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// How untidy the world is: shares of records or of visitors.
const (
	returning  = 0.05  // visitors who come back within seconds
	crossing   = 0.004 // visitors who come back on a device that shows them the other variant
	resent     = 0.01  // records that a client sends again, with the same id
	delayed    = 0.02  // records that arrive seconds late
	malforming = 0.002 // visits with a record that nobody can read

	sessionLength = 3000 // milliseconds within which outcomes follow an arrival
)

// Visitor is one user of one experiment's page.
type Visitor struct {
	Unit     string
	Story    *Story
	Number   uint64 // which visitor of the traffic this is
	Returned bool   // this is the second visit
	Crossed  bool   // the second visit is on a device that shows the other variant
}

// Delivery is a record that arrives at a time.
type Delivery struct {
	At    time.Time
	Topic Topic
	Key   []byte
	Value []byte
}

// Visit is what follows from a visitor who arrives at a time and is shown a
// variant ("" when the flag is off): the records that arrive, and when the
// visitor comes back (zero: not at all) and how. It is a function of its
// arguments alone.
func Visit(seed uint64, v Visitor, variant string, at time.Time) (records []Delivery, again Visitor, back time.Time) {
	w := writer{Visitor: v, at: at, random: random(seed, v)}
	arm := v.Story.arm(variant)
	if v.Returned && v.Crossed && arm != nil {
		arm = v.Story.arm(v.Story.other(variant))
	}
	habits := v.Story.Base
	if arm != nil {
		habits = arm.Habits
		w.expose(arm)
	}
	if v.Returned {
		return w.records, Visitor{}, time.Time{}
	}
	for _, h := range habits {
		w.follow(h)
	}
	if w.chance(malforming) {
		w.garble()
	}
	v.Returned, v.Crossed = true, w.chance(crossing)
	if v.Crossed || w.chance(returning) {
		back = at.Add(w.within(1000, 5000))
	}
	return w.records, v, back
}

// writer collects the records of one visit.
type writer struct {
	Visitor
	at      time.Time
	random  *rand.Rand
	records []Delivery
	written int
}

func (w *writer) chance(p float64) bool { return w.random.Float64() < p }

// within draws a duration of whole milliseconds.
func (w *writer) within(low, high int) time.Duration {
	return time.Duration(low+w.random.IntN(high-low+1)) * time.Millisecond
}

// id names a record of this visitor; a client that sends again uses it again.
func (w *writer) id() string {
	w.written++
	id := w.Unit + "." + strconv.Itoa(w.written)
	if w.Returned {
		id += "r"
	}
	return id
}

// expose logs that the visitor saw a variant, unless it gets lost.
func (w *writer) expose(a *Arm) {
	device := "desktop"
	if w.chance(0.6) {
		device = "mobile"
	}
	value := exposure(w.id(), w.at, w.Unit, w.Story.Key, a.Variant, device)
	if !w.chance(a.Lost) {
		w.deliver(Exposures, value, w.at)
	}
}

// follow logs what the visitor does out of a habit.
func (w *writer) follow(h Habit) {
	for range max(h.Tries, 1) {
		if !w.chance(h.Chance) {
			continue
		}
		t := w.at.Add(w.within(50, sessionLength))
		value := outcome(w.id(), t, w.Unit, h.Event, w.amount(h))
		w.deliver(Outcomes, value, t)
	}
}

// amount draws a value in hundredths, -1 for none.
func (w *writer) amount(h Habit) int {
	if h.High == 0 {
		return -1
	}
	return h.Low + w.random.IntN(h.High-h.Low+1)
}

// deliver sends a record on its way: most arrive within a fifth of a second,
// some late, some twice.
func (w *writer) deliver(topic Topic, value []byte, t time.Time) {
	arrives := t.Add(w.within(0, 200))
	if w.chance(delayed) {
		arrives = arrives.Add(w.within(1000, 6000))
	}
	d := Delivery{arrives, topic, []byte(w.Unit), value}
	w.records = append(w.records, d)
	if w.chance(resent) {
		d.At = d.At.Add(w.within(200, 2000))
		w.records = append(w.records, d)
	}
}

// garble sends something that is not an event, as old clients do.
func (w *writer) garble() {
	forms := garbled(w.id(), w.at, w.Unit)
	form := forms[w.random.IntN(len(forms))]
	w.records = append(w.records, Delivery{w.at.Add(w.within(0, 200)), Outcomes, []byte(w.Unit), form})
}

// golden spreads neighbouring numbers over all bits of a seed.
const golden = 0x9e3779b97f4a7c15

// random is the visit's own source of chance.
func random(seed uint64, v Visitor) *rand.Rand {
	stream := v.Number << 1
	if v.Returned {
		stream++
	}
	return rand.New(rand.NewPCG(seed, stream*golden))
}
