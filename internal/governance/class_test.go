package governance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

const metricsText = `name: sales
owner: growth
event: purchase
kind: proportion
direction: increase
---
name: errors
owner: platform
event: error
kind: proportion
direction: decrease
---
name: calls
owner: support
event: call
kind: count
direction: decrease
`

const baseText = `key: x
owner: growth
objective: sell
variants: {control: 50%, a: 30%, b: 20%}
control: control
alpha: 5%
goals: [sales, calls]
guardrails:
  - {metric: errors, margin: 2%, mode: notify, hold: 30s, min_units: 100}
  - {metric: calls, margin: 0.01, mode: kill}
checks:
  crossovers: {limit: 1%, on_alarm: hold}
kill_switch: flag-x
iterations:
  - start: 2026-03-01
    enrol_until: 2026-03-20
    end: 2026-04-01
    phases:
      - {traffic: 20%}
      - {from: 2026-03-10, traffic: 50%}
`

const assignedText = `key: x
owner: growth
variants: {control: 50%, a: 50%}
control: control
goals: [sales]
assignment:
  system: assay
  values: {control: 1, a: 2}
  eligible:
    - {country: [DE, FR], tier: gold}
  holdouts: {quarter: 5%}
  group: {name: cart, from: 10%, to: 60%}
iterations:
  - {start: 2026-03-01, enrol_until: 2026-03-20, end: 2026-04-01, phases: [{traffic: 20%}]}
`

func day(t *testing.T, date string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// parse reads an experiment, "" for none, beside the metrics.
func parse(t *testing.T, metrics, text string) *experiment.Set {
	t.Helper()
	var files []experiment.File
	for i, m := range strings.Split(metrics, "---\n") {
		files = append(files, experiment.File{Name: "metrics/" + string(rune('a'+i)) + ".yaml", Data: []byte(m)})
	}
	if text != "" {
		files = append(files, experiment.File{Name: "experiments/x.yaml", Data: []byte(text)})
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return set
}

// edit replaces parts of a text, each of which must be there.
func edit(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%q is not in\n%s", pairs[i], text)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// Each edit has its class, compared as files in CI and as versions at the apply. Where
// the apply refuses (the design of what runs), the files alone are compared.
func TestClassify(t *testing.T) {
	const before, running, later, over = "2026-02-20", "2026-03-05", "2026-03-12", "2026-04-02"
	tests := []struct {
		name, at string
		base     string
		edit     []string
		want     Class
		reason   string
	}{
		{"nothing", running, baseText, []string{"", ""}, "", ""},
		{"another owner", running, baseText, []string{"owner: growth", "owner: search"}, Neutral, "owner"},
		{"a text", running, baseText, []string{"objective: sell", "objective: sell more"}, Neutral, "objective"},
		{"a new goal", running, baseText, []string{"goals: [sales, calls]", "goals: [sales, calls, errors]"}, Neutral, "goal errors"},
		{"more traffic in a phase to come", running, baseText, []string{"traffic: 50%", "traffic: 60%"}, Grow, "traffic 50% → 60% from 2026-03-10"},
		{"less traffic in a phase to come", running, baseText, []string{"traffic: 50%", "traffic: 30%"}, Shrink, "traffic 50% → 30% from 2026-03-10"},
		{"fewer are measured", later, baseText, []string{"traffic: 50%}\n", "traffic: 50%}\n      - {sample: 10%}\n"}, Grow, "sample 100% → 10%"},
		{"the rise sooner", running, baseText, []string{"from: 2026-03-10", "from: 2026-03-08"}, Grow, "traffic 20% → 50% from 2026-03-08"},
		{"the rise later", running, baseText, []string{"from: 2026-03-10", "from: 2026-03-15"}, Shrink, "traffic 50% → 20% from 2026-03-10"},
		{"the rise withdrawn", running, baseText, []string{"      - {from: 2026-03-10, traffic: 50%}\n", ""}, Shrink, "traffic 50% → 20%"},
		{"a pause from now on", later, baseText, []string{"traffic: 50%}\n", "traffic: 50%}\n      - {traffic: 0%}\n"}, Shrink, "traffic 50% → 0%"},
		{"a rise from now on", later, baseText, []string{"traffic: 50%}\n", "traffic: 50%}\n      - {traffic: 60%}\n"}, Grow, "traffic 50% → 60%"},
		{"an arm off for the control", later, baseText, []string{"traffic: 50%}\n", "traffic: 50%}\n      - {shares: {control: 70%, a: 30%, b: 0%}}\n"}, Shrink, "share of b 10% → 0%"},
		{"an arm off for another", later, baseText, []string{"traffic: 50%}\n", "traffic: 50%}\n      - {shares: {control: 50%, a: 50%, b: 0%}}\n"}, Grow, "share of a 15% → 25%"},
		{"down now and up later", running, baseText, []string{"traffic: 50%}\n", "traffic: 30%}\n      - {from: 2026-03-12, traffic: 70%}\n"}, Grow, "traffic 50% → 70% from 2026-03-12"},
		{"an earlier end", running, baseText, []string{"enrol_until: 2026-03-20\n    end: 2026-04-01", "enrol_until: 2026-03-15\n    end: 2026-03-22"}, Shrink, "end 2026-04-01"},
		{"longer enrolment", running, baseText, []string{"enrol_until: 2026-03-20", "enrol_until: 2026-03-25"}, Grow, "enrol_until"},
		{"a later end", running, baseText, []string{"end: 2026-04-01", "end: 2026-04-08"}, Grow, "end 2026-04-01"},
		{"a review", running, baseText, []string{"alpha: 5%", "alpha: 5%\nreviews: [2026-03-20]"}, Shrink, "a review at 2026-03-20"},
		{"a limit", running, baseText, []string{"alpha: 5%", "alpha: 5%\nstop_when: {units: 100}"}, Shrink, "stop_when: never → 100 units"},
		{"stale", running, baseText, []string{"alpha: 5%", "alpha: 5%\nstale: {after: 3d, hold: 7d}"}, Shrink, "stale: never → after 3d, held 7d later"},
		{"no review", running, baseText + "reviews: [2026-03-20]\n", []string{"reviews: [2026-03-20]\n", ""}, Grow, "the review at 2026-03-20T00:00:00Z taken out"},
		{"a later limit", running, baseText + "stop_when: {after: 7d, decided: true}\n", []string{"after: 7d", "after: 8d"}, Grow, "stop_when: after 7d, decided → after 8d, decided"},
		{"it goes on when it is decided", running, baseText + "stop_when: {after: 7d, decided: true}\n", []string{", decided: true", ""}, Grow, "stop_when"},
		{"stale later", running, baseText + "stale: {after: 3d, hold: 7d}\n", []string{"after: 3d", "after: 4d"}, Grow, "stale: after 3d"},
		{"never held", running, baseText + "stale: {after: 3d, hold: 7d}\n", []string{", hold: 7d", ""}, Grow, "never held"},
		{"mode up", running, baseText, []string{"mode: notify", "mode: kill"}, Shrink, "mode notify → kill"},
		{"mode down", running, baseText, []string{"mode: kill", "mode: observe"}, Grow, "mode kill → observe"},
		{"mode up with a rise", running, baseText, []string{"mode: notify", "mode: kill", "traffic: 50%", "traffic: 60%"}, Grow, "traffic"},
		{"a new guardrail", running, baseText, []string{"checks:", "  - {metric: sales, margin: 5%, mode: observe}\nchecks:"}, Shrink, "new guardrail sales"},
		{"a guardrail out", over, baseText, []string{"  - {metric: calls, margin: 0.01, mode: kill}\n", ""}, Grow, "guardrail calls taken out"},
		{"a looser margin", over, baseText, []string{"margin: 2%", "margin: 3%"}, Grow, "margin 2% → 3%"},
		{"a tighter margin", over, baseText, []string{"margin: 2%", "margin: 1%"}, Shrink, "margin 2% → 1%"},
		{"a margin otherwise", over, baseText, []string{"margin: 2%", "margin: 0.001"}, Grow, "measured otherwise"},
		{"a longer hold", over, baseText, []string{"hold: 30s", "hold: 60s"}, Grow, "hold"},
		{"fewer units first", over, baseText, []string{"min_units: 100", "min_units: 50"}, Shrink, "min_units"},
		{"never to kill", over, baseText, []string{"min_units: 100", "min_units: 100, action: alert"}, Grow, "never kill"},
		{"silence that only warns", over, baseText, []string{"min_units: 100", "min_units: 100, on_no_data: warn"}, Grow, "on_no_data hold → warn"},
		{"silence that kills", over, baseText, []string{"mode: kill", "mode: kill, on_no_data: kill"}, Shrink, "on_no_data hold → kill"},
		{"a looser check", over, baseText, []string{"limit: 1%", "limit: 2%"}, Grow, "check of crossovers"},
		{"a check that only warns", running, baseText, []string{"on_alarm: hold", "on_alarm: warn"}, Grow, "check of crossovers"},
		{"a new signal", over, baseText, []string{"kill_switch:", "signals: [{name: cpu, query: up, max: 2}]\nkill_switch:"}, Shrink, "new signal cpu"},
		{"a looser signal", over, edit(t, baseText, "kill_switch:", "signals: [{name: cpu, query: up, max: 2}]\nkill_switch:"), []string{"max: 2", "max: 3"}, Grow, "signal cpu: another rule"},
		{"no signal", over, edit(t, baseText, "kill_switch:", "signals: [{name: cpu, query: up, max: 2}]\nkill_switch:"), []string{"signals: [{name: cpu, query: up, max: 2}]\n", ""}, Grow, "signal cpu taken out"},
		{"the switch out", running, baseText, []string{"kill_switch: flag-x\n", "", "mode: kill", "mode: notify"}, Grow, "kill switch flag-x taken out"},
		{"another switch", running, baseText, []string{"flag-x", "flag-y"}, Grow, "flag-x → flag-y"},
		{"the next iteration", over, baseText, []string{"traffic: 50%}\n", "traffic: 50%}\n  - {start: 2026-04-10}\n"}, Grow, "iteration 2 is new"},
		{"an iteration of the past", "2026-05-01", baseText, []string{"traffic: 50%}\n", "traffic: 50%}\n  - {start: 2026-04-10, end: 2026-04-20}\n"}, Neutral, "iteration 2 is new and has ended"},
		{"the start sooner", before, baseText, []string{"start: 2026-03-01", "start: 2026-02-25"}, Grow, "start 2026-03-01"},
		{"the start later", before, baseText, []string{"start: 2026-03-01", "start: 2026-03-05"}, Shrink, "start 2026-03-01"},
		{"the start at once", before, baseText, []string{"start: 2026-03-01\n    ", ""}, Grow, "start 2026-03-01"},
		{"another salt before the start", before, baseText, []string{"end: 2026-04-01", "end: 2026-04-01\n    salt: other"}, Grow, "salt"},
		{"the level before the start", before, baseText, []string{"alpha: 5%", "alpha: 10%"}, Grow, "another alpha"},
		{"the level after the end", over, baseText, []string{"alpha: 5%", "alpha: 10%"}, Neutral, "another alpha"},
		{"a new arm", over, baseText, []string{"a: 30%, b: 20%", "a: 30%, b: 10%, c: 10%"}, Grow, "new variant c"},
		{"an arm taken out", over, baseText, []string{"a: 30%, b: 20%", "a: 50%"}, Shrink, "variant b"},
		{"an audience narrowed", before, assignedText, []string{"[DE, FR]", "[DE]"}, Shrink, "fewer may take part"},
		{"an audience narrowed by another attribute", before, assignedText, []string{"tier: gold", "tier: gold, platform: web"}, Shrink, "fewer may take part"},
		{"an audience widened", before, assignedText, []string{"[DE, FR]", "[DE, FR, NO]"}, Grow, "others may take part"},
		{"an audience moved", before, assignedText, []string{"[DE, FR]", "[DE, NO]"}, Grow, "others may take part"},
		{"an audience beside it", before, assignedText, []string{"tier: gold}", "tier: gold}\n    - {country: NO}"}, Grow, "others may take part"},
		{"everybody", before, assignedText, []string{"  eligible:\n    - {country: [DE, FR], tier: gold}\n", ""}, Grow, "others may take part"},
		{"a larger holdout", before, assignedText, []string{"quarter: 5%", "quarter: 10%"}, Shrink, "holdout quarter: 5% → 10%"},
		{"a smaller holdout", before, assignedText, []string{"quarter: 5%", "quarter: 2%"}, Grow, "holdout quarter: 5% → 2%"},
		{"another holdout", before, assignedText, []string{"quarter: 5%", "year: 5%"}, Grow, "holdout quarter: 5% → 0%"},
		{"a part of its part", before, assignedText, []string{"from: 10%, to: 60%", "from: 20%, to: 60%"}, Shrink, "group cart"},
		{"another part", before, assignedText, []string{"from: 10%, to: 60%", "from: 0%, to: 20%"}, Grow, "group cart"},
		{"out of the group", before, assignedText, []string{"  group: {name: cart, from: 10%, to: 60%}\n", ""}, Grow, "leaves group"},
		{"other values", before, assignedText, []string{"a: 2", "a: 3"}, Grow, "other values"},
		{"somebody else assigns", over, assignedText, []string{assignedText[strings.Index(assignedText, "assignment:"):strings.Index(assignedText, "iterations:")], ""}, Grow, "somebody else"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := day(t, tt.at)
			old, edited := parse(t, metricsText, tt.base), parse(t, metricsText, edit(t, tt.base, tt.edit...))
			check(t, "files", Classify(old.Rehearsal(), edited.Rehearsal(), at), tt.want, tt.reason)
			first, _, problems := experiment.Apply(nil, old, day(t, "2026-02-01"), "ada")
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			next, _, problems := experiment.Apply(first, edited, at, "ada")
			if problems != nil {
				t.Fatal(problems.Err())
			}
			if next == nil {
				next = first
			}
			check(t, "versions", Classify(first, next, at), tt.want, tt.reason)
		})
	}
}

func check(t *testing.T, what string, changes []Change, want Class, reason string) {
	t.Helper()
	if want == "" {
		if len(changes) > 0 {
			t.Errorf("%s: %v where nothing changed", what, changes)
		}
		return
	}
	if len(changes) != 1 || changes[0].Experiment != "x" || changes[0].Class != want || Of(changes) != want {
		t.Fatalf("%s: %v, want one that is %s", what, changes, want)
	}
	if !slices.ContainsFunc(changes[0].Reasons, func(r Reason) bool { return strings.Contains(r.Text, reason) }) {
		t.Errorf("%s: no reason says %q: %v", what, reason, changes[0].Reasons)
	}
	if changes[0].Reasons[0].Class != want {
		t.Errorf("%s: the first reason is not of the class: %v", what, changes[0].Reasons)
	}
}

// A file that leaves its times out began when it was first applied, which the files do
// not tell.
func TestClassifyOpenTimes(t *testing.T) {
	const open = `key: x
owner: growth
variants: {control: 50%, a: 50%}
control: control
goals: [sales]
iterations:
  - phases:
      - {traffic: 10%}
      - {traffic: 30%}
`
	at := day(t, "2026-03-05")
	for _, tt := range []struct {
		name, text string
		want       Class
		reason     string
	}{
		{"another phase up", edit(t, open, "30%}\n", "30%}\n      - {traffic: 50%}\n"), Grow, "traffic 30% → 50%"},
		{"another phase down", edit(t, open, "30%}\n", "30%}\n      - {traffic: 0%}\n"), Shrink, "traffic 30% → 0%"},
		{"the end for the first time", edit(t, open, "- phases:", "- end: 2026-03-10\n    phases:"), Grow, "nobody can tell"},
		{"the start written down", edit(t, open, "- phases:", "- start: 2026-03-01\n    enrol_until: 2026-03-29\n    phases:"), Grow, "nobody can tell"},
		{"the next iteration", edit(t, open, "traffic: 30%}\n", "traffic: 30%}\n  - start: 2026-05-01\n"), Grow, "iteration 2 is new"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check(t, "files", Classify(parse(t, metricsText, open).Rehearsal(), parse(t, metricsText, tt.text).Rehearsal(), at), tt.want, tt.reason)
		})
	}
}

// A definition that was edited counts in iterations that begin later, so it touches what
// was planned and nothing that runs.
func TestClassifyMetrics(t *testing.T) {
	edited := edit(t, metricsText, "event: purchase", "event: order")
	for date, want := range map[string]Class{"2026-02-20": Grow, "2026-03-05": "", "2026-04-02": ""} {
		at := day(t, date)
		first, _, _ := experiment.Apply(nil, parse(t, metricsText, baseText), day(t, "2026-02-01"), "ada")
		next, _, problems := experiment.Apply(first, parse(t, edited, baseText), at, "ada")
		if problems != nil {
			t.Fatal(problems.Err())
		}
		check(t, "versions at "+date, Classify(first, next, at), want, "another definition of sales")
	}
}

// An experiment that comes, that goes before its start, that goes after its end.
func TestClassifyWhole(t *testing.T) {
	with, without := parse(t, metricsText, baseText).Rehearsal(), parse(t, metricsText, "").Rehearsal()
	for _, tt := range []struct {
		name         string
		before, next *experiment.Version
		at           string
		want         Class
		reason       string
	}{
		{"new", without, with, "2026-02-20", Grow, "starts"},
		{"new, and over", without, with, "2026-04-02", Neutral, "only counted"},
		{"gone before its end", with, without, "2026-02-20", Shrink, "file is gone"},
		{"gone after its end", with, without, "2026-04-02", Neutral, "has ended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check(t, "files", Classify(tt.before, tt.next, day(t, tt.at)), tt.want, tt.reason)
		})
	}
}

// A ramp that may rise further, sooner, or past a breach grows.
func TestClassifyRamps(t *testing.T) {
	ramp := edit(t, assignedText, "phases: [{traffic: 20%}]", "ramp: {steps: [{traffic: 10%, for: 8d, units: 500}, {traffic: 20%, for: 8d, approval: true}, {traffic: 50%}], on_breach: hold}",
		"goals: [sales]", "goals: [sales]\nguardrails: [{metric: errors, margin: 1%, mode: notify}]")
	for _, tt := range []struct {
		name   string
		edit   []string
		want   Class
		reason string
	}{
		{"further", []string{"{traffic: 50%}", "{traffic: 60%}"}, Grow, "step 3 of its ramp 50% → 60%"},
		{"less far", []string{"{traffic: 50%}", "{traffic: 40%}"}, Shrink, "step 3 of its ramp 50% → 40%"},
		{"another step", []string{"{traffic: 50%}", "{traffic: 50%, for: 8d}, {traffic: 70%}"}, Grow, "3 → 4 steps"},
		{"sooner", []string{"for: 8d, units", "for: 7d, units"}, Grow, "step 1 of its ramp may be left sooner"},
		{"later", []string{"units: 500", "units: 600"}, Shrink, "step 1 of its ramp asks for more"},
		{"unasked", []string{", approval: true", ""}, Grow, "step 2 of its ramp may be left sooner"},
		{"back at a breach", []string{"on_breach: hold", "on_breach: revert"}, Shrink, "takes everybody out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, edited := parse(t, metricsText, ramp), parse(t, metricsText, edit(t, ramp, tt.edit...))
			at := day(t, "2026-02-20")
			check(t, "files", Classify(old.Rehearsal(), edited.Rehearsal(), at), tt.want, tt.reason)
			first, _, problems := experiment.Apply(nil, old, day(t, "2026-02-01"), "ada")
			if problems != nil {
				t.Fatal(problems.Err())
			}
			next, _, problems := experiment.Apply(first, edited, at, "ada")
			if problems != nil {
				t.Fatal(problems.Err())
			}
			check(t, "versions", Classify(first, next, at), tt.want, tt.reason)
		})
	}
}
