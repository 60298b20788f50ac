package experiment

import (
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15s": 15 * time.Second, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour, "2w": 336 * time.Hour,
		"0s": 0, "250ms": 250 * time.Millisecond,
	} {
		d, err := ParseDuration(text)
		if err != nil || d.Std() != want {
			t.Errorf("%s: %s, %v", text, d, err)
		}
		again, err := ParseDuration(d.String())
		if err != nil || again != d {
			t.Errorf("%s is written %s and read %s, %v", text, d, again, err)
		}
	}
	for _, text := range []string{"", "d", "1.5d", "x", "7 d", "106752d", "999999999w", "2562047h"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is read as %s", text, d)
		}
	}
}

// The caret stands under the column, whatever tabs and letters come before it.
func TestProblemCaret(t *testing.T) {
	p := Problem{File: "f.yaml", Line: 3, Column: 4, Source: "\té→x", Text: "no"}
	const want = "f.yaml:3:4: no\n   3 | \té→x\n       \t  ^"
	if got := p.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestProblemsErr(t *testing.T) {
	if err := Problems(nil).Err(); err != nil {
		t.Errorf("no problems are the error %v", err)
	}
	if err := (Problems{{Text: "a"}, {Text: "b", Hint: "c"}}).Err(); err == nil || err.Error() != "a\nb\n     hint: c" {
		t.Errorf("got %v", err)
	}
}

// After a kill the file may go on by itself: a written end frees the next start.
func TestNextIterationAfterAKill(t *testing.T) {
	v, at := killed(t)
	set := baseSet(t, "enrol_until: 2026-03-29", "end: 2026-03-10T12:00:00Z", "      - {from: 2026-03-22, traffic: 100%}\n", "  - {start: 2026-03-12}\n")
	v = mustApply(t, v, set, at.Add(time.Hour))
	its := v.Find("x").Iterations
	if len(its) != 2 || its[0].Killed == nil || !its[1].Start.Equal(day(t, "2026-03-12")) || its[1].NotifyOnly {
		t.Errorf("iterations %+v", its)
	}
}

// Goals that came after an iteration's end are not its own.
func TestAsOf(t *testing.T) {
	v := mustApply(t, base(t), baseSet(t, "goals: [conversion]", "goals: [conversion, revenue]",
		"      - {from: 2026-03-22, traffic: 100%}\n", "      - {from: 2026-03-22, traffic: 100%}\n  - {start: 2026-04-20}\n"), day(t, "2026-04-06"))
	e := v.Find("x")
	if got := strings.Join(e.AsOf(&e.Iterations[0]).Goals, " "); got != "conversion" {
		t.Errorf("iteration 1 wants %s", got)
	}
	if got := strings.Join(e.AsOf(&e.Iterations[1]).Goals, " "); got != "conversion revenue" {
		t.Errorf("iteration 2 wants %s", got)
	}
	if e.AsOf(&e.Iterations[1]) != e {
		t.Error("the experiment as it is was copied")
	}
}

// A guardrail kills when the cap of its metric has become a number, not before.
func TestAnOpenCapMayNotKill(t *testing.T) {
	it := Iteration{KillGuardrails: []string{"spend"}, Metrics: []Metric{{Name: "spend", Kind: Mean, Cap: &Cap{Percentile: 99}}}}
	g := Guardrail{Metric: "spend", Mode: Kill}
	if got := it.ModeOf(g); got != Notify {
		t.Errorf("with an open cap the mode is %s", got)
	}
	it.Metrics[0].Cap.At = "250"
	if got := it.ModeOf(g); got != Kill {
		t.Errorf("with a number the mode is %s", got)
	}
}

// A retention's events all count when its stretch has passed: that is its window.
func TestWindowOfARetention(t *testing.T) {
	e := Experiment{Window: Duration(time.Hour)}
	m := Metric{Kind: Retention, From: Duration(24 * time.Hour), To: Duration(72 * time.Hour)}
	if got := e.WindowOf(&m); got != m.To {
		t.Errorf("window %s", got)
	}
	if got := e.longestWindow([]Metric{m}); got != m.To.Std() {
		t.Errorf("longest window %s", got)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(Encode(base(t)))
	for name, text := range map[string]string{
		"no JSON":       "{",
		"unknown field": strings.Replace(good, `"owner"`, `"ovner"`, 1),
		"two values":    good + good,
		"control":       strings.Replace(good, `"control":"a"`, `"control":"c"`, 1),
		"number 0":      strings.Replace(good, `"number":1,"applied_at"`, `"number":0,"applied_at"`, 1),
		"late phase":    strings.Replace(good, `"from":"2026-03-22`, `"from":"2026-03-29`, 1),
		"share":         strings.Replace(good, `"shares":[0.5,0.5]`, `"shares":[0.5,0.4]`, 1),
		"kill rules":    strings.Replace(good, `"kill_rules":2`, `"kill_rules":3`, 1),
		"end":           strings.Replace(good, `"end":"2026-04-05`, `"end":"2026-02-05`, 1),
	} {
		if text == good {
			t.Fatalf("%s: the version has no such text", name)
		}
		if v, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s: decoded %+v", name, v)
		}
	}
	if _, err := Decode([]byte(good)); err != nil {
		t.Error(err)
	}
}
