package pages

import (
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// callWord is what to do, in the largest letters of a page.
func callWord(c catalog.Call, s catalog.State) string {
	switch {
	case c == catalog.Stop && s == catalog.Killed:
		return "Stopped"
	case c == catalog.Stop:
		return "Stop"
	case c == catalog.Ship:
		return "Ship"
	case c == catalog.KeepRunning:
		return "Keep running"
	}
	return "Cannot tell"
}

// callText is what to do in a sentence, beside the word.
func callText(text string, s catalog.State) string {
	if s == catalog.Killed {
		return sentence(strings.TrimPrefix(text, "Stopped: "))
	}
	return text
}

func callTone(c catalog.Call) catalog.Tone {
	switch c {
	case catalog.Ship:
		return catalog.Good
	case catalog.Stop:
		return catalog.Bad
	case catalog.CannotTell:
		return catalog.Warn
	}
	return catalog.Neutral
}

// healthWord says how an experiment is.
func healthWord(f catalog.Fitness) string {
	switch f {
	case catalog.Breached:
		return "Harm shown"
	case catalog.BrokenSplit:
		return "Split broken"
	case catalog.Blind:
		return "Blind"
	case catalog.Failed:
		return "Not judged"
	case catalog.Crossed:
		return "Too many crossovers"
	case catalog.Unlooked:
		return "No look yet"
	case catalog.Warned:
		return "Warning"
	case catalog.Unguarded:
		return "No guardrail"
	case catalog.Healthy:
		return "Healthy"
	}
	return "Harm not ruled out"
}

func healthTone(f catalog.Fitness) catalog.Tone {
	switch f {
	case catalog.Breached, catalog.BrokenSplit:
		return catalog.Bad
	case catalog.Blind, catalog.Failed, catalog.Crossed, catalog.Warned:
		return catalog.Warn
	case catalog.Healthy:
		return catalog.Good
	}
	return catalog.Neutral
}

func stateWord(s catalog.State) string {
	switch s {
	case catalog.Scheduled:
		return "Not started"
	case catalog.Running:
		return "Running"
	case catalog.Maturing:
		return "No new units"
	case catalog.Killed:
		return "Stopped"
	}
	return "Ended"
}

// needsSomebody tells whether a person has to look at an experiment now.
func needsSomebody(r *catalog.Row) bool {
	if r.State == catalog.Ended || r.State == catalog.Scheduled || r.State == catalog.Killed {
		return false
	}
	tone := healthTone(r.Health)
	return tone == catalog.Bad || tone == catalog.Warn
}

// link is a part of the pages in their navigation.
type link struct{ Name, Link, Label string }

var parts = []link{
	{"list", "/", "Experiments"}, {"effects", "/effects", "What was found"}, {"decisions", "/decisions", "Decisions"}, {"data", "/data", "Data health"},
	{"planner", "/planner", "Planner"}, {"explain", "/explain", "Explain"},
}

// diagnostics are the sections of a report that say what else was seen; the others say
// how the numbers came about.
var diagnostics = []string{"aside", "slow", "days", "placebo", "beliefs"}

// margin is what a guardrail tolerates.
func margin(v results.Verdict) string {
	if v.Relative {
		return words.Share(results.Number(v.Margin))
	}
	return words.Plain(results.Number(v.Margin))
}

// lag is a delay in seconds.
func lag(seconds float64) string {
	if seconds < 1 {
		return "less than 1 s"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// findingTone is the colour of what became of an event.
func findingTone(finding string) catalog.Tone {
	switch finding {
	case "counted", "first_exposure", "exposure":
		return catalog.Good
	case "dead", "crossover", "unknown_variant", "misplaced":
		return catalog.Warn
	}
	return catalog.Neutral
}

// mostPoints is how many points of a plot are also listed as numbers.
const mostPoints = 30

// thinned keeps some of the points, the newest among them, newest first.
func thinned(points []plots.Point) []plots.Point {
	var out []plots.Point
	every := (len(points) + mostPoints - 1) / mostPoints
	for i := len(points) - 1; i >= 0; i -= max(every, 1) {
		out = append(out, points[i])
	}
	return out
}
