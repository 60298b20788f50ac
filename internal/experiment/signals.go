package experiment

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
)

// Signal is a number of the services behind an experiment, read every few seconds and
// kept beside the share of traffic that is exposed. It is about all requests, not about
// arms: it compares nothing and never kills. Where it is read stands in the operator's
// configuration.
type Signal struct {
	Name      string    `json:"name"`
	Query     string    `json:"query,omitempty"`     // PromQL with one number as its answer; "": a health check
	Health    string    `json:"health,omitempty"`    // name of an endpoint in the operator's configuration: 1 when it answers 2xx, else 0
	Unit      string    `json:"unit,omitempty"`      // of measure
	Direction Direction `json:"direction,omitempty"` // which way is good; "": neither
	Max       *float64  `json:"max,omitempty"`       // above it the breaker trips; nil: no such limit
	Min       *float64  `json:"min,omitempty"`       // below it
	Hold      int64     `json:"hold"`                // so many readings in a row
	OnBreach  OnTrip    `json:"on_breach"`
}

// OnTrip is what a tripped breaker leads to.
type OnTrip string

// The policies. Neither kills, and none advances a ramp.
const (
	WarnOnTrip  OnTrip = "warn"  // people are told
	PauseOnTrip OnTrip = "pause" // and a ramp waits
)

// DirectionOf is which way is good: as written, or away from the one limit.
func (s *Signal) DirectionOf() Direction {
	switch {
	case s.Direction != "":
		return s.Direction
	case s.Health != "", s.Min != nil && s.Max == nil:
		return Increase
	case s.Max != nil && s.Min == nil:
		return Decrease
	}
	return ""
}

// Guarded tells whether anything trips a breaker.
func (s *Signal) Guarded() bool { return s.Health != "" || s.Max != nil || s.Min != nil }

const (
	maxSignals  = 20
	defaultHold = 3
	// MaxHold bounds the readings that a breaker waits for.
	MaxHold = 100
)

func signalFields() []field[Signal] {
	type t = Signal
	return []field[t]{
		must(as("name", name(), func(s *t) *string { return &s.Name }, "Its name, once in the file.")),
		as("query", text(), func(s *t) *string { return &s.Query }, "PromQL whose answer is one number, such as sum(rate(http_requests_total{service=\"checkout\"}[1m]))."),
		as("health", name(), func(s *t) *string { return &s.Health }, "In place of a query: the name of a health endpoint in the operator's configuration; 1 when it answers 2xx, else 0."),
		as("unit", text(), func(s *t) *string { return &s.Unit }, "Unit of measure, such as s or 1/s."),
		as("direction", choice(Increase, Decrease), func(s *t) *Direction { return &s.Direction }, "Which way is good; default: away from its limit, neither without one."),
		as("max", pointer(plainNumber()), func(s *t) **float64 { return &s.Max }, "The circuit breaker trips above it; default: never."),
		as("min", pointer(plainNumber()), func(s *t) **float64 { return &s.Min }, "The circuit breaker trips below it; default: never."),
		as("hold", whole[int64](1, MaxHold), func(s *t) *int64 { return &s.Hold }, "So many readings in a row trip it, and as many within the limits close it again; default 3."),
		as("on_breach", choice(WarnOnTrip, PauseOnTrip), func(s *t) *OnTrip { return &s.OnBreach }, "A tripped breaker: warn (default) tells people, pause also holds a ramp. It never kills."),
	}
}

// plainNumber is any finite number.
func plainNumber() shape[float64] {
	return scalarShape(schema{"type": "number"}, RuleNumber, func(path, text string) (float64, string, string) {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, fmt.Sprintf("%s is %q, which is no number", path, text), "write a plain number such as 0.8, in the signal's unit"
		}
		return f, "", ""
	})
}

func (e *experimentFile) checkSignals() {
	for i := range e.Signals {
		s, at := &e.Signals[i], fmt.Sprintf("signals[%d]", i)
		if s.Name != "" && slices.ContainsFunc(e.Signals[:i], func(o Signal) bool { return o.Name == s.Name }) {
			e.refuse(at+".name", RuleSignal, s.Name+" is a signal twice", "")
		}
		switch query, health := e.written(at+".query"), e.written(at+".health"); {
		case !query && !health:
			e.refuse(at, RuleSignal, s.Name+" is read nowhere", "add query: with PromQL, or health: with the name of an endpoint")
		case query && health:
			e.refuse(at+".health", RuleSignal, s.Name+" has a query and a health check", "make two signals of them")
		}
		if s.Health != "" && (s.Max != nil || s.Min != nil || s.Direction != "") {
			e.refuse(at+".health", RuleSignal, s.Name+" is a health check: it has no limits and no direction", "its breaker trips when the endpoint does not answer 2xx")
		}
		if s.Max != nil && s.Min != nil && !(*s.Min < *s.Max) {
			e.refuse(at+".min", RuleSignal, s.Name+" has no room between min and max", "")
		}
		if s.OnBreach == PauseOnTrip && !s.Guarded() {
			e.refuse(at+".on_breach", RuleSignal, s.Name+" has no limit that could be breached", "add max: or min:")
		}
	}
}

// signals compares what is read beside an experiment. It is free at any time: nothing
// that is counted depends on it.
func (c *changeList) signals(was, is []Signal) {
	find := func(list []Signal, name string) *Signal {
		if i := slices.IndexFunc(list, func(s Signal) bool { return s.Name == name }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	for i := range is {
		if old := find(was, is[i].Name); old == nil {
			c.add(false, "new signal %s", is[i].Name)
		} else if !reflect.DeepEqual(*old, is[i]) {
			c.add(false, "signal %s edited", is[i].Name)
		}
	}
	for i := range was {
		if find(is, was[i].Name) == nil {
			c.add(false, "signal %s taken out", was[i].Name)
		}
	}
}
