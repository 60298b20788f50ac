package experiment

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// baseSet is the set of testdata/base.yaml, edited.
func baseSet(t *testing.T, edits ...string) *Set {
	t.Helper()
	f := load(t, "base.yaml")[0]
	for i := 0; i+1 < len(edits); i += 2 {
		if !strings.Contains(string(f.Data), edits[i]) {
			t.Fatalf("the base has no %q", edits[i])
		}
		f.Data = []byte(strings.Replace(string(f.Data), edits[i], edits[i+1], 1))
	}
	return mustParse(t, append(load(t, "good/metrics/*.yaml"), f)...)
}

// killed is the base killed on the tenth at noon.
func killed(t *testing.T) (*Version, time.Time) {
	t.Helper()
	at := day(t, "2026-03-10").Add(12 * time.Hour)
	v, err := base(t).Kill("x", at.Add(999*time.Microsecond), 41, "error_rate breached", "guard", at.Add(3*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return v, at
}

func TestKillEndsTheIteration(t *testing.T) {
	v, at := killed(t)
	if v.Number != 2 || v.Author != "guard" || v.Reason != "error_rate breached" || !v.AppliedAt.Equal(at.Add(3*time.Second)) {
		t.Errorf("version %d by %s at %s: %s", v.Number, v.Author, v.AppliedAt, v.Reason)
	}
	it := v.Find("x").Latest()
	if !it.End.Equal(at) || !it.EnrolUntil.Equal(at) {
		t.Errorf("ends %s, enrols until %s, want %s", it.End, it.EnrolUntil, at)
	}
	if diff := cmp.Diff(&Killed{At: at, Decision: 41, Reason: "error_rate breached"}, it.Killed); diff != "" {
		t.Error(diff)
	}
	if len(it.Phases) != 2 {
		t.Errorf("%d phases, want the two that had begun", len(it.Phases))
	}
	if err := v.Validate(); err != nil {
		t.Error(err)
	}
	if !Counting(base(t), v, "x") {
		t.Error("a kill changes what is counted")
	}
}

// The file still lists the old end and a phase that never came. Applying it again
// changes nothing, whatever the time.
func TestApplyNeverRaisesAKilledIteration(t *testing.T) {
	v, at := killed(t)
	for _, later := range []time.Duration{0, time.Hour, 60 * 24 * time.Hour} {
		next, changes, problems := Apply(v, baseSet(t), at.Add(later), "operator")
		if next != nil || changes != nil || problems != nil {
			t.Errorf("%s later: %v %v %v", later, next, changes, problems)
		}
	}
	set := baseSet(t, "enrol_until: 2026-03-29", "enrol_until: 2026-06-01\n    end: 2026-07-01")
	if next, _, problems := Apply(v, set, at.Add(time.Hour), "operator"); next != nil || problems != nil {
		t.Errorf("a later end raised it: %v %v", next, problems)
	}
	_, _, problems := Apply(v, baseSet(t, "traffic: 50%", "traffic: 60%"), at.Add(time.Hour), "operator")
	if len(problems) != 1 || problems[0].Rule != RulePast {
		t.Errorf("want the past kept, got %v", problems)
	}
}

func TestKillRefusals(t *testing.T) {
	v, at := killed(t)
	running := base(t)
	for name, c := range map[string]struct {
		v    *Version
		key  string
		at   time.Time
		want error
	}{
		"unknown":         {running, "y", at, ErrUnknown},
		"before":          {running, "x", day(t, "2026-02-28"), ErrNotRunning},
		"at the start":    {running, "x", day(t, "2026-03-01"), ErrNotRunning},
		"after the end":   {running, "x", day(t, "2026-05-01"), ErrNotRunning},
		"twice":           {v, "x", at.Add(time.Second), ErrNotRunning},
		"twice, and back": {v, "x", at.Add(-time.Second), ErrNotRunning},
	} {
		if next, err := c.v.Kill(c.key, c.at, 1, "r", "a", at); next != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// After enrolment has ended a kill cuts only the outcomes.
func TestKillAfterEnrolment(t *testing.T) {
	at := day(t, "2026-04-01")
	v, err := base(t).Kill("x", at, 1, "r", "guard", at)
	if err != nil {
		t.Fatal(err)
	}
	it := v.Find("x").Latest()
	if !it.EnrolUntil.Equal(day(t, "2026-03-29")) || !it.End.Equal(at) || len(it.Phases) != 3 {
		t.Errorf("enrols until %s, ends %s, %d phases", it.EnrolUntil, it.End, len(it.Phases))
	}
}

func TestResume(t *testing.T) {
	for name, c := range map[string]struct {
		rearm, alpha float64
		notifyOnly   bool
		mode         Mode
	}{
		"notify": {0, 0.05, true, Notify},
		"rearm":  {0.02, 0.02, false, Kill},
	} {
		t.Run(name, func(t *testing.T) {
			v, at := killed(t)
			// While nothing runs a metric was edited and a guardrail got mode kill.
			files := append(load(t, "good/metrics/*.yaml"), load(t, "base.yaml")...)
			for i := range files {
				files[i].Data = []byte(strings.NewReplacer("event: page_timing", "event: page_load", "margin: 0, mode: notify", "margin: 0, mode: kill").Replace(string(files[i].Data)))
			}
			v = mustApply(t, v, mustParse(t, files...), at.Add(time.Hour))
			now := at.Add(2 * time.Hour)
			v, err := v.Resume("x", c.rearm, "mended", "oncall", now)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Validate(); err != nil {
				t.Fatal(err)
			}
			e := v.Find("x")
			it := e.Latest()
			if it.Number != 2 || it.Resumes != 1 || !it.Start.Equal(now) || it.NotifyOnly != c.notifyOnly || it.AlphaKill != c.alpha || it.Salt != "pepper" {
				t.Errorf("resumed as %+v", it)
			}
			if got := it.Metric("latency").Event; got != "page_load" {
				t.Errorf("latency counts %s, want the text that was applied last", got)
			}
			if got := e.Iterations[0].Metric("latency").Event; got != "page_timing" {
				t.Errorf("iteration 1 counts %s", got)
			}
			if it.Phases[0].Traffic != 0.5 || len(it.Phases) != 1 {
				t.Errorf("phases %+v, want one at the traffic before the kill", it.Phases)
			}
			if got := it.ModeOf(e.Guardrails[0]); got != c.mode {
				t.Errorf("error_rate may %s, want %s", got, c.mode)
			}
			// The file does not list iteration 2: that takes nothing away from it.
			if next, _, problems := Apply(v, mustParse(t, files...), now.Add(time.Hour), "operator"); next != nil || problems != nil {
				t.Errorf("applied again: %v %v", next, problems)
			}
		})
	}
}

// A resumed iteration is ended by its file like any other.
func TestResumedIterationInTheFile(t *testing.T) {
	v, at := killed(t)
	v, err := v.Resume("x", 0, "mended", "oncall", at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	set := baseSet(t, "      - {from: 2026-03-22, traffic: 100%}\n", "  - {number: 2, end: 2026-03-20}\n")
	next := mustApply(t, v, set, at.Add(2*time.Hour))
	it := next.Find("x").Latest()
	if !it.End.Equal(day(t, "2026-03-20")) || !it.Start.Equal(at.Add(time.Hour)) || it.Phases[0].Traffic != 0.5 || !it.NotifyOnly || it.Resumes != 1 {
		t.Errorf("got %+v", it)
	}
}

func TestResumeRefusals(t *testing.T) {
	v, at := killed(t)
	noSwitch, _, problems := Apply(v, baseSet(t, "kill_switch: s\n", ""), at.Add(time.Hour), "operator")
	if problems != nil {
		t.Fatal(problems)
	}
	planned := mustApply(t, v, baseSet(t, "      - {from: 2026-03-22, traffic: 100%}\n", "  - {start: 2026-06-01}\n"), at.Add(time.Hour))
	now := at.Add(2 * time.Hour)
	for name, c := range map[string]struct {
		v     *Version
		key   string
		alpha float64
		want  error
	}{
		"unknown":       {v, "y", 0, ErrUnknown},
		"not killed":    {base(t), "x", 0, ErrNotKilled},
		"budget":        {v, "x", 0.6, ErrAlphaKill},
		"less than 0":   {v, "x", -0.1, ErrAlphaKill},
		"no switch":     {noSwitch, "x", 0.05, ErrNoSwitch},
		"other planned": {planned, "x", 0, ErrPlanned},
	} {
		if next, err := c.v.Resume(c.key, c.alpha, "r", "a", now); next != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A running experiment needs its file; an ended one is kept without; one that
// never began goes.
func TestVanishedFile(t *testing.T) {
	without := mustParse(t, load(t, "good/metrics/*.yaml")...)
	_, _, problems := Apply(base(t), without, day(t, "2026-03-15"), "operator")
	if len(problems) != 1 || problems[0].Rule != RuleFileGone {
		t.Fatalf("got %v", problems)
	}
	const want = "experiment x has no file, but its iteration 1 runs until 2026-04-05T00:00:00Z\n" +
		"     hint: bring the file back; to end the experiment write end: in it, apply, and take it away when that time has passed"
	if diff := cmp.Diff(want, problems.Error()); diff != "" {
		t.Error(diff)
	}
	if next, _, problems := Apply(base(t), without, day(t, "2026-04-05"), "operator"); next != nil || problems != nil {
		t.Errorf("an ended experiment: %v %v", next, problems)
	}
	planned := mustApply(t, nil, baseSet(t), day(t, "2026-02-01"))
	next, changes, problems := Apply(planned, without, day(t, "2026-02-02"), "operator")
	if problems != nil || len(next.Experiments) != 0 {
		t.Errorf("a planned experiment: %v %v", next, problems)
	}
	if !slices.Contains(changes, Change{"x", "withdrawn before its start", true}) {
		t.Errorf("changes %v", changes)
	}
}

// A start in the past makes an iteration retrospective, one at the apply does
// not, and a planned one stays what it was when its time comes.
func TestRetrospective(t *testing.T) {
	for when, want := range map[string]bool{"2026-02-01": false, "2026-03-01": false, "2026-03-02": true} {
		v := mustApply(t, nil, baseSet(t), day(t, when))
		if got := v.Find("x").Latest().Retrospective; got != want {
			t.Errorf("applied on %s: %v", when, got)
		}
		later, _, problems := Apply(v, baseSet(t, "owner: growth", "owner: care"), day(t, "2026-03-05"), "operator")
		if problems != nil || later.Find("x").Latest().Retrospective != want {
			t.Errorf("applied on %s and again: %v", when, problems)
		}
	}
}
