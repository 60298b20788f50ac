package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// Writeup is what is left to say of an experiment: hypothesis, result, decision, what was
// learnt, and where the rest is.
type Writeup struct {
	Experiment *experiment.Experiment
	Runs       []Run      // its iterations that were looked at, in order
	Log        []Decision // of the decision log, oldest first
	Head       string     // hash that vouches for the log
	At         time.Time
}

// Run is one iteration with the newest look at it.
type Run struct {
	Iteration *experiment.Iteration
	Document  *results.Document
}

// Together puts the runs together.
func (x *Writeup) Together() []results.Together {
	documents := make([]*results.Document, len(x.Runs))
	for i := range x.Runs {
		documents[i] = x.Runs[i].Document
	}
	return results.RunsTogether(x.Experiment, documents)
}

// WriteupMarkdown writes it.
func WriteupMarkdown(w io.Writer, x *Writeup) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	e := x.Experiment
	p("# %s\n\nOwned by %s. Written %s from what is stored; every number is that of a stored look.\n", md(e.Key), md(e.Owner), words.Instant(x.At))
	for _, s := range []struct{ title, text string }{
		{"Objective", e.Objective}, {"Hypothesis", e.Hypothesis}, {"Success criteria", e.SuccessCriteria}, {"Rollback plan", e.RollbackPlan},
	} {
		if s.text != "" {
			p("\n**%s.** %s\n", s.title, md(s.text))
		}
	}
	x.design(p)
	for i := range x.Runs {
		x.result(p, &x.Runs[i])
	}
	x.together(p)
	x.log(p)
	p("\n## Links\n\n")
	for _, l := range []struct{ what, address string }{{"flag", e.Links.Flag}, {"change", e.Links.Change}, {"schema of the events", e.Links.Schema}} {
		if l.address != "" {
			p("- %s: <%s>\n", l.what, strings.NewReplacer("<", "%3C", ">", "%3E").Replace(l.address))
		}
	}
	if x.Head != "" {
		p("- head of the decision log: `%s` (`assay decision verify --head` checks everything above it)\n", x.Head)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the write-up: %w", err)
	}
	return nil
}

type printer func(format string, args ...any)

func (x *Writeup) design(p printer) {
	e := x.Experiment
	var arms []string
	for _, v := range e.Variants {
		what := ""
		if v.Key == e.Control {
			what = ", the control"
		}
		arms = append(arms, fmt.Sprintf("%s (%s%s)", v.Key, words.Share(results.Number(v.Share)), what))
	}
	p("\n## Design\n\n- what is randomised: %s; arms: %s\n", md(e.UnitKind), md(strings.Join(arms, ", ")))
	if e.PlannedUnits > 0 {
		p("- planned units of a comparison: %s\n", words.Count(e.PlannedUnits))
	}
	p("- level of the intervals: %s; budget of false kills: %s\n", words.Share(results.Number(e.Alpha)), words.Share(results.Number(e.AlphaKill)))
}

func (x *Writeup) result(p printer, r *Run) {
	it, d := r.Iteration, r.Document
	p("\n## Iteration %d of %d: %s to %s\n\n", it.Number, len(x.Experiment.Iterations), words.Instant(it.Start), words.Instant(it.End))
	if k := it.Killed; k != nil {
		p("It was turned off at %s (decision %d): %s.\n\n", words.Instant(k.At), k.Decision, md(strings.TrimSuffix(k.Reason, ".")))
	}
	box := catalog.Decide(catalog.Subject{Experiment: x.Experiment, Iteration: it, Document: d, Now: x.At})
	p("**%s.** %s\n", md(string(box.Call)), md(box.Text))
	if len(d.Comparisons) > 0 {
		p("\n| metric | arm | for | units | effect, interval valid at every look |\n|---|---|---|---|---|\n")
	}
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		effect := catalog.EffectOf(c, d.At, c.Matured.Absolute.Estimate.Known())
		var role []string
		if c.Goal {
			role = append(role, "goal")
		}
		if c.Guardrail {
			role = append(role, "guardrail"+verdictOf(d, c))
		}
		text := effect.Text
		if !effect.Complete {
			text += " (windows are not complete)"
		}
		p("| %s | %s | %s | %s | %s |\n", md(c.Metric), md(c.Arm), strings.Join(role, ", "), words.Count(effect.Units.Treatment+effect.Units.Control), md(text))
	}
}

// verdictOf is what was last said of a guardrail.
func verdictOf(d *results.Document, c *results.Comparison) string {
	for i := range d.Verdicts {
		if v := &d.Verdicts[i]; v.Metric == c.Metric && v.Arm == c.Arm {
			return ": " + v.Verdict
		}
	}
	return ""
}

func (x *Writeup) together(p printer) {
	all := x.Together()
	if len(all) == 0 {
		return
	}
	p("\n## Iterations together\n\n| metric | arm | iterations | if they have one effect | if it differs: the mean | differ? |\n|---|---|---|---|---|---|\n")
	for _, l := range togetherLines(all) {
		p("| %s | %s | %s | %s | %s | %s |\n", md(l.Metric), md(l.Arm), l.Runs, md(l.Same), md(l.Mean), l.Differ)
	}
	p("\n%s\n", md(togetherNote(all)))
	for _, out := range togetherLeftOut(all) {
		p("\n%s\n", md(out))
	}
}

// log has what was decided, and the notes as what was learnt.
func (x *Writeup) log(p printer) {
	var notes, decided []string
	for _, d := range x.Log {
		line := fmt.Sprintf("%s, %s: %s (decision %d)", words.Instant(d.At), d.Actor, strings.TrimSuffix(d.Text, "."), d.Seq)
		if d.Kind == "noted" {
			notes = append(notes, line)
		} else if d.Text != "" {
			decided = append(decided, strings.ReplaceAll(d.Kind, "_", " ")+": "+line)
		}
	}
	p("\n## What was decided\n\n")
	if len(decided) == 0 {
		p("Nothing is in the decision log.\n")
	}
	p("%s", bullets(decided))
	p("\n## What was learnt\n\n")
	if len(notes) == 0 {
		p("No note was written: `assay decision note %s \"…\"` adds one.\n", x.Experiment.Key)
	}
	p("%s", bullets(notes))
}
