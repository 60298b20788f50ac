package killswitch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rolling is an Unleash 7.4.1 with the strategies of one flag in one environment. Its
// answers were seen on that server.
type rolling struct {
	strategies     string // JSON; %d is the rollout of the first
	rollout        int
	changeRequests bool
	patches        int
}

const oneGradual = `[{"name":"flexibleRollout","id":"s1","featureName":"new-search","constraints":[],"segments":[],"variants":[{"name":"b","weight":1000}],"parameters":{"groupId":"new-search","rollout":"%d","stickiness":"default"},"sortOrder":0,"disabled":false}]`

func (u *rolling) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	const path = "/api/admin/projects/default/features/new-search/environments/production/strategies"
	switch {
	case q.Header.Get("Authorization") != unleashToken:
		reply(w, 401, `{"name":"UnauthorizedError"}`)
	case q.Method == http.MethodGet && q.URL.Path == path:
		reply(w, 200, "%s", strings.Replace(u.strategies, "%d", fmt.Sprint(u.rollout), 1))
	case q.Method == http.MethodPatch && q.URL.Path == path+"/s1" && u.changeRequests:
		reply(w, 403, `{"name":"PermissionError","message":"To perform this action, you need the \"SKIP_CHANGE_REQUEST\" permission."}`)
	case q.Method == http.MethodPatch && q.URL.Path == path+"/s1":
		var ops []struct{ Op, Path, Value string }
		if json.NewDecoder(q.Body).Decode(&ops) != nil || len(ops) != 1 || ops[0].Op != "replace" || ops[0].Path != "/parameters/rollout" {
			reply(w, 400, `{"name":"BadDataError"}`)
			return
		}
		_, _ = fmt.Sscan(ops[0].Value, &u.rollout)
		u.patches++
		reply(w, 200, `{}`)
	default:
		reply(w, 404, `{"name":"NotFoundError","message":"Could not find feature"}`)
	}
}

func toTen() TrafficRequest {
	return TrafficRequest{Request: request(), Was: .01, Traffic: .1, Step: 2}
}

// setTraffic sets it behind a peer.
func (p *peer) setTraffic(t *testing.T, c Config, r TrafficRequest) Outcome {
	t.Helper()
	world := newClock().runtime()
	world.Transport = p
	s, err := New("demo", c, world)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.SetTraffic(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnleashTraffic(t *testing.T) {
	tests := map[string]struct {
		change  func(*rolling, *TrafficRequest)
		faults  []fault
		want    Kind
		detail  string
		rollout int
		patches int
	}{
		"a step":                      {want: Applied, rollout: 10, patches: 1},
		"it is there already":         {change: func(u *rolling, _ *TrafficRequest) { u.rollout = 10 }, want: AlreadyOff, detail: "10 % already", rollout: 10},
		"somebody else moved it":      {change: func(u *rolling, _ *TrafficRequest) { u.rollout = 25 }, want: Denied, detail: "somebody else", rollout: 25},
		"a revert, wherever it is":    {change: func(u *rolling, r *TrafficRequest) { u.rollout, r.Traffic, r.Revert = 25, 0, true }, want: Applied, patches: 1},
		"a share that it cannot have": {change: func(_ *rolling, r *TrafficRequest) { r.Traffic = .005 }, want: Denied, detail: "whole percents", rollout: 1},
		"two strategies":              {change: func(u *rolling, _ *TrafficRequest) { u.strategies = `[{"id":"a","name":"default"},` + oneGradual[1:] }, want: Denied, detail: "2 that are on", rollout: 1},
		"one of two is off": {change: func(u *rolling, _ *TrafficRequest) {
			u.strategies = `[{"id":"a","name":"default","disabled":true},` + oneGradual[1:]
		}, want: Applied, rollout: 10, patches: 1},
		"none":                         {change: func(u *rolling, _ *TrafficRequest) { u.strategies = `[]` }, want: Denied, detail: "0 that are on", rollout: 1},
		"a change request":             {change: func(u *rolling, _ *TrafficRequest) { u.changeRequests = true }, want: PendingApproval, detail: "sets the rollout to 10 %", rollout: 1},
		"another flag":                 {change: func(_ *rolling, r *TrafficRequest) { r.Flag = "elsewhere" }, want: NotFound, rollout: 1},
		"applied, the answer is lost":  {faults: []fault{{pass: true, lost: true}}, want: Applied, detail: "reads as 10 % all the same", rollout: 10, patches: 1},
		"lost before it arrived":       {faults: []fault{{lost: true}}, want: Applied, rollout: 10, patches: 1},
		"a gateway's fault, then done": {faults: []fault{{status: 502}, {status: 503}}, want: Applied, rollout: 10, patches: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			u, r := &rolling{strategies: oneGradual, rollout: 1}, toTen()
			if test.change != nil {
				test.change(u, &r)
			}
			got := (&peer{system: u, faults: test.faults}).setTraffic(t, unleashConfig(), r)
			if got.Kind != test.want || !strings.Contains(got.Detail, test.detail) || u.rollout != test.rollout || u.patches != test.patches {
				t.Errorf("%+v; the rollout is %d after %d patches", got, u.rollout, u.patches)
			}
			if got.Kind == Applied && (got.SentAt.IsZero() || got.ReadBackAt.IsZero()) {
				t.Errorf("sent %v, read back %v", got.SentAt, got.ReadBackAt)
			}
		})
	}
}

// TestHasTraffic: what a hand has set is read, and what cannot be read is an error.
func TestHasTraffic(t *testing.T) {
	for name, test := range map[string]struct {
		config Config
		system http.Handler
		has    bool
		reads  string
		err    string
	}{
		"unleash, as wanted":      {unleashConfig(), &rolling{strategies: oneGradual, rollout: 10}, true, "10 %", ""},
		"unleash, by a hand":      {unleashConfig(), &rolling{strategies: oneGradual, rollout: 37}, false, "37 %", ""},
		"unleash, two strategies": {unleashConfig(), &rolling{strategies: `[]`}, false, "", "0 that are on"},
		"a webhook, as wanted":    {rampHook("data.rollout"), &ramped{percent: "10"}, true, "10 %", ""},
		"a webhook, by a hand":    {rampHook("data.rollout"), &ramped{percent: `"12.5"`}, false, "12.5 %", ""},
		"a webhook without it":    {rampHook(""), &ramped{percent: "10"}, false, "", "no read-back"},
		"a system without ramps":  {Config{System: PostHog{Token: "phx_x", Project: "1"}}, &ramped{}, false, "", "has no ramp here"},
	} {
		world := newClock().runtime()
		world.Transport = &peer{system: test.system}
		s, err := New("demo", test.config, world)
		if err != nil {
			t.Fatal(name, err)
		}
		has, reads, err := s.HasTraffic(t.Context(), toTen().Target, .1)
		if has != test.has || reads != test.reads || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, %q, %v", name, has, reads, err)
		}
	}
}

// ramped is somebody's own system behind a webhook.
type ramped struct {
	percent string
	deaf    bool
	got     []string
}

func (r *ramped) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method == http.MethodGet {
		reply(w, 200, `{"on":true,"data":{"rollout":%s}}`, r.percent)
		return
	}
	var m trafficMessage
	if json.NewDecoder(q.Body).Decode(&m) != nil || m.Type != "experiment.ramp" || q.Header.Get("webhook-signature") == "" {
		reply(w, 400, `{}`)
		return
	}
	r.got = append(r.got, q.Header.Get("webhook-id"))
	if !r.deaf {
		r.percent = fmt.Sprint(100 * m.Data.Traffic)
	}
	w.WriteHeader(http.StatusNoContent)
}

func rampHook(traffic string) Config {
	return Config{System: Webhook{URL: "https://flags.example/hook", Secret: "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		ReadBack: ReadBack{URL: "https://flags.example/flags/{flag}", Path: "on", Off: "false", Traffic: traffic}}}
}

func TestWebhookTraffic(t *testing.T) {
	for name, test := range map[string]struct {
		receiver ramped
		want     Kind
		calls    int
	}{
		"a step":                     {ramped{percent: "1"}, Applied, 1},
		"a step, its value a text":   {ramped{percent: `"1"`}, Applied, 1},
		"it is there already":        {ramped{percent: "10.0"}, AlreadyOff, 0},
		"accepted, and nothing done": {ramped{percent: "1", deaf: true}, Unknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := (&peer{system: &test.receiver}).setTraffic(t, rampHook("data.rollout"), toTen())
			if got.Kind != test.want || len(test.receiver.got) != test.calls {
				t.Errorf("%+v after %d calls", got, len(test.receiver.got))
			}
			for _, id := range test.receiver.got {
				if id != toTen().Key {
					t.Errorf("webhook-id %q, want the decision's key", id)
				}
			}
		})
	}
}

// TestWebhookTrafficBody: what a receiver gets.
func TestWebhookTrafficBody(t *testing.T) {
	p := &peer{system: &ramped{percent: "1"}}
	p.setTraffic(t, rampHook("data.rollout"), toTen())
	var got map[string]any
	if err := json.Unmarshal([]byte(p.bodies[0]), &got); err != nil {
		t.Fatal(err)
	}
	r := toTen()
	want := map[string]any{"action": "traffic", "experiment": r.Experiment, "iteration": float64(r.Iteration), "flag": r.flag(), "traffic": .1, "was": .01, "step": 2.,
		"reason": r.Reason, "evidence": r.Evidence}
	if diff := cmp.Diff(want, got["data"]); diff != "" {
		t.Error(diff)
	}
}

// TestCannotSet: who has no ramp says so, and is not called.
func TestCannotSet(t *testing.T) {
	for name, test := range map[string]struct {
		config Config
		want   string
	}{
		"unleash":                     {unleashConfig(), ""},
		"a webhook":                   {rampHook("data.rollout"), ""},
		"a webhook without a path":    {rampHook(""), "read_back.traffic"},
		"a system that has none here": {Config{System: PostHog{Token: "phx_x", Project: "1"}}, "has no ramp here"},
	} {
		s, err := New("demo", test.config, newClock().runtime())
		if err != nil {
			t.Fatal(name, err)
		}
		why := s.CannotSet(.1)
		if offline := CannotRamp("demo", test.config.System, .1); offline != why {
			t.Errorf("%s: by its settings alone %q, want %q", name, offline, why)
		}
		if test.want == "" && why != "" || !strings.Contains(why, test.want) {
			t.Errorf("%s: %q", name, why)
		}
		if test.want == "" {
			continue
		}
		if out, err := s.SetTraffic(t.Context(), toTen()); err != nil || out.Kind != Denied || out.Attempts != 0 {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}
