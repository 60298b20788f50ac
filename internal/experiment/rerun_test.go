package experiment

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const rerunHead = `# how it is laid out stays
key: x
owner: growth   # and who said so
variants: {a: 50%, b: 50%}
control: a
window: 7d
planned_units: 1000
goals: [conversion]
guardrails: [{metric: error_rate, margin: 0, mode: kill}]
kill_switch: s
`

// rerunOf applies a file at the first of March, ends or kills what it began if a kill is
// asked for, and asks for the next run in May.
func rerunOf(t *testing.T, text string, killed bool, wish RerunWish) (string, Rerun, error) {
	t.Helper()
	files := func(text string) []File {
		return append(load(t, "good/metrics/*.yaml"), File{Name: "experiments/x.yaml", Data: []byte(text)})
	}
	set := mustParse(t, files(text)...)
	v := mustApply(t, nil, set, day(t, "2026-03-01"))
	if killed {
		var err error
		if v, err = v.Kill("x", day(t, "2026-03-09"), 7, "harm", "ada", day(t, "2026-03-09")); err != nil {
			t.Fatal(err)
		}
	}
	now := day(t, "2026-05-01").Add(time.Hour)
	if killed {
		now = day(t, "2026-03-10").Add(time.Hour)
	}
	r, err := set.Rerun(v.Find("x"), files(text)[len(files(text))-1], wish, now)
	if err != nil {
		return "", r, err
	}
	next := mustApply(t, v, mustParse(t, files(string(r.File.Data))...), now)
	it := next.Find("x").Latest()
	if it.Number != r.Number || it.Repeats != r.Repeats || !it.Start.Equal(r.Start) || !it.EnrolUntil.Equal(r.EnrolUntil) || !it.End.Equal(r.End) || it.Retrospective {
		t.Errorf("in force %+v, promised %+v", it, r)
	}
	if before := next.Find("x").Iteration(1); !before.End.Equal(v.Find("x").Iteration(1).End) {
		t.Errorf("the first run became another: %+v", before)
	}
	return string(r.File.Data), r, nil
}

// TestRerun: however its iterations are written, the file gets one more that lasts as
// long, with the same phases, and keeps all else, comments too.
func TestRerun(t *testing.T) {
	for name, c := range map[string]struct {
		is, want string
		killed   bool
		wish     RerunWish
	}{
		"none": {is: "", want: `iterations:
  - {number: 1, start: 2026-03-01T00:00:00Z, enrol_until: 2026-03-29T00:00:00Z, end: 2026-04-05T00:00:00Z}
  - {number: 2, repeats: 1, start: 2026-05-03T00:00:00Z, enrol_until: 2026-05-31T00:00:00Z, end: 2026-06-07T00:00:00Z}
`},
		"block": {is: `iterations:
- start: 2026-03-01
  enrol_until: 2026-03-15 # two weeks
  salt: pepper
  phases:
    - {traffic: 10%}
    - {from: 2026-03-08, traffic: 50%, settle: 1h}

# the end
objective: o
`, want: `iterations:
- start: 2026-03-01
  enrol_until: 2026-03-15 # two weeks
  salt: pepper
  phases:
    - {traffic: 10%}
    - {from: 2026-03-08, traffic: 50%, settle: 1h}
- {number: 2, repeats: 1, start: 2026-06-01T00:00:00Z, enrol_until: 2026-06-15T00:00:00Z, end: 2026-06-22T00:00:00Z, salt: "salt: new", phases: [{traffic: 10%}, {from: 2026-06-08T00:00:00Z, traffic: 50%, settle: 1h}]}

# the end
objective: o
`, wish: RerunWish{Start: day(t, "2026-06-01"), Salt: "salt: new"}},
		"flow": {is: `iterations: [{start: 2026-03-01, end: 2026-03-20}] # one
`, want: `iterations: [{start: 2026-03-01, end: 2026-03-20}, {number: 2, repeats: 1, start: 2026-05-03T00:00:00Z, enrol_until: 2026-05-22T00:00:00Z, end: 2026-05-22T00:00:00Z}] # one
`},
		"ramp": {is: `iterations:
  - {start: 2026-03-01, ramp: {steps: [{traffic: 1%, for: 1d, units: 100}, {traffic: 10%, settle: 1h, approval: true}, {traffic: 50%}], on_breach: revert}}
`, want: `iterations:
  - {start: 2026-03-01, ramp: {steps: [{traffic: 1%, for: 1d, units: 100}, {traffic: 10%, settle: 1h, approval: true}, {traffic: 50%}], on_breach: revert}}
  - {number: 2, repeats: 1, start: 2026-05-03T00:00:00Z, enrol_until: 2026-05-31T00:00:00Z, end: 2026-06-07T00:00:00Z, ramp: {steps: [{traffic: 1%, for: 1d, units: 100}, {traffic: 10%, settle: 1h, approval: true}, {traffic: 50%}], on_breach: revert}}
`},
		"dated": {is: `looks: {design: pocock, at: [2026-03-10, "2026-03-20"]}
iterations:
  - start: 2026-03-01
`, want: `looks: {design: pocock, at: ["2026-05-12T00:00:00Z", "2026-05-22T00:00:00Z"]}
iterations:
  - start: 2026-03-01
  - {number: 2, repeats: 1, start: 2026-05-03T00:00:00Z, enrol_until: 2026-05-31T00:00:00Z, end: 2026-06-07T00:00:00Z}
`},
		"killed": {killed: true, is: `iterations:
  - start: 2026-03-01
    enrol_until: 2026-03-21
`, want: `iterations:
  - end: 2026-03-09T00:00:00Z
    start: 2026-03-01
    enrol_until: 2026-03-09T00:00:00Z
  - {number: 2, repeats: 1, start: 2026-03-12T00:00:00Z, enrol_until: 2026-04-01T00:00:00Z, end: 2026-04-08T00:00:00Z}
`},
		"killed, flow": {killed: true, is: `iterations: [{start: 2026-03-01, end: 2026-04-01}]
`, want: `iterations: [{start: 2026-03-01, end: 2026-03-09T00:00:00Z}, {number: 2, repeats: 1, start: 2026-03-12T00:00:00Z, enrol_until: 2026-04-09T00:00:00Z, end: 2026-04-12T00:00:00Z}]
`},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := rerunOf(t, rerunHead+c.is, c.killed, c.wish)
			if err != nil {
				t.Fatal(err)
			}
			if got != rerunHead+c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.TrimPrefix(got, rerunHead), c.want)
			}
		})
	}
}

// TestRerunOfARerun repeats the first run, not the repetition.
func TestRerunOfARerun(t *testing.T) {
	_, r, err := rerunOf(t, rerunHead+"iterations: [{start: 2026-03-01, end: 2026-03-10}, {start: 2026-03-20, end: 2026-03-30, repeats: 1}]\n", false, RerunWish{})
	if err != nil || r.Number != 3 || r.Repeats != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestRerunRefuses: what has not begun, what is no iteration, other arms, no file.
func TestRerunRefuses(t *testing.T) {
	if _, _, err := rerunOf(t, rerunHead+"iterations: [{start: 2026-07-01}]\n", false, RerunWish{}); !errors.Is(err, ErrNotBegun) {
		t.Errorf("planned: %v", err)
	}
	if _, _, err := rerunOf(t, rerunHead, false, RerunWish{Repeats: 4}); !errors.Is(err, ErrUnknownIteration) {
		t.Errorf("unknown: %v", err)
	}
	set := mustParse(t, append(load(t, "good/metrics/*.yaml"), File{Name: "experiments/x.yaml", Data: []byte(rerunHead)})...)
	v := mustApply(t, nil, set, day(t, "2026-03-01"))
	e := v.Find("x")
	e.Variants[0].Key = "c"
	if _, err := set.Rerun(e, File{}, RerunWish{}, day(t, "2026-05-01")); !errors.Is(err, ErrArms) {
		t.Errorf("arms: %v", err)
	}
	e.Key = "y"
	if _, err := set.Rerun(e, File{}, RerunWish{}, day(t, "2026-05-01")); !errors.Is(err, ErrNoFile) {
		t.Errorf("file: %v", err)
	}
}

// TestRepeatsIsSaidBefore: what an iteration repeats cannot be said once it has begun.
func TestRepeatsIsSaidBefore(t *testing.T) {
	files := func(repeats string) *Set {
		return mustParse(t, append(load(t, "good/metrics/*.yaml"), File{Name: "experiments/x.yaml",
			Data: []byte(rerunHead + "iterations: [{start: 2026-03-01, end: 2026-03-10}, {start: 2026-04-01" + repeats + "}]\n")})...)
	}
	v := mustApply(t, nil, files(""), day(t, "2026-03-01"))
	if planned := mustApply(t, v, files(", repeats: 1"), day(t, "2026-03-20")); planned.Find("x").Latest().Repeats != 1 {
		t.Error("it could be said while it was planned")
	}
	if _, _, problems := Apply(v, files(", repeats: 1"), day(t, "2026-04-02"), "ada"); len(problems) != 1 || problems[0].Rule != RulePast {
		t.Errorf("problems %v", problems)
	}
}
