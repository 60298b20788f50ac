package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/notify"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/testref"
	"github.com/assay-dev/assay/internal/watch"
)

func killAlert() watch.Alert {
	return watch.Alert{
		Key: "kill/checkout/2", Matter: watch.KillMatter, Page: true, Experiment: "checkout", Iteration: 2, Guardrail: "errors", Arm: "treatment",
		Reason: "harm", Title: "checkout: harm, turning it off", Text: "because", State: guardrails.Decided, Decision: 7, Decider: "guard@a", Look: "l1",
		At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Vector: map[uint16]uint64{1: 16, 0: 17}, Head: "abc", Owner: "ada", Switch: "flags",
		Links: experiment.Links{Change: "https://changes.example/1"},
		Verdict: &guardrails.Verdict{
			Rule: guardrails.Rule{Metric: "errors", Arm: "treatment", Control: "control", Margin: 2},
			Harm: &results.Test{Estimate: 3.5, Bound: 2.25, Alpha: .025, Units: [2]int64{10, 12}, Means: [2]results.Number{5, 1.5}},
		},
	}
}

// TestMessage has every fact of a decision that was measured.
func TestMessage(t *testing.T) {
	got := messageOf(killAlert(), "https://runbooks.example/g.md#top")
	want := []notify.Fact{
		{Name: "what to do", Value: "wait: whether it worked is told within the switch's deadline"},
		{Name: "guardrail", Value: "errors in treatment, against control"},
		{Name: "harm", Value: "worse by 3.5, at least 2.25 (one-sided, level 0.025, valid at every look)"},
		{Name: "margin", Value: "2"},
		{Name: "units", Value: "treatment 10, control 12"},
		{Name: "means", Value: "treatment 5, control 1.5"},
		{Name: "seen at", Value: "0001-01-01T00:00:00Z"},
		{Name: "state", Value: "decided"},
		{Name: "decision", Value: "7 of the log, by guard@a"},
		{Name: "look", Value: "l1"},
		{Name: "watermark", Value: "0:17 1:16"},
		{Name: "log head", Value: "abc"},
		{Name: "owner", Value: "ada"},
	}
	if diff := cmp.Diff(want, got.Facts); diff != "" {
		t.Error(diff)
	}
	links := []notify.Link{{Name: "runbook", URL: "https://runbooks.example/g.md#harm"}, {Name: "change", URL: "https://changes.example/1"}}
	if diff := cmp.Diff(links, got.Links); diff != "" {
		t.Error(diff)
	}
}

// TestSubjectIsOfTheMatter: whatever asked for a kill, it is the experiment's: an
// Alertmanager would take another guardrail for another alert.
func TestSubjectIsOfTheMatter(t *testing.T) {
	guardrail, byHand := killAlert(), killAlert()
	byHand.Guardrail, byHand.Arm, byHand.Verdict = "", "", nil
	a, b := messageOf(guardrail, ""), messageOf(byHand, "")
	if a.Subject != b.Subject {
		t.Errorf("subjects %+v and %+v of one kill", a.Subject, b.Subject)
	}
	guardrail.Matter = watch.GuardrailMatter
	if got := messageOf(guardrail, "").Subject; got.Guardrail != "errors" || got.Arm != "treatment" {
		t.Errorf("subject %+v of a guardrail", got)
	}
}

// TestWhatToDo: each end of a kill says what is to be done about it, and who can.
func TestWhatToDo(t *testing.T) {
	for state, want := range map[guardrails.EntryKind]string{
		guardrails.Denied: "own system NOW", guardrails.Failed: "assay kill checkout --reason", guardrails.PendingApproval: "approve it",
		guardrails.Held: "breached together", guardrails.NotEffective: "caches", guardrails.Overridden: "ask who",
		guardrails.Verified: "its owner (ada) turns the flag on in its own system (switch flags), then assay resume checkout --reason",
	} {
		a := killAlert()
		a.State = state
		if got := messageOf(a, "").Facts[0]; got.Name != "what to do" || !strings.Contains(got.Value, want) {
			t.Errorf("%s: %+v, want %q", state, got, want)
		}
	}
}

func TestWatermarkIsBounded(t *testing.T) {
	v := map[uint16]uint64{}
	for shard := range uint16(1024) {
		v[shard] = 1 << 60
	}
	got := watermark(v)
	if !strings.HasPrefix(got, "0:1152921504606846976 1:") || !strings.HasSuffix(got, "… of 1024 shards") || len(got) > 400 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if watermark(nil) != "" {
		t.Error("a watermark out of nothing")
	}
}

// TestRunbookHasEveryReason: what an alert links to is there.
func TestRunbookHasEveryReason(t *testing.T) {
	page, err := os.ReadFile(testref.Root(t) + "/docs/guardrails.md")
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`<a id="(\w+)"></a>`).FindAllStringSubmatch(string(page), -1) {
		if anchors[m[1]] {
			t.Errorf("anchor %s is there twice", m[1])
		}
		anchors[m[1]] = true
	}
	words := []string{"by_hand", "round_failed", string(watch.ReminderMatter), string(guardrails.Held), string(guardrails.Verified), string(guardrails.Denied),
		string(guardrails.Failed), string(guardrails.PendingApproval), string(guardrails.NotEffective), string(guardrails.Overridden)}
	for reason := range guardrails.Reasons() {
		words = append(words, string(reason))
	}
	words = append(words, results.Warnings()...)
	for _, w := range words {
		if !anchors[w] {
			t.Errorf("docs/guardrails.md has no place for #%s", w)
		}
		delete(anchors, w)
	}
	for a := range anchors {
		t.Errorf("docs/guardrails.md has a place for #%s, which no alert links to", a)
	}
}

// TestChannels: each that is named is made, with its secret out of the environment.
func TestChannels(t *testing.T) {
	t.Setenv("NOTIFY_SECRET", "a long enough secret")
	given := config.Secret{Env: "NOTIFY_SECRET"}
	all := config.Notify{
		Alertmanager: &config.Alertmanager{URL: "http://127.0.0.1:9093"},
		Slack:        &config.Slack{Channel: "C1", Token: given, Only: config.OnlyPages},
		PagerDuty:    &config.PagerDuty{RoutingKey: given},
		Email:        &config.Email{Server: "127.0.0.1:25", From: "a@b.example", To: []string{"c@d.example"}, User: "u", Password: given},
		Webhook:      &config.NotifyWebhook{URL: "http://127.0.0.1/hook", Secret: given},
	}
	ways, err := waysOf(all)
	if err != nil {
		t.Fatal(err)
	}
	type way struct {
		Name            string
		OnlyPages, Once bool
		Again           time.Duration
	}
	var got []way
	for _, w := range ways {
		got = append(got, way{w.Name, w.OnlyPages, w.Once, w.Again})
	}
	want := []way{{"alertmanager", false, false, time.Minute}, {"slack", true, true, 0}, {"pagerduty", false, false, 0},
		{"email", false, true, 0}, {"webhook", false, false, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	all.Slack.Token = config.Secret{Env: "NOTIFY_NOT_SET"}
	if _, err := newNotifier(all, nil, nil); err == nil || !strings.Contains(err.Error(), "notify.slack: environment variable NOTIFY_NOT_SET is not set") {
		t.Errorf("without its secret: %v", err)
	}
}

// TestDoctorTells: every channel gets a test message and its resolution; one that
// refuses is a fault. Without being asked for it nothing is sent.
func TestDoctorTells(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Data struct{ Status, Title string }
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		got = append(got, r.URL.Path+" "+body.Data.Status)
		if r.URL.Path != "/hook" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	t.Setenv("NOTIFY_SECRET", "a long enough secret")
	s := &Stack{Config: config.Config{Notify: config.Notify{Webhook: &config.NotifyWebhook{URL: server.URL + "/hook", Secret: config.Secret{Env: "NOTIFY_SECRET"}}}}}
	for _, c := range []struct {
		path string
		send bool
		want doctor.Level
		got  []string
	}{{"/hook", false, doctor.OK, nil}, {"/hook", true, doctor.OK, []string{"/hook firing", "/hook resolved"}}, {"/gone", true, doctor.Fault, []string{"/gone firing", "/gone resolved"}}} {
		got = nil
		s.Config.Notify.Webhook.URL = server.URL + c.path
		found, err := s.Told(t.Context(), c.send, time.Now())
		if err != nil || len(found) != 1 || found[0].Level != c.want {
			t.Errorf("%+v: %+v, %v", c, found, err)
		}
		if diff := cmp.Diff(c.got, got); diff != "" {
			t.Errorf("%+v: %s", c, diff)
		}
	}
}
