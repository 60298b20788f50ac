package governance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Answer is how an item of readiness stands. The zero value claims nothing.
type Answer string

// The answers.
const (
	Unknown Answer = "unknown"
	Yes     Answer = "yes"
	No      Answer = "no"
)

// Item is one thing that must be so before an experiment begins. Nobody ticks it.
type Item struct {
	Name  string `json:"name"`
	Ready Answer `json:"ready"`
	Text  string `json:"text"`
	Do    string `json:"do,omitempty"` // what to do about it
}

// Readiness is what must be so before an experiment begins, and whether it is.
type Readiness struct {
	Experiment string    `json:"experiment"`
	At         time.Time `json:"at"`    // when it was computed
	Ready      bool      `json:"ready"` // nothing is answered with no
	Items      []Item    `json:"items"`
}

// Seen is how often an event of outcomes came lately.
type Seen struct {
	Count uint64
	Last  time.Time
}

// Trial is how a dry run of the kill switch went; Arm is "" for the whole.
type Trial struct {
	Arm, Trouble, Remedy string

	Ramp bool // it was the iteration's ramp that was tried
}

// Power is what planning says of a goal in an arm, at the planned units.
type Power struct {
	Metric, Arm string
	At          float64 // power at the planned units; NaN: nothing is known of the metric
}

// Facts are what readiness is computed from. A nil map or list was not looked at.
type Facts struct {
	Experiment *experiment.Experiment // as it would be in force
	Others     []experiment.Experiment
	At         time.Time
	Seen       map[string]Seen // by the name of the event
	Trials     []Trial
	Powers     []Power
	Lift       float64 // that is to be found
	Target     float64 // power, 0..1
	Sensitive  []string
}

// Ready are the items of the iteration that is to come, or that runs.
func Ready(f Facts) []Item {
	it := f.Experiment.Latest()
	if it == nil {
		return nil
	}
	return []Item{f.owner(), f.ends(it), f.data(it), f.guarded(), f.canBeOff(), f.powerful(), f.alone(it), f.private()}
}

func (f *Facts) owner() Item {
	e := f.Experiment
	var missing []string
	for _, x := range []struct{ what, text string }{
		{"objective", e.Objective}, {"hypothesis", e.Hypothesis}, {"success_criteria", e.SuccessCriteria}, {"rollback_plan", e.RollbackPlan},
	} {
		if x.text == "" {
			missing = append(missing, x.what)
		}
	}
	if len(missing) > 0 {
		return Item{"story", No, "its file does not say " + strings.Join(missing, ", "), "write them before anybody sees a result"}
	}
	return Item{"story", Yes, "owned by " + e.Owner + ", with hypothesis, criteria and a way back", ""}
}

// ends wants an end that lies ahead; one by default counts, and is told.
func (f *Facts) ends(it *experiment.Iteration) Item {
	if it.Killed != nil || !f.At.Before(it.End) {
		return Item{"end", No, fmt.Sprintf("iteration %d ended at %s", it.Number, stamp(it.End)), "add the next iteration to its file"}
	}
	return Item{"end", Yes, fmt.Sprintf("iteration %d takes units until %s and ends at %s", it.Number, stamp(it.EnrolUntil), stamp(it.End)), ""}
}

// data wants every event that its metrics count to come in.
func (f *Facts) data(it *experiment.Iteration) Item {
	if f.Seen == nil {
		return Item{"data", Unknown, "the stored events were not looked at", ""}
	}
	var silent []string
	seen := 0
	for _, name := range EventsOf(it) {
		if f.Seen[name].Count == 0 {
			silent = append(silent, name)
		} else {
			seen++
		}
	}
	if len(silent) > 0 {
		return Item{"data", No, "no such event came lately: " + strings.Join(silent, ", "), "send it, or mend the metric's event: a metric without data decides nothing, and a guardrail without data is blind"}
	}
	return Item{"data", Yes, fmt.Sprintf("all %d events that its metrics count come in", seen), ""}
}

// EventsOf are the names of the events that an iteration counts, sorted.
func EventsOf(it *experiment.Iteration) []string {
	var out []string
	for i := range it.Metrics {
		m := &it.Metrics[i]
		for _, name := range []string{m.Event, partEvent(m.Numerator), partEvent(m.Denominator)} {
			if name != "" {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func partEvent(p *experiment.Part) string {
	if p == nil {
		return ""
	}
	return p.Event
}

func (f *Facts) guarded() Item {
	e := f.Experiment
	if len(e.Guardrails) == 0 {
		return Item{"guardrails", No, "it has none: nothing would stop it", "name what must not get worse under guardrails:"}
	}
	kills := 0
	for _, g := range e.Guardrails {
		if g.Mode == experiment.Kill {
			kills++
		}
	}
	return Item{"guardrails", Yes, fmt.Sprintf("%d, of which %d may turn it off", len(e.Guardrails), kills), ""}
}

// canBeOff wants a dry run of the switch, with the flag and the token that it will need.
func (f *Facts) canBeOff() Item {
	switch {
	case f.Experiment.KillSwitch == "":
		return Item{"kill switch", No, "none is named: it can be turned off in its own system only", "name one under kill_switch:"}
	case f.Trials == nil:
		return Item{"kill switch", Unknown, "it was not tried", "run this where the switch is configured"}
	}
	for _, t := range f.Trials {
		if t.Trouble != "" {
			what := "the experiment"
			if t.Arm != "" {
				what = "arm " + t.Arm
			}
			if t.Ramp {
				return Item{"kill switch", No, "its ramp would be held: " + t.Trouble, t.Remedy}
			}
			return Item{"kill switch", No, fmt.Sprintf("turning %s off would fail: %s", what, t.Trouble), t.Remedy}
		}
	}
	return Item{"kill switch", Yes, fmt.Sprintf("%s was tried without a write: flag and token are right", f.Experiment.KillSwitch), ""}
}

func (f *Facts) powerful() Item {
	asked := fmt.Sprintf("a lift of %s with %s", percent(f.Lift), percent(f.Target))
	if len(f.Experiment.Goals) == 0 {
		return Item{"power", Yes, "it has no goal to find anything in", ""}
	}
	var weak, open []string
	for _, p := range f.Powers {
		what := p.Metric + " in " + p.Arm
		switch {
		case !(p.At >= 0): // NaN
			open = append(open, what)
		case p.At < f.Target:
			weak = append(weak, fmt.Sprintf("%s with %s", what, percent(float64(int(p.At*1000))/1000)))
		}
	}
	switch {
	case len(weak) > 0:
		return Item{"power", No, fmt.Sprintf("its planned units do not find %s: %s", asked, strings.Join(weak, ", ")), "plan more units or a longer run (`assay power`), or say that only a larger lift matters (--lift)"}
	case len(open) > 0 || len(f.Powers) == 0:
		return Item{"power", Unknown, "nothing is known of the spread of " + orAll(open), "say what is known: --metric NAME=MEAN,SD"}
	}
	return Item{"power", Yes, "its planned units find " + asked, ""}
}

func orAll(list []string) string {
	if len(list) == 0 {
		return "its goals"
	}
	return strings.Join(list, ", ")
}

// alone wants no other experiment with the same units at the same time. Assignments of
// assay tell who takes part; what others assign may or may not be apart.
func (f *Facts) alone(it *experiment.Iteration) Item {
	var sure, perhaps []string
	for i := range f.Others {
		o := &f.Others[i]
		if o.Key == f.Experiment.Key || o.UnitKind != f.Experiment.UnitKind || !f.together(it, o) {
			continue
		}
		switch {
		case apart(f.Experiment.Assignment, o.Assignment):
		case f.Experiment.Assignment.Ours() && o.Assignment.Ours():
			sure = append(sure, o.Key)
		default:
			perhaps = append(perhaps, o.Key)
		}
	}
	switch {
	case len(sure) > 0:
		return Item{"audience", No, "the same units take part in " + strings.Join(sure, ", "), "give each its part of a group (assignment.group), or other attributes (eligible), if they touch the same thing"}
	case len(perhaps) > 0:
		return Item{"audience", Unknown, "others assign the units of it or of " + strings.Join(perhaps, ", "), "see there whether they exclude one another"}
	}
	return Item{"audience", Yes, "no other experiment has its units at that time", ""}
}

func (f *Facts) together(it *experiment.Iteration, o *experiment.Experiment) bool {
	return slices.ContainsFunc(o.Iterations, func(x experiment.Iteration) bool {
		return !over(&x, f.At) && x.Start.Before(it.End) && it.Start.Before(x.End)
	})
}

// apart tells whether no unit can be in both: parts of one group that do not meet, or
// audiences that differ in an attribute, line by line.
func apart(a, b *experiment.Assignment) bool {
	if !a.Ours() || !b.Ours() {
		return false
	}
	if a.Group != nil && b.Group != nil && a.Group.Name == b.Group.Name && (a.Group.To <= b.Group.From || b.Group.To <= a.Group.From) {
		return true
	}
	if len(a.Eligible) == 0 || len(b.Eligible) == 0 {
		return false
	}
	for _, x := range a.Eligible {
		for _, y := range b.Eligible {
			if !differ(x, y) {
				return false
			}
		}
	}
	return true
}

func differ(x, y experiment.Audience) bool {
	for attribute, values := range x {
		if other, both := y[attribute]; both && !slices.ContainsFunc(values, func(v string) bool { return slices.Contains(other, v) }) {
			return true
		}
	}
	return false
}

// private wants a review where attributes are read that the operator calls sensitive.
func (f *Facts) private() Item {
	var used []string
	for _, name := range AttributesOf(f.Experiment) {
		if slices.Contains(f.Sensitive, name) {
			used = append(used, name)
		}
	}
	switch {
	case len(f.Sensitive) == 0:
		return Item{"privacy", Yes, "no attribute is called sensitive (governance.sensitive)", ""}
	case len(used) == 0:
		return Item{"privacy", Yes, "it reads no sensitive attribute", ""}
	case f.Experiment.PrivacyReview == "":
		return Item{"privacy", No, "it reads " + strings.Join(used, ", ") + ", and no review is named", "have it reviewed, and write who did and when, or its address, under privacy_review:"}
	}
	return Item{"privacy", Yes, "it reads " + strings.Join(used, ", ") + "; reviewed: " + f.Experiment.PrivacyReview, ""}
}

// AttributesOf are the attributes that an experiment reads, sorted: of dimensions,
// exclusions, covariates, audiences, and of its metrics' conditions and values.
func AttributesOf(e *experiment.Experiment) []string {
	var out []string
	add := func(place string) {
		for _, term := range experiment.CovariateTerms(place) {
			if name, ok := strings.CutPrefix(term, "attrs."); ok {
				out = append(out, name)
			}
		}
	}
	keys := func(c experiment.Condition) {
		for name := range c {
			out = append(out, name)
		}
	}
	for _, d := range e.Dimensions {
		out = append(out, d.Attribute)
	}
	for _, c := range e.Exclude {
		keys(c)
	}
	add(e.Covariate)
	if a := e.Assignment; a != nil {
		for _, au := range a.Eligible {
			for name := range au {
				out = append(out, name)
			}
		}
		for _, c := range a.Forced {
			keys(c)
		}
	}
	if it := e.Latest(); it != nil {
		for i := range it.Metrics {
			m := &it.Metrics[i]
			add(m.Value)
			add(m.Covariate)
			keys(m.Where)
			for _, p := range []*experiment.Part{m.Numerator, m.Denominator} {
				if p != nil {
					add(p.Value)
					keys(p.Where)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
