package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// TogetherLine is what several runs say of a metric in an arm, for whoever has a page of
// his own around it.
type TogetherLine = togetherLine

// TogetherLines are the runs together in words, TogetherNotes what they are worth.
func TogetherLines(all []results.Together) []TogetherLine { return togetherLines(all) }

// TogetherNotes say what runs together are worth, and what was left out.
func TogetherNotes(all []results.Together) []string {
	if len(all) == 0 {
		return nil
	}
	return append([]string{togetherNote(all)}, togetherLeftOut(all)...)
}

// WriteupMarkdown writes it.
func WriteupMarkdown(w io.Writer, x *catalog.Writeup) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# %s\n\nOwned by %s. Written %s from what is stored; every number is that of a stored look.\n", md(x.Experiment), md(x.Owner), words.Instant(x.At))
	for _, s := range []struct{ title, text string }{
		{"Objective", x.Objective}, {"Hypothesis", x.Hypothesis}, {"Success criteria", x.SuccessCriteria}, {"Rollback plan", x.RollbackPlan},
	} {
		if s.text != "" {
			p("\n**%s.** %s\n", s.title, md(s.text))
		}
	}
	writtenDesign(p, x)
	for i := range x.Iterations {
		writtenRun(p, x, &x.Iterations[i])
	}
	writtenTogether(p, x.Together)
	writtenLog(p, x)
	p("\n## Links\n\n")
	for _, l := range []struct{ what, address string }{{"flag", x.Links.Flag}, {"change", x.Links.Change}, {"schema of the events", x.Links.Schema}} {
		if l.address != "" {
			p("- %s: <%s>\n", l.what, strings.NewReplacer("<", "%3C", ">", "%3E").Replace(l.address))
		}
	}
	if x.LogHead != "" {
		p("- head of the decision log: `%s` (`assay decision verify --head` checks everything above it)\n", x.LogHead)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the write-up: %w", err)
	}
	return nil
}

type printer func(format string, args ...any)

func writtenDesign(p printer, x *catalog.Writeup) {
	var arms []string
	for _, v := range x.Arms {
		what := ""
		if v.Control {
			what = ", the control"
		}
		arms = append(arms, fmt.Sprintf("%s (%s%s)", v.Variant, words.Share(results.Number(v.Share)), what))
	}
	p("\n## Design\n\n- what is randomised: %s; arms: %s\n", md(x.UnitKind), md(strings.Join(arms, ", ")))
	if x.PlannedUnits > 0 {
		p("- planned units of a comparison: %s\n", words.Count(x.PlannedUnits))
	}
	p("- level of the intervals: %s; budget of false kills: %s\n", words.Share(results.Number(x.Alpha)), words.Share(results.Number(x.AlphaKill)))
}

func writtenRun(p printer, x *catalog.Writeup, r *catalog.WrittenRun) {
	p("\n## Iteration %d of %d: %s to %s\n\n", r.Number, x.Of, words.Instant(r.Start), words.Instant(r.End))
	if r.Repeats > 0 {
		p("It was declared beforehand to repeat iteration %d.\n\n", r.Repeats)
	}
	if k := r.Killed; k != nil {
		p("It was turned off at %s (decision %d): %s.\n\n", words.Instant(k.At), k.Decision, md(strings.TrimSuffix(k.Reason, ".")))
	}
	p("**%s.** %s\n", md(string(r.Call)), md(r.Text))
	if len(r.Effects) > 0 {
		p("\n| metric | arm | for | units | effect, interval valid at every look |\n|---|---|---|---|---|\n")
	}
	for i := range r.Effects {
		effect := &r.Effects[i]
		text := effect.Text
		if !effect.Complete {
			text += " (windows are not complete)"
		}
		p("| %s | %s | %s | %s | %s |\n", md(effect.Metric), md(effect.Arm), Role(effect), words.Count(effect.Units.Treatment+effect.Units.Control), md(text))
	}
}

// Role is what a metric is there for.
func Role(x *catalog.WrittenEffect) string {
	var role []string
	if x.Goal {
		role = append(role, "goal")
	}
	if x.Guardrail {
		text := "guardrail"
		if x.Verdict != "" {
			text += ": " + x.Verdict
		}
		role = append(role, text)
	}
	return strings.Join(role, ", ")
}

func writtenTogether(p printer, all []results.Together) {
	if len(all) == 0 {
		return
	}
	p("\n## Iterations together\n\n| metric | arm | iterations | if they have one effect | if it differs: the mean | differ? |\n|---|---|---|---|---|---|\n")
	for _, l := range togetherLines(all) {
		p("| %s | %s | %s | %s | %s | %s |\n", md(l.Metric), md(l.Arm), l.Runs, md(l.Same), md(l.Mean), l.Differ)
	}
	for _, note := range TogetherNotes(all) {
		p("\n%s\n", md(note))
	}
}

// writtenLog has what was decided, and the notes as what was learnt.
func writtenLog(p printer, x *catalog.Writeup) {
	line := func(l catalog.WrittenLine) string {
		return fmt.Sprintf("%s, %s: %s (decision %d)", words.Instant(l.At), l.By, strings.TrimSuffix(l.Text, "."), l.Decision)
	}
	var decided, notes []string
	for _, l := range x.Decisions {
		decided = append(decided, strings.ReplaceAll(l.Kind, "_", " ")+": "+line(l))
	}
	for _, l := range x.Notes {
		notes = append(notes, line(l))
	}
	p("\n## What was decided\n\n")
	if len(decided) == 0 {
		p("Nothing is in the decision log.\n")
	}
	p("%s", bullets(decided))
	p("\n## What was learnt\n\n")
	if len(notes) == 0 {
		p("No note was written: `assay decision note %s \"…\"` adds one.\n", x.Experiment)
	}
	p("%s", bullets(notes))
}
