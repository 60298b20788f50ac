package report

import (
	"fmt"
	"math"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/words"
)

// Waiting says how long it takes until there is something to decide, if units go on
// coming as they do; "" where nothing is waited for.
func (e Entry) Waiting() string {
	if e.Document == nil || e.Iteration == nil {
		return ""
	}
	b := e.Box()
	if b.Settled || b.Call == catalog.Ship || b.Call == catalog.Stop {
		return ""
	}
	c, ok := e.slowest()
	if !ok {
		return ""
	}
	left := c.Plan - float64(c.Units)
	days := left / c.PerDay
	full := e.Until.Add(time.Duration(days * float64(24*time.Hour)))
	pace := fmt.Sprintf("%s units of %s and %s are planned; %s are in, and about %s come in a day",
		words.Count(int64(c.Plan)), c.Arm, e.Document.Control, words.Count(c.Units), words.Count(int64(math.Round(c.PerDay))))
	switch until := e.Iteration.EnrolUntil; {
	case left <= 0:
		return fmt.Sprintf("The planned %s units are in; what is not shown once their windows are complete, on %s at the latest, will hardly be shown.", words.Count(int64(c.Plan)), e.day(e.Iteration.End))
	case full.After(until) && !e.Until.Before(until):
		return fmt.Sprintf("%s units of %s and %s were planned, %s are in, and no more are taken in; the last windows are complete on %s.",
			words.Count(int64(c.Plan)), c.Arm, e.Document.Control, words.Count(c.Units), e.day(e.Iteration.End))
	case full.After(until):
		expected := float64(c.Units) + c.PerDay*until.Sub(e.Until).Hours()/24
		return fmt.Sprintf("%s. Units are taken in until %s: by then it will be about %.0f %% of the plan.", pace, e.day(until), 100*expected/c.Plan)
	}
	if days < 1 {
		return fmt.Sprintf("%s units of %s and %s are planned; %s are in, and the rest comes within a day.",
			words.Count(int64(c.Plan)), c.Arm, e.Document.Control, words.Count(c.Units))
	}
	decided := full.Add(time.Duration(c.Window * float64(24*time.Hour)))
	return fmt.Sprintf("%s: the plan is full in about %s, on %s, and its last windows are complete on %s.",
		pace, daysText(days), e.day(full), e.day(decided))
}

// slowest is the goal whose planned units are the farthest away.
func (e Entry) slowest() (planning.Comparison, bool) {
	var found planning.Comparison
	ok := false
	for _, c := range planning.FromLook(e.Experiment.AsOf(e.Iteration), e.Iteration, e.Document, 0) {
		goal := false
		for _, name := range e.Experiment.Goals {
			goal = goal || name == c.Metric
		}
		if !goal || !(c.Plan > 0) || !(c.PerDay > 0) {
			continue
		}
		if !ok || (c.Plan-float64(c.Units))/c.PerDay > (found.Plan-float64(found.Units))/found.PerDay {
			found, ok = c, true
		}
	}
	return found, ok
}

// day writes a time's day in the report's zone.
func (e Entry) day(t time.Time) string { return t.In(e.where()).Format("2 January") }

func (e Entry) where() *time.Location {
	if e.zone == nil {
		return time.UTC
	}
	return e.zone
}

func daysText(days float64) string {
	return fmt.Sprintf("%d days", int(math.Ceil(days)))
}
