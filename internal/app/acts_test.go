package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/watch"
)

// ledgerOfActs takes down what reaches the hand.
type ledgerOfActs struct {
	actor string
	did   []string
	fail  error
	ended bool // the context was, when it killed
}

func (l *ledgerOfActs) note(format string, args ...any) error {
	l.did = append(l.did, l.actor+": "+fmt.Sprintf(format, args...))
	return l.fail
}

func (l *ledgerOfActs) Kill(ctx context.Context, o watch.Off) (guardrails.Kill, error) {
	l.ended = ctx.Err() != nil
	return guardrails.Kill{State: guardrails.Verified}, l.note("kill %s/%s in %d, %s", o.Experiment, o.Arm, o.Iteration, o.Reason)
}

func (l *ledgerOfActs) Drill(_ context.Context, o watch.Off) (watch.Drill, error) {
	return watch.Drill{}, l.note("drill %s/%s in %d, %s", o.Experiment, o.Arm, o.Iteration, o.Reason)
}

func (l *ledgerOfActs) Resume(_ context.Context, of watch.Named, reason string, rearm float64) (*experiment.Version, error) {
	return &experiment.Version{}, l.note("resume %s after %d at %g, %s", of.Experiment, of.Iteration, rearm, reason)
}

func (l *ledgerOfActs) Snooze(_ context.Context, of watch.Named, reason string, d time.Duration) (time.Time, error) {
	return time.Time{}, l.note("snooze %q for %s, %s", of.Experiment, d, reason)
}

func (l *ledgerOfActs) Acknowledge(_ context.Context, of watch.Named, phase uint16, reason string) error {
	return l.note("acknowledge %s phase %d, %s", of.Experiment, phase, reason)
}

func (l *ledgerOfActs) Ramp(_ context.Context, of watch.Named, act, reason string) (watch.RampSaid, error) {
	return watch.RampSaid{Decision: 8}, l.note("%s the ramp of %s/%d, %s", act, of.Experiment, of.Iteration, reason)
}

func (l *ledgerOfActs) Note(_ context.Context, of watch.Named, text string) (uint64, error) {
	return 7, l.note("note on %s/%d: %s", of.Experiment, of.Iteration, text)
}

// teams is who owns what.
type teams map[string]string

func (o teams) Owner(_ context.Context, key string) (string, error) { return o[key], nil }

// ungoverned is where nothing needs an approval.
type ungoverned struct{}

func (ungoverned) Approve(context.Context, string, acts.Approve) (*governance.Proposal, error) {
	return nil, errNoChange
}
func (ungoverned) Resume(context.Context, string, float64, string) error { return nil }

func (o teams) Readers(context.Context, string) ([]string, error) { return nil, nil }

func newActs(l *ledgerOfActs) (*Acts, *bytes.Buffer) {
	var log bytes.Buffer
	return &Acts{
		owners: teams{"checkout": "growth", "cart": "carts"}, changes: ungoverned{}, audit: slog.New(slog.NewTextHandler(&log, nil)),
		hand: func(actor string) (hand, error) { l.actor = actor; return l, nil },
	}, &log
}

// all tries every act on an experiment.
func all(ctx context.Context, a *Acts, who access.Principal, on acts.On) map[string]error {
	_, kill := a.Kill(ctx, who, acts.Kill{On: on, Arm: "b"})
	_, drill := a.Drill(ctx, who, acts.Kill{On: on})
	_, resume := a.Resume(ctx, who, acts.Resume{On: on, Rearm: .05})
	_, snooze := a.Snooze(ctx, who, acts.Snooze{On: on, For: time.Hour})
	ack := a.Acknowledge(ctx, who, acts.Acknowledge{On: on, Phase: 2})
	_, note := a.Note(ctx, who, acts.Note{On: on})
	stop := on
	stop.Experiment = ""
	_, stopAll := a.Snooze(ctx, who, acts.Snooze{On: stop, For: time.Hour})
	return map[string]error{"kill": kill, "drill": drill, "resume": resume, "snooze": snooze, "acknowledge": ack, "note": note, "stop": stopAll}
}

// TestActsAllowed: what is done carries the person's name and all of the order.
func TestActsAllowed(t *testing.T) {
	l := &ledgerOfActs{}
	a, log := newActs(l)
	ada := access.Principal{Name: "ada", Role: access.Operator, Login: "token"}
	for act, err := range all(t.Context(), a, ada, acts.On{Experiment: "checkout", Iteration: 3, Reason: "it hurts"}) {
		if err != nil {
			t.Errorf("%s: %v", act, err)
		}
	}
	want := []string{
		"ada: kill checkout/b in 3, it hurts", "ada: drill checkout/ in 3, it hurts", "ada: resume checkout after 3 at 0.05, it hurts",
		`ada: snooze "checkout" for 1h0m0s, it hurts`, "ada: acknowledge checkout phase 2, it hurts", "ada: note on checkout/3: it hurts", `ada: snooze "" for 1h0m0s, it hurts`,
	}
	if diff := cmp.Diff(want, l.did); diff != "" {
		t.Error(diff)
	}
	if log.Len() > 0 {
		t.Errorf("audit: %s", log)
	}
}

// TestActsRefused: who may not does nothing, whoever calls the service, and every try
// is a line of the audit log with the name, the act and the reason.
func TestActsRefused(t *testing.T) {
	on := acts.On{Experiment: "checkout", Iteration: 3, Reason: "it hurts"}
	for _, c := range []struct {
		who  access.Principal
		may  string // acts
		what string
	}{
		{access.Principal{Name: "ada", Role: access.Admin}, "", "nobody knows who it is"},
		{access.Principal{Name: "vi", Role: access.Viewer, Groups: []string{"growth"}, Login: "token"}, "", "a viewer"},
		{access.Principal{Name: "an", Role: access.Analyst, Groups: []string{"growth"}, Login: "token"}, "", "an analyst"},
		{access.Principal{Name: "ow", Role: access.Owner, Groups: []string{"carts"}, Login: "jwt"}, "", "another's owner"},
		{access.Principal{Name: "ow", Role: access.Owner, Groups: []string{"growth"}, Login: "jwt"}, "kill drill resume snooze acknowledge note", "the owner"},
		{access.Principal{Name: "ci", Role: access.Operator, Only: []string{"cart"}, Login: "token"}, "", "an operator of another one"},
	} {
		l := &ledgerOfActs{}
		a, log := newActs(l)
		for act, err := range all(t.Context(), a, c.who, on) {
			if strings.Contains(c.may, act) {
				if err != nil {
					t.Errorf("%s: %s: %v", c.what, act, err)
				}
				continue
			}
			if acts.CodeOf(err) != acts.Forbidden {
				t.Errorf("%s: %s: %v", c.what, act, err)
			}
		}
		if n := len(strings.Fields(c.may)); len(l.did) != n || strings.Count(log.String(), "act refused") != 7-n {
			t.Errorf("%s: did %q; audit:\n%s", c.what, l.did, log)
		}
		if text := log.String(); c.may == "" && (!strings.Contains(text, "actor="+c.who.Name) || !strings.Contains(text, "action=kill") ||
			!strings.Contains(text, `reason="it hurts"`) || !strings.Contains(text, "code=forbidden")) {
			t.Errorf("%s: audit:\n%s", c.what, text)
		}
	}
}

// TestActsCodes: what cannot be done is told from what may not, and is told too.
func TestActsCodes(t *testing.T) {
	ada := access.Principal{Name: "ada", Role: access.Admin, Login: "token"}
	for err, want := range map[error]acts.Code{
		experiment.ErrUnknown: acts.Unknown, watch.ErrStale: acts.Stale, watch.ErrNotRunning: acts.Conflict, watch.ErrKilled: acts.Conflict,
		experiment.ErrNotKilled: acts.Conflict, experiment.ErrPlanned: acts.Conflict, watch.ErrNoAlarm: acts.Conflict, watch.ErrSnooze: acts.Invalid,
		watch.ErrArm: acts.Invalid, experiment.ErrNoSwitch: acts.Invalid, experiment.ErrAlphaKill: acts.Invalid, errors.New("no route to host"): acts.Unavailable,
	} {
		a, log := newActs(&ledgerOfActs{fail: fmt.Errorf("checkout: %w", err)})
		_, got := a.Kill(t.Context(), ada, acts.Kill{On: acts.On{Experiment: "checkout", Reason: "why"}})
		if acts.CodeOf(got) != want || !errors.Is(got, err) || !strings.Contains(log.String(), "code="+string(want)) {
			t.Errorf("%v: code %s, want %s; audit %s", err, acts.CodeOf(got), want, log)
		}
	}
	for _, reason := range []string{"", "  ", strings.Repeat("x", 501), "a\nb", "a\x00", "\xff"} {
		l := &ledgerOfActs{}
		a, _ := newActs(l)
		for act, err := range all(t.Context(), a, ada, acts.On{Experiment: "checkout", Reason: reason}) {
			if acts.CodeOf(err) != acts.Invalid || len(l.did) > 0 {
				t.Errorf("%s because of %q: %v, did %q", act, reason, err, l.did)
			}
		}
	}
}

// TestActsLast: a kill ordered over HTTP goes on when the browser is gone; one of the
// command line can be stopped.
func TestActsLast(t *testing.T) {
	for _, lasts := range []bool{false, true} {
		l := &ledgerOfActs{}
		a, _ := newActs(l)
		a.lasts = lasts
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.Kill(ctx, access.Principal{Name: "ada", Role: access.Admin, Login: "token"}, acts.Kill{On: acts.On{Experiment: "checkout", Reason: "why"}}); err != nil {
			t.Fatal(err)
		}
		if l.ended == lasts {
			t.Errorf("lasting %v: the kill's context had ended: %v", lasts, l.ended)
		}
	}
}
