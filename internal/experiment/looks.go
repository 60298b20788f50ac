package experiment

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Looks are the dates at which the goals are judged by a group-sequential design, in
// place of judging them at every look. Guardrails take no notice of them.
type Looks struct {
	Design SpendingDesign `json:"design"`
	Gamma  float64        `json:"gamma,omitempty"` // of power and hsd
	At     []time.Time    `json:"at"`              // ascending
	// Information is what a look's part of the plan is counted in; "": InPlannedUnits.
	Information Information `json:"information,omitempty"`
}

// SpendingDesign says how alpha is spent over the looks. The zero value is none.
type SpendingDesign string

// The designs.
const (
	OBrienFleming   SpendingDesign = "obrien_fleming" // Lan & DeMets 1983: next to nothing early
	Pocock          SpendingDesign = "pocock"         // Lan & DeMets 1983: nearly even
	PowerSpending   SpendingDesign = "power"          // Kim & DeMets 1987: α·t^γ
	HwangShihDeCani SpendingDesign = "hsd"            // Hwang, Shih & DeCani 1990
)

// Information is a measure of how far a plan has come.
type Information string

// InPlannedUnits is units whose windows have passed, over planned_units.
const InPlannedUnits Information = "planned_units"

// MaxLooks is the most that a file may date.
const MaxLooks = 50

// maxGamma keeps a spending function within what floats can hold.
const maxGamma = 50

// DatesOf gives the dates of the looks at an iteration, ascending: those that lie
// within it. A retrospective iteration has none, since its data was there before the
// dates were.
func (e *Experiment) DatesOf(it *Iteration) []time.Time {
	if it.Retrospective {
		return nil
	}
	var out []time.Time
	for _, at := range e.AsOf(it).Looks.At {
		if at.After(it.Start) && !at.After(it.End) {
			out = append(out, at)
		}
	}
	return out
}

func (l Looks) clone() Looks {
	l.At = slices.Clone(l.At)
	return l
}

// String is the design in one line, the same for files that mean the same.
func (l Looks) String() string {
	if l.Design == "" {
		return "none"
	}
	dates := make([]string, len(l.At))
	for i, at := range l.At {
		dates[i] = stamp(at)
	}
	out := "{design: " + string(l.Design)
	if l.Gamma != 0 {
		out += ", gamma: " + number(l.Gamma)
	}
	return out + ", at: [" + strings.Join(dates, ", ") + "]}"
}

func lookFields() []field[Looks] {
	return []field[Looks]{
		must(as("design", choice(OBrienFleming, Pocock, PowerSpending, HwangShihDeCani), func(l *Looks) *SpendingDesign { return &l.Design }, "How alpha is spent over the looks: obrien_fleming (next to nothing early), pocock (nearly even), power or hsd with gamma.")),
		as("gamma", gamma(), func(l *Looks) *float64 { return &l.Gamma }, "Of power (above 0; 1 is even, 3 close to O'Brien and Fleming) and of hsd (-4 is close to O'Brien and Fleming, 1 to Pocock)."),
		must(as("at", listOf(moment(), MaxLooks), func(l *Looks) *[]time.Time { return &l.At }, "The dates of the looks, ascending, within the newest iteration; the last one spends what is left.")),
		as("information", choice(InPlannedUnits), func(l *Looks) *Information { return &l.Information }, "What a look's part of the plan is counted in: complete units over planned_units, the default and only choice."),
	}
}

// gamma is a number of either sign; 0 would be none.
func gamma() shape[float64] {
	return scalarShape(schema{"type": []string{"number", "string"}}, RuleLooks, func(path, text string) (float64, string, string) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v == 0 || math.Abs(v) > maxGamma || math.IsNaN(v) {
			return 0, fmt.Sprintf("%s must be a number from -%d to %d other than 0, not %s", path, maxGamma, maxGamma, text), "even spending is design: power, gamma: 1"
		}
		return v, "", ""
	})
}

// checkLooks holds the dated looks against the rest of the file.
func (e *experimentFile) checkLooks() {
	l := e.Looks
	if l.Design == "" {
		return
	}
	wantsGamma := l.Design == PowerSpending || l.Design == HwangShihDeCani
	switch {
	case wantsGamma && l.Gamma == 0:
		e.refuse("looks.design", RuleLooks, fmt.Sprintf("design %s needs a gamma", l.Design), "add gamma: 3 to power, gamma: -4 to hsd; both spend little early")
	case !wantsGamma && l.Gamma != 0:
		e.refuse("looks.gamma", RuleLooks, fmt.Sprintf("design %s has no gamma", l.Design), "take it out, or use power or hsd")
	case l.Design == PowerSpending && l.Gamma < 0:
		e.refuse("looks.gamma", RuleLooks, "the gamma of power must be above 0", "1 is even, 3 spends little early")
	}
	if e.PlannedUnits == 0 {
		e.refuse("looks", RuleLooks, "dated looks spend alpha by the part of the planned units, and planned_units is not there", "`assay power` says how many units are needed")
	}
	if len(e.Goals) == 0 {
		e.refuse("looks", RuleLooks, "dated looks judge goals, and there is none", "guardrails are judged at every look in any case")
	}
	for i := 1; i < len(l.At); i++ {
		if !l.At[i].After(l.At[i-1]) {
			e.refuse(fmt.Sprintf("looks.at[%d]", i), RuleLooks, fmt.Sprintf("the look at %s is not after the one at %s", stamp(l.At[i]), stamp(l.At[i-1])), "write the dates in ascending order")
		}
	}
}

// checkDates holds the dates against the newest iteration, as far as its times are
// known.
func (e *experimentFile) checkDates(it *Iteration) {
	for i, at := range e.Looks.At {
		path := fmt.Sprintf("looks.at[%d]", i)
		switch {
		case !it.Start.IsZero() && !at.After(it.Start):
			e.refuse(path, RuleLooks, fmt.Sprintf("the look at %s is not after the start of iteration %d (%s)", stamp(at), it.Number, stamp(it.Start)), "a look is at what came before it")
		case !it.End.IsZero() && at.After(it.End):
			e.refuse(path, RuleLooks, fmt.Sprintf("the look at %s is after the end of iteration %d (%s)", stamp(at), it.Number, stamp(it.End)), "the last look may be at the end, when all windows have passed")
		}
	}
}
