package catalog

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
	"github.com/assay-dev/assay/stats"
)

// Reason is one thing that a decision rests on.
type Reason struct {
	About string `json:"about"` // split, guardrail, goal, data, crossovers, placebo, gap, kill, plan, file
	Tone  Tone   `json:"tone"`
	Text  string `json:"text"`
}

func srmTrivial() results.Number { return results.Number(stats.SRMTrivial) }

// reasons are everything that speaks for or against a decision, what is wrong first.
func (s Subject) reasons(goals []goal) []Reason {
	d := s.Document
	var out []Reason
	for i := range d.ArmKills {
		out = append(out, Reason{"kill", Warn, KillText(&d.ArmKills[i], s.Zone)})
	}
	out = append(out, splitReasons(d)...)
	out = append(out, guardrailReasons(d)...)
	out = append(out, s.warnings()...)
	for i := range goals {
		out = append(out, goals[i].reason())
	}
	return append(out, s.progress()...)
}

func splitReasons(d *results.Document) []Reason {
	var out []Reason
	for i := range d.Phases {
		switch p := &d.Phases[i]; {
		case SplitBroken(p):
			out = append(out, Reason{"split", Bad, fmt.Sprintf("The split of phase %d is broken (p %s, threshold %s).", p.Number, words.PValue(p.SRM.P), words.PValue(results.Number(p.SRM.Threshold)))})
		case p.Alarm != nil:
			out = append(out, Reason{"split", Warn, fmt.Sprintf("The broken split of phase %d was acknowledged by %s: %s", p.Number, p.Alarm.By, p.Alarm.Why)})
		}
	}
	if len(out) == 0 && len(d.Phases) > 0 {
		out = append(out, Reason{"split", Good, "The split is as intended."})
	}
	return out
}

// guardrailReasons tell of each guardrail that is not healthy, and of the others together.
func guardrailReasons(d *results.Document) []Reason {
	var out []Reason
	var healthy []string
	for _, v := range d.Verdicts {
		name := v.Metric + " in " + v.Arm
		if v.Verdict == "healthy" {
			healthy = append(healthy, name)
			continue
		}
		out = append(out, Reason{"guardrail", VerdictTone(v.Verdict), fmt.Sprintf("%s is %s: %s", name, v.Verdict, v.Text)})
	}
	if len(healthy) > 0 {
		out = append(out, Reason{"guardrail", Good, "Shown to be within their margins: " + strings.Join(healthy, ", ") + "."})
	}
	if len(d.Verdicts) == 0 {
		out = append(out, Reason{"guardrail", Warn, "No guardrail says whether anything else got worse."})
	}
	return out
}

func (g *goal) reason() Reason {
	what := map[Tone]string{Good: "better", Bad: "worse", Neutral: "no difference is shown"}[g.Tone]
	text := fmt.Sprintf("%s: %s (%s)", g.Metric+" in "+g.Arm, what, g.Text)
	switch {
	case g.suspect:
		return Reason{"goal", Warn, text + "; not to be relied on, random halves of the control differ in it too."}
	case g.gated:
		return Reason{"goal", Warn, text + "; not to be relied on, too few units have had an event."}
	case !g.Complete:
		return Reason{"goal", Neutral, text + " so far; windows are not complete yet."}
	}
	return Reason{"goal", g.Tone, text + "."}
}

// warnings are what is not as it should be and holds nothing back.
func (s Subject) warnings() []Reason {
	d := s.Document
	var out []Reason
	for _, a := range d.Anomalies {
		out = append(out, Reason{"data", Warn, fmt.Sprintf("%s since %s: %s", a, s.instant(a.Since), a.Text)})
	}
	for _, c := range d.CrossoverChecks {
		if c.Alarm {
			out = append(out, Reason{"crossovers", Warn, c.String() + "."})
		}
	}
	for _, c := range d.AssignmentChecks {
		if c.Alarm {
			out = append(out, Reason{"assignment", Warn, c.String() + "."})
		}
	}
	for i := range d.Phases {
		if p := &d.Phases[i]; p.SRMLeft.Alarm && !p.SRM.Alarm { // as selected says
			out = append(out, Reason{"split", Warn, fmt.Sprintf("Phase %d: after crossovers and excluded units were taken out the split is not the intended one (p %s).", p.Number, words.PValue(p.SRMLeft.P))})
		}
	}
	for _, m := range d.Placebo.Suspect() {
		out = append(out, Reason{"placebo", Warn, fmt.Sprintf("%s: %d of %d random halvings of the control differ, more than chance explains (p = %s); decide nothing on it.",
			m.Metric, len(m.Ever), d.Placebo.Splits, words.PValue(m.P))})
	}
	for _, g := range d.Gaps {
		out = append(out, Reason{"gap", Warn, GapText(g, s.Zone) + "."})
	}
	for i := range d.Comparisons {
		if c := &d.Comparisons[i]; c.Overflow > 0 {
			out = append(out, Reason{"data", Warn, fmt.Sprintf("%s in %s: the totals of %s units are too large, no number is shown.", c.Metric, c.Arm, words.Count(c.Overflow))})
		}
	}
	return out
}

// progress says what is being waited for, and what the file says of it.
func (s Subject) progress() []Reason {
	d := s.Document
	var out []Reason
	add := func(about, text string) { out = append(out, Reason{about, Neutral, text}) }
	if d.Dated != nil && !d.Dated.Next.IsZero() {
		add("plan", "The goals are judged at dated looks; the next one is at "+s.instant(d.Dated.Next)+".")
	}
	for _, p := range d.Plan {
		for _, c := range p.Gates {
			if c.State == results.NotMet && c.Lift > 0 {
				add("plan", fmt.Sprintf("%s of %s in %s: %s; about %s units of both arms would do.", p.For, p.Metric, p.Arm, c.Text, words.Count(c.Lift)))
			}
		}
	}
	if s.Experiment == nil || s.Iteration == nil {
		return out
	}
	e := s.Experiment.AsOf(s.Iteration)
	if n := e.PlannedUnits; n > 0 {
		add("plan", fmt.Sprintf("%s units are in; %s are planned for a comparison.", words.Count(UnitsOf(d)), words.Count(n)))
	}
	if until := s.Iteration.EnrolUntil; s.Now.Before(until) {
		add("plan", "Units are taken in until "+s.instant(until)+".")
	} else if s.Now.Before(s.Iteration.End) {
		add("plan", "No new units; the last windows are complete at "+s.instant(s.Iteration.End)+".")
	}
	if e.SuccessCriteria != "" {
		add("file", "To be shipped it has to meet: "+e.SuccessCriteria)
	}
	return out
}

// UnitsOf are the units of all arms by first exposure, those of settling phases among them.
func UnitsOf(d *results.Document) int64 {
	n := int64(0)
	for i := range d.Phases {
		for _, a := range d.Phases[i].Arms {
			n += a.Units
		}
		for _, a := range d.Phases[i].Settling {
			n += a.Units
		}
	}
	return n
}

// KillText tells how far a kill is, its times in a zone; nil is UTC.
func KillText(k *results.Kill, zone *time.Location) string {
	text := fmt.Sprintf("decision %d by %s at %s", k.Decision, k.By, words.InstantIn(k.DecidedAt, zone))
	if k.Arm != "" {
		text = k.Arm + " alone, " + text
	}
	if !k.SentAt.IsZero() {
		text += ", sent at " + words.InstantIn(k.SentAt, zone)
	}
	if !k.ReadBackAt.IsZero() {
		text += ", read back as off at " + words.InstantIn(k.ReadBackAt, zone)
	}
	if Unfinished(k) {
		text += ", " + k.State + ": nothing has ended"
	}
	switch k.Effect {
	case "effective":
		text += ", the exposures stopped"
	case "not_effective":
		text += ", but the EXPOSURES GO ON"
	}
	if !k.OverriddenAt.IsZero() {
		text += ", and was TURNED ON AGAIN (seen at " + words.InstantIn(k.OverriddenAt, zone) + "): no guard turns this iteration off twice"
	}
	return text
}

// GapText says what a gap may have taken, its time in a zone; nil is UTC.
func GapText(g results.Gap, zone *time.Location) string {
	how, known := "were lost before they were read", "accepted"
	switch g.Kind {
	case "before":
		how, known = "were deleted before the topic was first read", "noted"
	case "unstored":
		how = "were counted and are no longer stored"
	case "replaced":
		how = "were not read, because they stand at places that had been counted"
	}
	return fmt.Sprintf("%s records of %s, partition %d, %s (%s at %s)",
		words.Count(int64(g.Records)), g.Topic, g.Partition, how, known, words.InstantIn(g.AcceptedAt, zone))
}
