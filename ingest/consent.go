package ingest

import (
	"github.com/assay-dev/assay/internal/experiment"
)

// What an event may say of its unit's consent. One that says nothing, or something
// else, is of unknown consent.
const (
	ConsentGranted     = experiment.ConsentGranted
	ConsentDenied      = experiment.ConsentDenied
	ConsentUnknown     = experiment.ConsentUnknown
	ConsentNotRequired = experiment.ConsentNotRequired
)

// consent is what a record says; "" for nothing that is known.
func (f *fields) consent() string {
	t := &f.tokens[fieldConsent]
	if t.kind != text {
		return ""
	}
	switch string(f.text(t)) {
	case ConsentGranted:
		return ConsentGranted
	case ConsentDenied:
		return ConsentDenied
	case ConsentUnknown:
		return ConsentUnknown
	case ConsentNotRequired:
		return ConsentNotRequired
	}
	return ""
}

// consentIn is what an event says of consent.
func consentIn(attrs []Attr) string {
	for i := range attrs {
		if attrs[i].Name == Consent {
			return attrs[i].Value
		}
	}
	return ConsentUnknown
}

// consentOf is what a row says of consent.
func consentOf(attrs []byte) string {
	if v, ok := attr(attrs, Consent); ok {
		return string(v)
	}
	return ConsentUnknown
}

// Anonymous tells whether the event was stripped. No unit's hash is zero.
func (e *Event) Anonymous() bool { return e.Unit == Unit{} }

// Strip takes away whose event it is: the unit, the id, the attributes, and of an
// outcome the value. Times are left to the minute. What identifies a copied record is
// the place from which it was copied, which says nothing of the unit.
func (e *Event) Strip() {
	e.Unit, e.Value, e.ID = Unit{}, Value{}, ""
	e.T = minuteOf(e.T)
	if e.KafkaT >= 0 {
		e.KafkaT = minuteOf(e.KafkaT)
	}
	if o := e.Origin; o.Copied {
		e.ID = Copy{Partition: o.Partition, Offset: o.Offset, Index: o.Index}.id("")
	}
	e.Attrs = []Attr{{Name: Consent, Value: consentIn(e.Attrs)}}
}

const minute = 60_000

func minuteOf(t int64) int64 { return slotStart(t, minute) }

// refuses tells whether an exposure that says this of consent does not count for its
// unit. The iteration of its own time decides; outside of all it counts for nobody.
func (t *trial) refuses(consent string, at int64) bool {
	if !t.asks {
		return false
	}
	i := t.covering(at)
	return i >= 0 && !t.runs[i].consent.Accepts(consent)
}

// Admission is what a version says of an event before it is stored.
type Admission struct {
	floors Floors
	asks   map[string]*asking // experiments that ask for consent, now or in an iteration
}

// asking is what an experiment asks for at its times.
type asking struct {
	now   experiment.Consent
	spans []consentSpan
}

type consentSpan struct {
	start, end int64
	consent    experiment.Consent
}

// AdmissionOf is that of a version, nil: of none.
func AdmissionOf(v *experiment.Version) Admission {
	a := Admission{floors: FloorsOf(v)}
	if v == nil {
		return a
	}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		x := &asking{now: e.Consent}
		asks := e.Consent.Asks()
		for k := range e.Iterations {
			it := &e.Iterations[k]
			then := e.AsOf(it).Consent
			x.spans = append(x.spans, consentSpan{it.Start.UnixMilli(), it.End.UnixMilli(), then})
			asks = asks || then.Asks()
		}
		if !asks {
			continue
		}
		if a.asks == nil {
			a.asks = map[string]*asking{}
		}
		a.asks[e.Key] = x
	}
	return a
}

func (x *asking) at(t int64) experiment.Consent {
	for i := range x.spans {
		if s := &x.spans[i]; t >= s.start && t < s.end {
			return s.consent
		}
	}
	return x.now
}

// Admit strips an exposure that lacks the consent its experiment requires, or makes a
// dead letter of an event from below the floor. size is the record's.
func (a *Admission) Admit(e *Event, size int) *Dead {
	if why := BelowFloor(e, &a.floors, size); why != nil {
		return why
	}
	if a.asks == nil || e.Type != Exposure {
		return nil
	}
	if x := a.asks[e.Experiment]; x != nil && !x.at(e.T).Accepts(consentIn(e.Attrs)) {
		e.Strip()
	}
	return nil
}

// nameless are the exposures that were stored without their unit. Nothing is kept of
// one but the minute in which it happened, so all of them fit into memory, and another
// version's counts can be computed.
type nameless struct {
	kinds  map[namelessKind]map[int64]*namelessDay // by day
	copies map[identity]struct{}                   // of records that were keyed anew, which may be there twice
	days   int
}

type namelessKind struct{ experiment, variant, unitKind, consent string }

// namelessDay counts the exposures of each minute of a day.
type namelessDay [24 * 60]uint32

const day = 24 * 60 * minute

// add counts an exposure; false when it was there before.
func (n *nameless) add(e *Event, id identity) bool {
	if id != 0 {
		if _, again := n.copies[id]; again {
			return false
		}
		if n.copies == nil {
			n.copies = map[identity]struct{}{}
		}
		n.copies[id] = struct{}{}
	}
	if e.Type != Exposure {
		return true
	}
	k := namelessKind{e.Experiment, e.Variant, e.UnitKind, consentIn(e.Attrs)}
	days := n.kinds[k]
	if days == nil {
		if n.kinds == nil {
			n.kinds = map[namelessKind]map[int64]*namelessDay{}
		}
		days = map[int64]*namelessDay{}
		n.kinds[k] = days
	}
	begin := slotStart(e.T, day)
	if days[begin] == nil {
		days[begin] = new(namelessDay)
		n.days++
	}
	days[begin][(e.T-begin)/minute]++
	return true
}

func (n *nameless) size() int64 {
	const dayBytes, kindBytes, copyBytes = 24*60*4 + 64, 256, 24
	return int64(n.days)*dayBytes + int64(len(n.kinds))*kindBytes + int64(len(n.copies))*copyBytes
}

// addAnonymous is add for an event without a unit.
func (j *Joiner) addAnonymous(e *Event, id identity) Fate {
	if !j.nameless.add(e, id) {
		return Duplicate
	}
	if e.Type != Exposure {
		return Accepted
	}
	if t := j.trials[j.symbol(e.Experiment)]; t != nil {
		r := j.sightingOf(e.UnitKind, e.Variant, consentIn(e.Attrs), e.T)
		j.postNameless(t, &r, 1)
	}
	return Accepted
}

func (j *Joiner) sightingOf(unitKind, variant, consent string, at int64) sighting {
	return sighting{kind: j.symbol(unitKind), variant: j.symbol(variant), at: at, consent: consent, refused: true}
}

// postNameless adds n exposures of one minute, or takes them back when n is negative.
func (j *Joiner) postNameless(t *trial, r *sighting, n int64) {
	c, _ := t.ofSighting(r)
	newest := r.at
	if n < 0 {
		newest = 0
	}
	j.tally.count(c, n, newest)
}

// postAnonymous adds what the exposures without a unit give to some experiments, or
// takes it back.
func (j *Joiner) postAnonymous(trials map[uint32]*trial, sign int64) {
	for k, days := range j.nameless.kinds {
		t := trials[j.symbol(k.experiment)]
		if t == nil {
			continue
		}
		floor := j.floors.under(j.symbol(k.unitKind))
		for begin, counts := range days {
			for i, n := range counts {
				if at := begin + int64(i)*minute; n > 0 && at >= floor {
					r := j.sightingOf(k.unitKind, k.variant, k.consent, at)
					j.postNameless(t, &r, sign*int64(n))
				}
			}
		}
	}
}
