package report

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// ran is an experiment with a document of each of its iterations.
type ran struct {
	Experiment *experiment.Experiment
	Documents  []*results.Document
}

// written is its write-up.
func (x *ran) written() *catalog.Writeup {
	lines := []catalog.WrittenLine{
		{Decision: 4, Kind: "noted", By: "ada", Text: "the *spring* campaign began"}, {Decision: 5, Kind: "change_applied", By: "ada", Text: "version 2, approved by bob"}}
	return catalog.WriteUp(x.Experiment, x.Documents, lines, "ab12", time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
}

func (x *ran) Together() []results.Together { return results.RunsTogether(x.Experiment, x.Documents) }

// writeupOf is an experiment that ran three times: 1 and 2 with salts of their own, 3 with
// that of 2.
func writeupOf(t *testing.T) *ran {
	t.Helper()
	const text = `key: x
owner: growth
hypothesis: a <b>price</b> helps
variants: {control: 50%, a: 50%}
control: control
goals: [m]
links: {change: "https://changes.example.com/1"}
assignment: {system: assay}
iterations:
  - {start: 2026-01-01, enrol_until: 2026-01-10, end: 2026-01-20, salt: one}
  - {start: 2026-02-01, enrol_until: 2026-02-10, end: 2026-02-20, salt: two}
  - {start: 2026-03-01, enrol_until: 2026-03-10, end: 2026-03-20, salt: two}
`
	set, problems := experiment.Parse([]experiment.File{
		{Name: "metrics/m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: mean\ndirection: increase\n")}, {Name: "experiments/x.yaml", Data: []byte(text)}})
	if problems != nil {
		t.Fatal(problems.Err())
	}
	v, _, problems := experiment.Apply(nil, set, time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC), "ada")
	if problems != nil {
		t.Fatal(problems.Err())
	}
	e := &v.Experiments[0]
	x := &ran{Experiment: e}
	for i := range e.Iterations {
		it := &e.Iterations[i]
		effect := results.Effect{Estimate: results.Number([]float64{.02, .09, .024}[i]), StdError: results.Number([]float64{.008, .01, .01}[i])}
		x.Documents = append(x.Documents, &results.Document{Experiment: "x", Iteration: it.Number, Control: "control", At: it.End, Start: it.Start, End: it.End,
			Comparisons: []results.Comparison{{Metric: "m", Arm: "a", Kind: "mean", Direction: "increase", Goal: true, Matured: results.Estimate{Absolute: effect, Relative: effect}}}})
	}
	return x
}

// TestTogether: the runs with their own units are put together, of those with one salt
// the last; the numbers are those of stats/testdata/together.py for two that agree.
func TestTogether(t *testing.T) {
	x := writeupOf(t)
	all := x.Together()
	if len(all) != 1 || len(all[0].Runs) != 2 || all[0].Runs[0] != 1 || all[0].Runs[1] != 3 {
		t.Fatalf("%+v", all)
	}
	got := all[0]
	if math.Abs(got.Same.Estimate.Float()-.0215609756098) > 1e-12 || math.Abs(got.Same.Interval.Low.Float()-.00931717766448) > 1e-10 || math.Abs(got.Mean.Interval.High.Float()-.100936007329) > 1e-9 {
		t.Errorf("%+v", got)
	}
	if len(got.LeftOut) != 1 || got.LeftOut[0] != "iteration 2 had the same units as iteration 3" || got.Killed || got.Shared || got.Declared {
		t.Errorf("left out %q, killed %v, shared %v", got.LeftOut, got.Killed, got.Shared)
	}
}

// TestTogetherLeavesOut: another definition, another control, and a run without complete
// windows; with one run left there is nothing to put together.
func TestTogetherLeavesOut(t *testing.T) {
	for name, spoil := range map[string]func(*ran){
		"definition": func(x *ran) { x.Experiment.Iterations[0].Metrics[0].Event = "another" },
		"control":    func(x *ran) { x.Documents[0].Control = "a" },
		"windows": func(x *ran) {
			x.Documents[0].Comparisons[0].Matured.Absolute.StdError = results.Number(math.NaN())
		},
	} {
		x := writeupOf(t)
		spoil(x)
		if all := x.Together(); len(all) != 0 {
			t.Errorf("%s: %+v", name, all)
		}
	}
	x := writeupOf(t)
	x.Experiment.Iterations[0].Metrics[0].Owner = "somebody else" // no other definition
	x.Experiment.Iterations[0].Killed = &experiment.Killed{}
	if all := x.Together(); len(all) != 1 || !all[0].Killed {
		t.Errorf("%+v", all)
	}
	if x.Experiment.Iterations[2].Repeats = 1; !x.Together()[0].Declared {
		t.Error("a rerun was declared")
	}
}

// TestRunsTogetherIsShown: in the text and as a section of pages.
func TestRunsTogetherIsShown(t *testing.T) {
	x := writeupOf(t)
	d := x.Documents[2]
	d.Together = x.Together()
	var b strings.Builder
	if err := Text(&b, d); err != nil {
		t.Fatal(err)
	}
	s, err := NewSections(nil)
	if err != nil {
		t.Fatal(err)
	}
	sections, err := s.Of(Entry{Experiment: x.Experiment, Document: d})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(sections, func(s Section) bool { return s.Name == "together" })
	if i < 0 {
		t.Fatal("no section")
	}
	for where, text := range map[string]string{"text": b.String(), "section": string(sections[i].Body)} {
		for _, want := range []string{"1, 3", "0.0216", "iteration 2 had the same units as iteration 3", "Not every later one was declared"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", where, want, text)
			}
		}
	}
}

// TestWriteup has all its parts, and lets no text be read as Markdown or HTML.
func TestWriteup(t *testing.T) {
	var b strings.Builder
	x := writeupOf(t)
	x.Experiment.Iterations[2].Repeats = 1
	if err := WriteupMarkdown(&b, x.written()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"# x\n", "**Hypothesis.** a &lt;b&gt;price&lt;/b&gt; helps", "## Design", "control (50.0 %, the control)", "## Iteration 1 of 3", "## Iteration 3 of 3", "It was declared beforehand to repeat iteration 1.",
		"| m | a | goal |", "## Iterations together", "| m | a | 1, 3 |", "Left out of m in a: iteration 2 had the same units as iteration 3.",
		"## What was decided\n\n- change applied: ", "approved by bob (decision 5)", "## What was learnt\n\n- ", `the \*spring\* campaign began (decision 4)`,
		"change: <https://changes.example.com/1>", "head of the decision log: `ab12`",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not have %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
