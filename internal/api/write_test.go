package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
)

// fakeHand takes down what it is told.
type fakeHand struct {
	did  []string
	fail error
	kill guardrails.Kill
}

func (h *fakeHand) note(who access.Principal, on acts.On, format string, args ...any) {
	h.did = append(h.did, fmt.Sprintf("%s: %s of %s/%d, %s", who.Name, fmt.Sprintf(format, args...), on.Experiment, on.Iteration, on.Reason))
}

func (h *fakeHand) Kill(_ context.Context, who access.Principal, o acts.Kill) (guardrails.Kill, error) {
	h.note(who, o.On, "kill %q", o.Arm)
	return h.kill, h.fail
}

func (h *fakeHand) Drill(_ context.Context, who access.Principal, o acts.Kill) (acts.Drill, error) {
	h.note(who, o.On, "drill %q", o.Arm)
	return acts.Drill{Switch: "flags", Reads: "on", Method: "POST", Host: "flags.example.com", Bytes: 12}, h.fail
}

func (h *fakeHand) Resume(_ context.Context, who access.Principal, o acts.Resume) (*experiment.Version, error) {
	h.note(who, o.On, "resume at %g", o.Rearm)
	return &experiment.Version{Number: 9, Experiments: []experiment.Experiment{{Key: o.Experiment, Iterations: []experiment.Iteration{{Number: 4}}}}}, h.fail
}

func (h *fakeHand) Snooze(_ context.Context, who access.Principal, o acts.Snooze) (time.Time, error) {
	h.note(who, o.On, "snooze for %s", o.For)
	return looked.Add(o.For), h.fail
}

func (h *fakeHand) Acknowledge(_ context.Context, who access.Principal, o acts.Acknowledge) error {
	h.note(who, o.On, "acknowledge phase %d", o.Phase)
	return h.fail
}

func (h *fakeHand) Ramp(_ context.Context, who access.Principal, o acts.Ramp) (acts.Ramped, error) {
	h.note(who, o.On, "%s the ramp", o.Act)
	return acts.Ramped{Act: o.Act, Step: 2, Decision: 14}, h.fail
}

func (h *fakeHand) Note(_ context.Context, who access.Principal, o acts.Note) (uint64, error) {
	h.note(who, o.On, "note")
	return 13, h.fail
}

func (h *fakeHand) Approve(_ context.Context, who access.Principal, o acts.Approve) (*governance.Proposal, error) {
	h.note(who, o.On, "approve %.4s, withdraw %v", o.Hash, o.Withdraw)
	return &waitingChange, h.fail
}

// waitingChange is one that bob wants and carol has agreed to.
var waitingChange = governance.Proposal{
	Step: governance.Step{Experiment: "checkout-cta", Hash: strings.Repeat("ab", 32), Needs: 2, Change: governance.Change{
		Experiment: "checkout-cta", Class: governance.Grow, Reasons: []governance.Reason{{Class: governance.Grow, Text: "iteration 1: traffic 10% → 50%"}}}},
	Seq: 11, At: begun, Authors: []string{"bob"}, Approvals: []governance.Approval{{By: "carol", At: begun, Reason: "fine", Seq: 12}},
}

type fakeChanges struct{}

func (fakeChanges) Waiting(context.Context) ([]governance.Proposal, error) {
	return []governance.Proposal{waitingChange}, nil
}

// fakeTokens has one.
type fakeTokens struct{ revoked []string }

func (f *fakeTokens) Tokens(context.Context) ([]access.Token, error) {
	return []access.Token{{ID: "211cf1d8052e", Name: "ci", Role: access.Owner, Experiments: []string{"cart"}, Created: begun, Expires: looked, Hash: access.HashOf("x")}}, nil
}

func (f *fakeTokens) RevokeToken(_ context.Context, who access.Principal, id string) error {
	if id != "211cf1d8052e" {
		return fmt.Errorf("%s: %w", id, ErrNoToken)
	}
	f.revoked = append(f.revoked, who.Name)
	return nil
}

// as lets everything be asked by ada.
func as(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Principal{Name: "ada", Role: access.Operator, Login: "token"})))
	})
}

// TestOrders: each order reaches the hand with all that it says and who gave it, and
// its answer is as the document says.
func TestOrders(t *testing.T) {
	w := newWorld()
	w.hand.kill = guardrails.Kill{Decided: guardrails.Entry{Seq: 12, Iteration: 3}, State: guardrails.Verified, SentAt: looked}
	a, h := serve(t, w)
	h = as(h)
	c := newContract(t, a, h)
	for _, o := range []struct{ path, body, did, answer string }{
		{"/experiments/cart/kill", `{"iteration":3,"reason":"it hurts","arm":"b"}`, `ada: kill "b" of cart/3, it hurts`,
			`{"experiment":"cart","iteration":3,"arm":"b","decision":12,"state":"verified","off":true,"sent_at":"2026-03-02T10:00:00Z"}`},
		{"/experiments/cart/drill", `{"iteration":3,"reason":"every month"}`, `ada: drill "" of cart/3, every month`,
			`{"switch":"flags","reads":"on","method":"POST","host":"flags.example.com","bytes":12}`},
		{"/experiments/cart/resume", `{"iteration":3,"reason":"mended","rearm":0.05}`, "ada: resume at 0.05 of cart/3, mended", `{"experiment":"cart","iteration":4,"version":9}`},
		{"/experiments/cart/snooze", `{"iteration":3,"reason":"load test","for":"2h"}`, "ada: snooze for 2h0m0s of cart/3, load test",
			`{"experiment":"cart","until":"2026-03-02T12:00:00Z"}`},
		{"/experiments/cart/acknowledge", `{"iteration":3,"reason":"a bot","phase":2}`, "ada: acknowledge phase 2 of cart/3, a bot", `{"experiment":"cart","phase":2}`},
		{"/experiments/cart/ramp/approve", `{"iteration":3,"reason":"looks well"}`, "ada: approve the ramp of cart/3, looks well", `{"act":"approve","step":2,"decision":14}`},
		{"/experiments/cart/ramp/revert", `{"iteration":3,"reason":"enough"}`, "ada: revert the ramp of cart/3, enough", `{"act":"revert","step":2,"decision":14}`},
		{"/experiments/cart/annotate", `{"iteration":3,"text":"a campaign began"}`, "ada: note of cart/3, a campaign began", `{"experiment":"cart","decision":13}`},
		{"/experiments/checkout-cta/approve", `{"hash":"` + waitingChange.Hash + `","reason":"fine","withdraw":true}`, "ada: approve abab, withdraw true of checkout-cta/0, fine",
			`{"experiment":"checkout-cta","hash":"` + waitingChange.Hash + `","needs":2,"approvals":[{"by":"carol","at":"2026-03-01T00:00:00Z","reason":"fine","decision":12}]}`},
		{"/stop", `{"reason":"events are wrong","for":"0s"}`, "ada: snooze for 0s of /0, events are wrong", `{"until":"2026-03-02T10:00:00Z"}`},
	} {
		w.hand.did = nil
		r := do(h, "POST", Prefix+o.path, o.body)
		text := strings.TrimSpace(r.body)
		if r.StatusCode != http.StatusOK || text != o.answer {
			t.Errorf("%s: %d %s, want %s", o.path, r.StatusCode, text, o.answer)
		}
		if diff := cmp.Diff([]string{o.did}, w.hand.did); diff != "" {
			t.Errorf("%s: %s", o.path, diff)
		}
		c.of(t, "POST", Prefix+o.path)
	}
}

// TestOrdersRefuse: an order that lacks something reaches nobody; each kind of no has
// its status; and what does not answer is not described to the client.
func TestOrdersRefuse(t *testing.T) {
	w := newWorld()
	_, h := serve(t, w)
	h = as(h)
	for _, o := range []struct{ path, body string }{
		{"/experiments/cart/kill", `{"reason":"it hurts"}`},
		{"/experiments/cart/kill", `{"iteration":0,"reason":"it hurts"}`},
		{"/experiments/cart/kill", `{"iteration":3}`},
		{"/experiments/cart/kill", `{"iteration":3,"reason":""}`},
		{"/experiments/cart/kill", `{"iteration":3,"reason":"it hurts","force":true}`},
		{"/experiments/cart/resume", `{"iteration":3,"reason":"mended","rearm":0.5}`},
		{"/experiments/cart/snooze", `{"iteration":3,"reason":"why","for":"long"}`},
		{"/experiments/cart/snooze", `{"iteration":3,"reason":"why"}`},
		{"/experiments/cart/acknowledge", `{"iteration":3,"reason":"why"}`},
		{"/experiments/cart/annotate", `{"iteration":3,"text":""}`},
		{"/experiments/cart/annotate", `{"text":"a campaign began"}`},
		{"/experiments/cart/approve", `{"reason":"fine"}`},
		{"/experiments/cart/approve", `{"hash":"` + waitingChange.Hash + `"}`},
		{"/stop", `{"for":"2h"}`},
	} {
		r := do(h, "POST", Prefix+o.path, o.body)
		if text := r.body; r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(r.Header.Get("Content-Type"), problemJSON) || len(w.hand.did) > 0 {
			t.Errorf("%s %s: %d %s, did %q", o.path, o.body, r.StatusCode, text, w.hand.did)
		}
	}
	for code, status := range map[acts.Code]int{
		acts.Forbidden: 403, acts.Unknown: 404, acts.Stale: 412, acts.Conflict: 409, acts.Invalid: 422, acts.Unavailable: 503, "": 503,
	} {
		w.hand.fail = &acts.Error{Code: code, Err: errors.New("clickhouse:9000 says no")}
		if code == "" {
			w.hand.fail = errors.New("clickhouse:9000 says no")
		}
		r := do(h, "POST", Prefix+"/experiments/cart/kill", `{"iteration":3,"reason":"it hurts"}`)
		var p Problem
		if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.StatusCode != status || p.Status != status {
			t.Errorf("%s: %d %+v, %v", code, r.StatusCode, p, err)
		}
		if told := strings.Contains(p.Detail, "clickhouse"); told != (status != 503) {
			t.Errorf("%s: the client is told %q", code, p.Detail)
		}
	}
}

// TestKillThatFailed: what was ordered and did not come off says so.
func TestKillThatFailed(t *testing.T) {
	w := newWorld()
	w.hand.kill = guardrails.Kill{Decided: guardrails.Entry{Seq: 12, Iteration: 3}, State: guardrails.Denied}
	_, h := serve(t, w)
	text := do(as(h), "POST", Prefix+"/experiments/cart/kill", `{"iteration":3,"reason":"it hurts"}`).body
	if want := `{"experiment":"cart","iteration":3,"decision":12,"state":"denied","off":false}`; strings.TrimSpace(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
}

// TestTokens: they are shown without what they could be found by, and revoked by id.
func TestTokens(t *testing.T) {
	w := newWorld()
	_, h := serve(t, w)
	h = as(h)
	want := `{"items":[{"id":"211cf1d8052e","name":"ci","role":"owner","experiments":["cart"],"created":"2026-03-01T00:00:00Z","expires":"2026-03-02T10:00:00Z"}]}`
	if text := do(h, "GET", Prefix+"/tokens", "").body; strings.TrimSpace(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	if r := do(h, "DELETE", Prefix+"/tokens/211cf1d8052e", ""); r.StatusCode != http.StatusNoContent || !cmp.Equal(w.tokens.revoked, []string{"ada"}) {
		t.Errorf("%d, %q", r.StatusCode, w.tokens.revoked)
	}
	if r := do(h, "DELETE", Prefix+"/tokens/0", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("unknown: %d", r.StatusCode)
	}
}

// TestReadOnly: where nobody carries orders out, none is offered.
func TestReadOnly(t *testing.T) {
	w := newWorld()
	a, err := New(Parts{Catalog: w, History: w, Journal: w, Configurations: w, Explainer: w, Exporter: w})
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range a.Routes() {
		if strings.HasSuffix(pattern, "/kill") || strings.Contains(pattern, "/tokens") {
			t.Errorf("it offers %s", pattern)
		}
	}
}

// byHand tells the operations of this file.
func byHand(op operation) bool {
	return slices.Contains(op.Tags, "acts") || slices.Contains(op.Tags, "access")
}

// TestOrdersContract: every answer is as the document says, and every status that it
// names comes: 401 from the door, the rest from here.
func TestOrdersContract(t *testing.T) {
	w := newWorld()
	a, h := serve(t, w)
	h = as(h)
	c := newContract(t, a, h)
	const notJSON = `{"iteration":3`
	bodies := map[string]string{
		"kill": `{"iteration":3,"reason":"why"}`, "drill": `{"iteration":3,"reason":"why"}`, "resume": `{"iteration":3,"reason":"why"}`, "snooze": `{"iteration":3,"reason":"why","for":"2h"}`,
		"acknowledge": `{"iteration":3,"reason":"why","phase":1}`, "stop": `{"reason":"why","for":"2h"}`,
		"annotate": `{"iteration":3,"text":"why"}`, "approve": `{"hash":"` + waitingChange.Hash + `","reason":"why"}`, "ramp/approve": `{"iteration":3,"reason":"why"}`, "ramp/pause": `{"iteration":3,"reason":"why"}`,
		"ramp/resume": `{"iteration":3,"reason":"why"}`, "ramp/revert": `{"iteration":3,"reason":"why"}`, "analyses": `{"window":"14d"}`,
	}
	seen := map[string][]string{}
	ask := func(method, path, body string) {
		r := do(h, method, Prefix+path, body)
		id := c.of(t, method, Prefix+path).OperationID
		seen[id] = append(seen[id], fmt3(r.StatusCode))
		if r.StatusCode != http.StatusNoContent {
			c.holds(t, method, Prefix+path, r)
		}
	}
	for _, code := range []acts.Code{"", acts.Forbidden, acts.Unknown, acts.Stale, acts.Conflict, acts.Invalid, acts.Unavailable, acts.Busy} {
		w.hand.fail, w.explorer.fail = nil, nil
		if code != "" {
			no := &acts.Error{Code: code, Err: errors.New("no")}
			if code != acts.Busy { // only analyses are too many at once
				w.hand.fail = no
			}
			if code != acts.Stale { // whoever analyses names the iteration, or means the latest
				w.explorer.fail = no
			}
		}
		for name, body := range bodies {
			path := "/experiments/cart/" + name
			if name == "stop" {
				path = "/stop"
			}
			ask("POST", path, body)
			ask("POST", path, notJSON)
		}
	}
	ask("GET", "/tokens", "")
	ask("DELETE", "/tokens/211cf1d8052e", "")
	ask("DELETE", "/tokens/0", "")
	for path, methods := range c.Paths {
		for method, op := range methods {
			for status := range op.Responses {
				fromTheDoor := status == "401" || status == "403" && slices.Contains(op.Tags, "access")
				broken := status == "500" || status == "503" || status == "422"
				if byHand(op) && !fromTheDoor && !broken && !slices.Contains(seen[op.OperationID], status) {
					t.Errorf("%s %s: %s is documented and never came: %v", method, path, status, seen[op.OperationID])
				}
			}
		}
	}
}
