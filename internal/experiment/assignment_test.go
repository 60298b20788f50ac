package experiment

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// assigned is a file of an experiment that assay assigns.
func assigned(key, more string) File {
	return File{Name: "experiments/" + key + ".yaml", Data: []byte("key: " + key + "\nowner: o\nvariants: {a: 50%, b: 50%}\ncontrol: a\ngoals: [conversion]\n" + more)}
}

func applied(t *testing.T, files ...File) Problems {
	t.Helper()
	_, _, problems := Apply(nil, mustParse(t, append(load(t, "good/metrics/*.yaml"), files...)...), day(t, "2026-03-01"), "operator")
	return problems
}

// Experiments of a group may not overlap, and a holdout is the same everywhere, while
// they run at the same time.
func TestAssignmentsTogether(t *testing.T) {
	with := func(what string) string { return "assignment: {system: assay, " + what + "}\n" }
	half := with("group: {name: page, from: 0%, to: 50%}")
	const later = "iterations: [{start: 2027-01-01}]\n"
	for name, c := range map[string]struct {
		first, second string
		want          string
	}{
		"apart":             {half, with("group: {name: page, from: 50%, to: 100%}"), ""},
		"another group":     {half, with("group: {name: cart, from: 0%, to: 100%}"), ""},
		"overlap":           {half, with("group: {name: page, from: 49.9999%, to: 100%}"), "group page 49.9999% to 100% overlaps with that of x, which has page 0% to 50%"},
		"one after another": {half, with("group: {name: page, from: 0%, to: 100%}") + later, ""},
		"two kinds":         {half, with("group: {name: page, from: 50%, to: 100%}") + "unit_kind: device\n", "group page has units of kind user in x"},
		"holdout":           {with("holdouts: {q3: 5%}"), with("holdouts: {q3: 5%, q4: 1%}"), ""},
		"two holdouts":      {with("holdouts: {q3: 5%}"), with("holdouts: {q3: 10%}"), "holdout q3 is 10% here and 5% in x"},
	} {
		problems := applied(t, assigned("x", c.first), assigned("y", c.second))
		if got := fmt.Sprint(problems.Err()); (c.want == "") != (problems == nil) || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %q", name, got, c.want)
		}
	}
}

// An experiment that assay assigns has assay's switch, and may kill by it.
func TestOwnSwitch(t *testing.T) {
	set := mustParse(t, append(load(t, "good/metrics/*.yaml"), assigned("x", "assignment: {system: assay}\nguardrails: [{metric: error_rate, margin: 0, mode: kill}]\n"))...)
	v := mustApply(t, nil, set, day(t, "2026-03-01"))
	if e := v.Find("x"); e.KillSwitch != OwnSwitch || string(e.Value(1)) != `"b"` {
		t.Errorf("switch %q, value %s", e.KillSwitch, e.Value(1))
	}
	again, err := Decode(Encode(v))
	if err != nil || Hash(again) != Hash(v) {
		t.Errorf("read again: %v", err)
	}
}

// Of numbers either all are whole or none: clients ask for one or the other.
func TestNumbers(t *testing.T) {
	for values, want := range map[string]string{"{a: 1, b: 2}": "1 2", "{a: 1, b: 2.5}": "1.0 2.5", "{a: -3, b: 2.50}": "-3.0 2.50", "{a: no, b: \"1.5\"}": `"no" "1.5"`} {
		set := mustParse(t, append(load(t, "good/metrics/*.yaml"), assigned("x", "assignment: {system: assay, values: "+values+"}\n"))...)
		e := mustApply(t, nil, set, day(t, "2026-03-01")).Find("x")
		if got := fmt.Sprintf("%s %s", e.Value(0), e.Value(1)); got != want {
			t.Errorf("%s is sent as %s, want %s", values, got, want)
		}
	}
}

// The salt is the file's, or one of the iteration's own that a resume keeps.
func TestSaltOf(t *testing.T) {
	e := Experiment{Key: "x", Iterations: []Iteration{{Number: 1}, {Number: 2, Resumes: 1}, {Number: 3, Salt: "s"}, {Number: 4, Resumes: 3, Salt: "s"}, {Number: 5}}}
	for i, want := range []string{"x:1", "x:1", "s", "s", "x:5"} {
		if got := e.SaltOf(&e.Iterations[i]); got != want {
			t.Errorf("iteration %d: %s, want %s", i+1, got, want)
		}
	}
}

// What an arm's turning off leaves of the shares draws nobody: those of the file do,
// also after a resume, unless it came with other shares.
func TestSplitOf(t *testing.T) {
	declared, left := []float64{0.4, 0.3, 0.3}, []float64{0.4 / 0.7, 0.3 / 0.7, 0}
	e := Experiment{Iterations: []Iteration{
		{Number: 1, Phases: []Phase{{Shares: declared}, {Shares: left, Declared: declared}}},
		{Number: 2, Resumes: 1, Phases: []Phase{{Shares: left}}},
		{Number: 3, Resumes: 2, Phases: []Phase{{Shares: left}}},
		{Number: 4, Resumes: 3, Phases: []Phase{{Shares: []float64{0.5, 0.25, 0.25}}}},
		{Number: 5, Phases: []Phase{{Shares: left}}},
	}}
	for i, want := range [][]float64{declared, declared, declared, {0.5, 0.25, 0.25}, left} {
		it := &e.Iterations[i]
		if got := e.SplitOf(it, &it.Phases[len(it.Phases)-1]); !slices.Equal(got, want) {
			t.Errorf("iteration %d: %v, want %v", i+1, got, want)
		}
	}
}
