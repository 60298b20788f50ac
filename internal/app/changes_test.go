package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
)

// governed is a configuration whose changes need approvals, in memory.
type governed struct {
	t       *testing.T
	list    []experiment.Version
	lines   []guardrails.Entry
	now     time.Time
	changes *changes
	acts    *Acts
	audit   *strings.Builder
	holds   map[string]string // why experiments are held
	taken   int               // so many appends find that somebody else was faster
}

func newGoverned(t *testing.T, operator int) *governed {
	g := &governed{t: t, now: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), audit: &strings.Builder{}}
	g.changes = &changes{operator: operator, log: g, versions: g, now: func() time.Time { return g.now },
		held: func(_ context.Context, e *experiment.Experiment, _ time.Time) (string, error) {
			return g.holds[e.Key], nil
		}}
	g.acts = &Acts{owners: teams{}, changes: g.changes, audit: slog.New(slog.NewTextHandler(g.audit, nil)), hand: func(string) (hand, error) { return nil, nil }}
	return g
}

func (g *governed) Version(context.Context) (experiment.Version, error) {
	if len(g.list) == 0 {
		return experiment.Version{}, nil
	}
	return g.list[len(g.list)-1], nil
}

func (g *governed) AppendVersion(_ context.Context, v experiment.Version) error {
	if int(v.Number) != len(g.list)+1 {
		return &clickhouse.ConflictError{}
	}
	g.list = append(g.list, v)
	return nil
}

func (g *governed) Of(_ context.Context, key string) (lines []guardrails.Entry, last uint64, head string, err error) {
	for _, e := range g.lines {
		if e.Experiment == key {
			lines = append(lines, e)
		}
	}
	return lines, uint64(len(g.lines)), fmt.Sprint(len(g.lines)), nil
}

func (g *governed) Append(_ context.Context, e guardrails.Entry, after string) (string, error) {
	if g.taken > 0 {
		g.taken--
		g.lines = append(g.lines, guardrails.Entry{Seq: uint64(len(g.lines) + 1), Kind: guardrails.Noted, Experiment: "y"})
	}
	if e.Seq != uint64(len(g.lines)+1) || after != fmt.Sprint(len(g.lines)) {
		return "", guardrails.ErrTaken
	}
	g.lines = append(g.lines, e)
	return "", nil
}

const governedText = `key: x
owner: growth
variants: {control: 50%, a: 50%}
control: control
goals: [m]
guardrails: [{metric: m, margin: 0, mode: observe}]
iterations:
  - start: 2026-03-01
    enrol_until: 2026-03-20
    end: 2026-04-01
    phases: [{traffic: 10%}]
`

// apply applies files, an hour later than what came before.
func (g *governed) apply(author string, texts ...string) (Applied, error) {
	g.t.Helper()
	g.now = g.now.Add(time.Hour)
	files := []experiment.File{{Name: "metrics/m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: proportion\ndirection: increase\n")}}
	for i, text := range texts {
		files = append(files, experiment.File{Name: fmt.Sprintf("experiments/%d.yaml", i), Data: []byte(text)})
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		g.t.Fatal(err)
	}
	return apply(g.t.Context(), g, g.changes, set, author, func() time.Time { return g.now })
}

// must applies what needs nobody, or has everybody.
func (g *governed) must(author string, texts ...string) {
	g.t.Helper()
	if done, err := g.apply(author, texts...); err != nil || len(done.Waiting) > 0 {
		g.t.Fatalf("not applied: %v, %+v", err, done.Waiting)
	}
}

// waits applies what must wait, and gives its hash.
func (g *governed) waits(author string, texts ...string) string {
	g.t.Helper()
	done, err := g.apply(author, texts...)
	if err != nil || len(done.Waiting) != 1 {
		g.t.Fatalf("it does not wait: %v, %+v", err, done)
	}
	return done.Waiting[0].Hash
}

func (g *governed) approve(name string, role access.Role, o acts.Approve) error {
	o.Experiment, o.Reason = "x", "looked at it"
	_, err := g.acts.Approve(g.t.Context(), access.Principal{Name: name, Role: role, Login: "token"}, o)
	return err
}

// agree lets somebody approve who may.
func (g *governed) agree(name, hash string) {
	g.t.Helper()
	if err := g.approve(name, access.Approver, acts.Approve{Hash: hash}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *governed) traffic() float64 {
	it := g.list[len(g.list)-1].Find("x").Latest()
	return it.Phases[len(it.Phases)-1].Traffic
}

func withPhase(text, phase string) string {
	return strings.Replace(text, "[{traffic: 10%}]", "[{traffic: 10%}, "+phase+"]", 1)
}

// TestApprovals: what grows waits until somebody else agreed to exactly that.
func TestApprovals(t *testing.T) {
	g := newGoverned(t, 1)
	hash := g.waits("ada", governedText)
	if g.list[0].Find("x") != nil { // the metric's file is in force, which needs nobody
		t.Fatal("it was applied without an approval")
	}
	if again := g.waits("ada", governedText); again != hash || len(g.lines) != 1 {
		t.Errorf("tried again: %s for %s, %d lines", again, hash, len(g.lines))
	}
	g.agree("bob", hash)
	g.must("ada", governedText)
	last := g.lines[len(g.lines)-1]
	if last.Kind != guardrails.ChangeApplied || last.Change != hash || last.Config != 2 || !strings.Contains(last.Text, "approved by bob (decision 2)") {
		t.Errorf("the log ends with %+v", last)
	}

	raised := withPhase(governedText, "{traffic: 50%}")
	hash = g.waits("ada", raised)
	if g.traffic() != 0.1 {
		t.Fatal("more traffic without an approval")
	}
	g.agree("bob", hash)
	g.must("ada", raised)
	if g.traffic() != 0.5 {
		t.Error("approved, and not applied")
	}
}

// TestShrinkWaitsForNobody: neither the experiment's own pause nor that of another one,
// while something grows that nobody has agreed to.
func TestShrinkWaitsForNobody(t *testing.T) {
	g := newGoverned(t, 1)
	g.agree("bob", g.waits("ada", governedText))
	g.must("ada", governedText)
	g.must("ada", withPhase(governedText, "{traffic: 0%}"))
	if g.traffic() != 0 {
		t.Error("not paused")
	}
	other := strings.Replace(strings.Replace(governedText, "key: x", "key: y", 1), "10%", "90%", 1)
	g.waits("ada", withPhase(governedText, "{traffic: 0%}, {traffic: 0%}"), other) // y is new and waits
	if v := g.list[len(g.list)-1]; v.Find("y") != nil || len(v.Find("x").Latest().Phases) != 3 {
		t.Error("x waited for y, or y for nobody")
	}
	g.must("ada", strings.Replace(withPhase(governedText, "{traffic: 0%}, {traffic: 0%}"), "owner: growth", "owner: search", 1))
}

// TestApprovalVoid: an approval is of one text against one state, and serves once.
func TestApprovalVoid(t *testing.T) {
	start := func(t *testing.T) *governed {
		g := newGoverned(t, 1)
		g.agree("bob", g.waits("ada", governedText))
		g.must("ada", governedText)
		return g
	}
	later := func(percent int) string {
		return withPhase(governedText, fmt.Sprintf("{from: 2026-03-10, traffic: %d%%}", percent))
	}
	t.Run("edited", func(t *testing.T) {
		g := start(t)
		hash := g.waits("ada", later(50))
		g.agree("bob", hash)
		edited := g.waits("ada", later(51))
		if edited == hash {
			t.Error("the same hash after an edit")
		}
		if back := g.waits("ada", later(50)); back != hash {
			t.Error("the edit taken back is another change")
		} // and its approval does not come back with it
	})
	t.Run("edited in a text", func(t *testing.T) {
		g := start(t)
		g.agree("bob", g.waits("ada", later(50)))
		g.waits("ada", strings.Replace(later(50), "owner: growth", "owner: growth\nhypothesis: another", 1))
	})
	t.Run("what is in force moved on", func(t *testing.T) {
		g := start(t)
		g.agree("bob", g.waits("ada", later(50)))
		g.must("ada", strings.Replace(governedText, "end: 2026-04-01", "end: 2026-03-30", 1))
		if err := g.approve("carol", access.Approver, acts.Approve{}); acts.CodeOf(err) != acts.Stale {
			t.Errorf("approved against what is no longer in force: %v", err)
		}
		g.waits("ada", strings.Replace(later(50), "end: 2026-04-01", "end: 2026-03-30", 1))
	})
	t.Run("used", func(t *testing.T) {
		g := start(t)
		g.agree("bob", g.waits("ada", later(50)))
		g.must("ada", later(50))
		g.must("ada", governedText) // the rise withdrawn: all is as before it
		g.waits("ada", later(50))
	})
	t.Run("withdrawn", func(t *testing.T) {
		g := start(t)
		hash := g.waits("ada", later(50))
		g.agree("bob", hash)
		if err := g.approve("bob", access.Approver, acts.Approve{Withdraw: true}); err != nil {
			t.Fatal(err)
		}
		g.waits("ada", later(50))
	})
	t.Run("by its author", func(t *testing.T) {
		g := start(t)
		g.agree("bob", g.waits("ada", later(50)))
		g.waits("bob", later(50)) // who approved it wants to apply it
		g.waits("ada", later(50)) // and is one of its authors from then on
		g.agree("carol", "")
		g.must("ada", later(50))
	})
}

// TestApprovalsCount: the file may ask for more than the operator, and asking for fewer is a
// change that needs as many as before.
func TestApprovalsCount(t *testing.T) {
	g := newGoverned(t, 0)
	g.must("ada", strings.Replace(governedText, "key: x", "key: free", 1))
	two := strings.Replace(governedText, "owner: growth", "owner: growth\napprovals: 2", 1)
	hash := g.waits("ada", strings.Replace(governedText, "key: x", "key: free", 1), two)
	g.agree("bob", hash)
	g.waits("ada", strings.Replace(governedText, "key: x", "key: free", 1), two)
	g.agree("carol", hash)
	g.must("ada", strings.Replace(governedText, "key: x", "key: free", 1), two)
	g.waits("ada", strings.Replace(governedText, "key: x", "key: free", 1), governedText)
}

// TestApproveRefused: who may not, who wants it, who did; each is a line of the audit log.
func TestApproveRefused(t *testing.T) {
	g := newGoverned(t, 2)
	hash := g.waits("Ada@example.com", governedText)
	g.agree("bob", hash)
	for _, c := range []struct {
		name string
		role access.Role
		o    acts.Approve
		want acts.Code
		err  error
	}{
		{"vi", access.Viewer, acts.Approve{}, acts.Forbidden, nil},
		{"an", access.Analyst, acts.Approve{}, acts.Forbidden, nil},
		{"growth", access.Owner, acts.Approve{}, acts.Forbidden, nil},
		{"Ada@example.com", access.Approver, acts.Approve{}, acts.Forbidden, errOwnChange},
		{"ada@EXAMPLE.com", access.Admin, acts.Approve{}, acts.Forbidden, errOwnChange},
		{"bob", access.Approver, acts.Approve{}, acts.Conflict, errTwice},
		{"carol", access.Approver, acts.Approve{Withdraw: true}, acts.Conflict, errNotYours},
		{"carol", access.Approver, acts.Approve{Hash: strings.Repeat("0", 64)}, acts.Stale, errEdited},
	} {
		g.audit.Reset()
		lines := len(g.lines)
		err := g.approve(c.name, c.role, c.o)
		if acts.CodeOf(err) != c.want || c.err != nil && !errors.Is(err, c.err) || len(g.lines) != lines {
			t.Errorf("%s, %+v: %v", c.name, c.o, err)
		}
		if text := g.audit.String(); !strings.Contains(text, "act refused") || !strings.Contains(text, "action=approve") || !strings.Contains(text, "actor="+c.name) || !strings.Contains(text, "code="+string(c.want)) {
			t.Errorf("%s: audit %s", c.name, text)
		}
	}
	if _, err := g.acts.Approve(t.Context(), access.Principal{Name: "carol", Role: access.Approver, Login: "token"}, acts.Approve{On: acts.On{Experiment: "nothing", Reason: "why"}}); acts.CodeOf(err) != acts.Unknown {
		t.Errorf("nothing waits: %v", err)
	}
}

// TestApprovalRace: somebody else writes to the log between reading it and appending.
func TestApprovalRace(t *testing.T) {
	g := newGoverned(t, 1)
	hash := g.waits("ada", governedText)
	g.taken = 2
	g.agree("bob", hash)
	if n := len(g.lines); n != 4 || g.lines[3].Kind != guardrails.ChangeApproved || g.lines[3].Seq != 4 {
		t.Errorf("%d lines: %+v", n, g.lines)
	}
}

// TestResumeWaits: to start again after a kill is to grow. The kill waited for nobody.
func TestResumeWaits(t *testing.T) {
	g := newGoverned(t, 1)
	g.agree("bob", g.waits("ada", governedText))
	g.must("ada", governedText)
	l := &ledgerOfActs{}
	g.acts.hand = func(actor string) (hand, error) { l.actor = actor; return l, nil }
	op := access.Principal{Name: "op", Role: access.Operator, Login: "token"}
	on := acts.On{Experiment: "x", Iteration: 1, Reason: "why"}
	if _, err := g.acts.Kill(t.Context(), op, acts.Kill{On: on}); err != nil {
		t.Fatal(err)
	}
	killed, err := g.list[len(g.list)-1].Kill("x", g.now, 1, "harm", "guard", g.now)
	if err != nil {
		t.Fatal(err)
	}
	g.list = append(g.list, *killed)
	if _, err := g.acts.Resume(t.Context(), op, acts.Resume{On: on}); acts.CodeOf(err) != acts.Conflict || !errors.Is(err, errWaits) {
		t.Fatalf("resumed without an approval: %v", err)
	}
	if err := g.approve("op", access.Operator, acts.Approve{}); !errors.Is(err, errOwnChange) {
		t.Errorf("approved by who resumes: %v", err)
	}
	g.agree("bob", "")
	if _, err := g.acts.Resume(t.Context(), op, acts.Resume{On: on, Rearm: .05}); !errors.Is(err, errWaits) {
		t.Errorf("with another budget than was approved: %v", err)
	}
	g.agree("bob", "")
	if _, err := g.acts.Resume(t.Context(), op, acts.Resume{On: on, Rearm: .05}); err != nil {
		t.Error(err)
	}
	if want := "op: resume x after 1 at 0.05, why"; l.did[len(l.did)-1] != want {
		t.Errorf("the hand did %q", l.did)
	}
}

// TestHeldGrowsNothing: of an experiment that nobody looks after what grows is left as it
// is, with approvals too; what shrinks it, and others, go ahead.
func TestHeldGrowsNothing(t *testing.T) {
	for _, operator := range []int{0, 1} {
		g := newGoverned(t, operator)
		waiting := g.changes.operator
		g.changes.operator = 0
		g.must("ada", governedText, strings.ReplaceAll(governedText, "key: x", "key: y"))
		g.changes.operator = waiting
		g.holds = map[string]string{"x": "nobody looks after it; write a note"}
		grown := withPhase(governedText, "{traffic: 50%}")
		done, err := g.apply("ada", grown, strings.ReplaceAll(governedText, "key: x", "key: y")+"objective: sell\n")
		if err != nil || len(done.Held) != 1 || done.Held[0].Experiment != "x" || done.Held[0].Why != g.holds["x"] || len(done.Waiting) != 0 || done.Number != 2 {
			t.Fatalf("%v %+v", err, done)
		}
		if g.traffic() != .1 || g.list[1].Find("y").Objective != "sell" || len(g.lines) != 0 {
			t.Errorf("traffic %v, lines %v", g.traffic(), g.lines)
		}
		if done, err := g.apply("ada", withPhase(governedText, "{traffic: 5%}"), strings.ReplaceAll(governedText, "key: x", "key: y")+"objective: sell\n"); err != nil || len(done.Held) != 0 || g.traffic() != .05 {
			t.Errorf("less: %v %+v, traffic %v", err, done, g.traffic())
		}
	}
}

// TestProvedNames: with governance.proved an approval counts only of who has logged in, and
// only for an author who has; what shrinks asks nobody who they are. Without it a name
// that is said counts, and the log says that it was.
func TestProvedNames(t *testing.T) {
	g := newGoverned(t, 1)
	as := func(name, login string) context.Context {
		return access.With(t.Context(), access.Principal{Name: name, Role: access.Admin, Login: login})
	}
	apply := func(ctx context.Context, author, text string) Applied {
		t.Helper()
		g.now = g.now.Add(time.Hour)
		set, problems := experiment.Parse([]experiment.File{{Name: "m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: proportion\ndirection: increase\n")}, {Name: "x.yaml", Data: []byte(text)}})
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		done, err := apply(ctx, g, g.changes, set, author, func() time.Time { return g.now })
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	approve := func(name, login string) error {
		_, err := g.acts.Approve(t.Context(), access.Principal{Name: name, Role: access.Approver, Login: login}, acts.Approve{On: acts.On{Experiment: "x", Reason: "looked at it"}})
		return err
	}
	last := func() guardrails.Entry { return g.lines[len(g.lines)-1] }

	// Names that are said count, and say so.
	apply(as("ada", access.Said), "ada", governedText)
	if last().Login != access.Said {
		t.Errorf("the log says %q of ada", last().Login)
	}
	if err := approve("bob", access.Said); err != nil || last().Login != access.Said {
		t.Fatal(err, last().Login)
	}
	p := governance.Waiting(g.lines, "x")
	if len(p.Counting("ada")) != 1 || len(p.CountingProved("ada")) != 0 || len(p.Said) != 1 || p.Approvals[0].Login != access.Said {
		t.Errorf("%+v", p)
	}

	g.changes.proved = true
	if done := apply(as("ada", "token"), "ada", governedText); len(done.Waiting) != 1 {
		t.Error("an approval of nobody knows whom counted")
	}
	if err := approve("bob", access.Said); acts.CodeOf(err) != acts.Forbidden || !errors.Is(err, errSaid) {
		t.Errorf("bob approved without a login: %v", err)
	}
	if err := approve("eve", "session"); err != nil || last().Login != "session" {
		t.Fatal(err, last().Login)
	}
	if done := apply(as("ada", access.Said), "ada", governedText); len(done.Waiting) != 1 {
		t.Error("applied by nobody knows whom")
	}
	if done := apply(as("mallory", "token"), "ada", governedText); len(done.Waiting) != 1 {
		t.Error("applied under another name than the token's")
	}
	done := apply(as("ada", "token"), "ada", governedText)
	if len(done.Waiting) != 0 || last().Kind != guardrails.ChangeApplied || last().Login != "token" || strings.Contains(last().Text, "bob") {
		t.Fatalf("%+v %+v", done, last())
	}
	if v := g.list[len(g.list)-1]; v.Login != "token" || v.Author != "ada" {
		t.Errorf("version %d is by %s (%q)", v.Number, v.Author, v.Login)
	}
	if done := apply(as("ada", access.Said), "ada", withPhase(governedText, "{traffic: 0%}")); len(done.Waiting) != 0 || g.traffic() != 0 {
		t.Error("a pause waited for a login")
	}
	if v := g.list[len(g.list)-1]; v.Login != "" {
		t.Errorf("version %d is proved by %q", v.Number, v.Login)
	}
}
