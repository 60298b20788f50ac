package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/watch"
)

// TestSwitchAddress: a switch is called by the experiment's key, in the address
// and in the message. The link to the flag, which an experiment's file gives for
// people, is no key.
func TestSwitchAddress(t *testing.T) {
	on := true
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.EscapedPath())
		if r.Method == http.MethodPost {
			var m struct {
				Data struct{ Flag, Experiment string }
			}
			if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.Data.Flag != "new-search" || m.Data.Experiment != "new-search" {
				t.Errorf("message %+v, %v", m, err)
			}
			on = false
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]bool{"enabled": on})
	}))
	defer server.Close()
	t.Setenv("SWITCH_SECRET", "a long enough secret")
	sw, err := newSwitches(map[string]config.Switch{"flags": {Webhook: &config.Webhook{
		URL: server.URL + "/flags/{flag}/off", Secret: config.Secret{Env: "SWITCH_SECRET"},
		ReadBack: config.ReadBack{URL: server.URL + "/flags/{experiment}", Path: "enabled", Off: "false"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	drill, err := sw.Drill(t.Context(), watch.Order{Key: "drill", Switch: "flags", Experiment: "new-search"})
	if err != nil || drill.Reads != "on" || drill.Method != http.MethodPost || "http://"+drill.Host != server.URL || !on {
		t.Errorf("the drill says %+v, %v; the flag is on: %t", drill, err, on)
	}
	asked = nil
	order := watch.Order{Key: "kill_1", Switch: "flags", Experiment: "new-search", Iteration: 1, DecidedAt: time.Now()}
	result, err := sw.Off(t.Context(), order, func(guardrails.EntryKind, time.Time) {})
	if err != nil || result.State != guardrails.Verified {
		t.Errorf("%+v, %v; asked %v", result, err, asked)
	}
	want := []string{"GET /flags/new-search", "POST /flags/new-search/off", "GET /flags/new-search"}
	if len(asked) != 3 || asked[0] != want[0] || asked[1] != want[1] || asked[2] != want[2] {
		t.Errorf("asked %v, want %v", asked, want)
	}

	if off, err := sw.IsOff(t.Context(), order); err != nil || !off {
		t.Errorf("it reads as off: %t, %v", off, err)
	}

	order.Switch = "other"
	if _, err := sw.IsOff(t.Context(), order); Hint(err) == "" {
		t.Errorf("reading an unknown switch gives %v", err)
	}
	if _, err := sw.Off(t.Context(), order, nil); Hint(err) == "" {
		t.Errorf("an unknown switch gives %v, which says nothing about what to do", err)
	}
}

// TestInWords: what people read of an outcome. What was overwritten is not for
// alerts.
func TestInWords(t *testing.T) {
	tests := []struct {
		outcome killswitch.Outcome
		want    string
	}{
		{killswitch.Outcome{Kind: killswitch.Applied, Detail: "200 OK", Serves: "everybody gets false", Saved: "rules", ResponseID: "7"},
			"200 OK; the answer is 7; everybody gets false"},
		{killswitch.Outcome{Kind: killswitch.PendingApproval, Detail: "405", Serves: "everybody gets false", Link: "https://flags.example/1"},
			"405; see https://flags.example/1"},
	}
	for _, tt := range tests {
		if got := inWords(tt.outcome); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestOneCap: whoever guards, and whatever was configured, starts from one cap.
func TestOneCap(t *testing.T) {
	if c, w := config.Default().Guard.KillsPerHour, watch.DefaultConfig().Limits.PerHour; c != w {
		t.Errorf("the configuration allows %d kills an hour, a guard %d", c, w)
	}
}
