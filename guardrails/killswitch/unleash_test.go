package killswitch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// unleashServer is an Unleash 7.4.1 with one flag in the environment production.
// Its answers were seen on that server; where they were only read in its source,
// the place in unleash-server is named.
type unleashServer struct {
	enabled        bool
	changeRequests bool     // Enterprise: answers read in the pages of 7.4.1, frontend/src/hooks/api/actions/useChangeRequestApi
	draftsRefused  bool     // the token may not even draft one
	requests       []string // their states, of turning new-search off
	maintenance    bool
	disables       int // events feature-environment-disabled
}

const unleashToken = "user:0123456789abcdef"

func (u *unleashServer) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	const path = "/api/admin/projects/default/features/new-search/environments/production"
	switch token := q.Header.Get("Authorization"); {
	case token == "default:production.client-token":
		reply(w, 403, `{"id":"1","name":"NoAccessError","message":"invalid token: expected a different token type for this endpoint"}`)
	case token != unleashToken:
		reply(w, 401, `{"id":"1","name":"UnauthorizedError","message":"You must log in to use Unleash."}`)
	case u.maintenance && q.Method != http.MethodGet: // src/lib/features/maintenance/maintenance-middleware.ts
		reply(w, 503, `{"message":"Unleash is currently in maintenance mode."}`)
	case q.Method == http.MethodGet && q.URL.Path == path:
		reply(w, 200, `{"name":"production","featureName":"new-search","environment":"production","type":"production","enabled":%t,"sortOrder":3,"strategies":[]}`, u.enabled)
	case q.Method == http.MethodPost && q.URL.Path == path+"/off":
		if u.changeRequests { // feature-toggle-service.ts stopWhenChangeRequestsEnabled, error/permission-error.ts
			reply(w, 403, `{"id":"1","name":"PermissionError","message":"You don't have the required permissions to perform this operation. To perform this action, you need the \"SKIP_CHANGE_REQUEST\" permission.","permissions":["SKIP_CHANGE_REQUEST"]}`)
			return
		}
		if u.enabled {
			u.enabled = false
			u.disables++
		}
		w.WriteHeader(http.StatusOK) // and no body; a second off has no second event
	case u.changeRequests && strings.Contains(q.URL.Path, "/change-requests"):
		u.request(w, q)
	default:
		reply(w, 404, `{"id":"1","name":"NotFoundError","message":"Could not find feature with name elsewhere"}`)
	}
}

func (u *unleashServer) request(w http.ResponseWriter, q *http.Request) {
	const project = "/api/admin/projects/default/"
	var body map[string]any
	_ = json.NewDecoder(q.Body).Decode(&body)
	switch q.Method + " " + q.URL.Path {
	case "GET " + project + "change-requests/pending/new-search": // useSuggestedChangeRequests
		list := []string{}
		for i, state := range u.requests {
			list = append(list, fmt.Sprintf(`{"id":%d,"environment":"production","state":"%s","features":[{"name":"new-search","changes":[{"action":"updateEnabled","payload":{"enabled":false}}]}]}`, i+7, state))
		}
		reply(w, 200, "[%s]", strings.Join(list, ","))
	case "POST " + project + "environments/production/change-requests": // addChange
		if u.draftsRefused {
			reply(w, 403, `{"name":"PermissionError","message":"You don't have the required permissions"}`)
			return
		}
		if body["feature"] == "new-search" && body["action"] == "updateEnabled" {
			u.requests = append(u.requests, "Draft")
		}
		reply(w, 200, `{"id":%d,"state":"Draft","environment":"production"}`, len(u.requests)+6)
	case "PUT " + project + fmt.Sprintf("change-requests/%d/state", len(u.requests)+6): // changeState
		u.requests[len(u.requests)-1] = body["state"].(string)
		reply(w, 200, `{}`)
	}
}

func unleashConfig() Config {
	return Config{System: Unleash{URL: "https://unleash.example/", Token: unleashToken, Environment: "production"}}
}

func TestUnleash(t *testing.T) {
	tests := []struct {
		name   string
		change func(*unleashServer, *Config, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1, detail: "200 OK"}},
		{name: "off before", change: func(u *unleashServer, _ *Config, _ *Request) { u.enabled = false },
			want: want{kind: AlreadyOff, detail: "it was off already"}},
		{name: "a change request is asked for and filed", change: func(u *unleashServer, _ *Config, _ *Request) { u.changeRequests = true },
			want: want{kind: PendingApproval, attempts: 1, detail: "which was filed", link: "https://unleash.example/projects/default/change-requests/7"}},
		{name: "a change request waits already", change: func(u *unleashServer, _ *Config, _ *Request) {
			u.changeRequests, u.requests = true, []string{"Approved"}
		}, want: want{kind: PendingApproval, attempts: 1, detail: "waits already", link: "https://unleash.example/projects/default/change-requests/7"}},
		{name: "a draft of somebody's is no request yet", change: func(u *unleashServer, _ *Config, _ *Request) {
			u.changeRequests, u.requests = true, []string{"Draft"}
		}, want: want{kind: PendingApproval, attempts: 1, detail: "which was filed", link: "https://unleash.example/projects/default/change-requests/8"}},
		{name: "a change request that the token may not draft", change: func(u *unleashServer, _ *Config, _ *Request) { u.changeRequests, u.draftsRefused = true, true },
			want: want{kind: PendingApproval, attempts: 1, detail: "could not be drafted", link: "https://unleash.example/projects/default/features/new-search"}},
		{name: "maintenance until the deadline", change: func(u *unleashServer, _ *Config, _ *Request) { u.maintenance = true },
			want: want{kind: Unknown, attempts: 28, waited: 58875 * time.Millisecond, detail: "503 Service Unavailable"}},
		{name: "a token that is not known", change: func(_ *unleashServer, c *Config, _ *Request) {
			c.System = Unleash{URL: "https://unleash.example", Token: "not-a-token", Environment: "production"}
		}, want: want{kind: Denied, attempts: 1, detail: "401 Unauthorized"}},
		{name: "a client's token", change: func(_ *unleashServer, c *Config, _ *Request) {
			c.System = Unleash{URL: "https://unleash.example", Token: "default:production.client-token", Environment: "production"}
		}, want: want{kind: Denied, attempts: 1, detail: "expected a different token type"}},
		{name: "another flag", change: func(_ *unleashServer, _ *Config, r *Request) { r.Flag = "elsewhere" },
			want: want{kind: NotFound, attempts: 1, detail: "Could not find feature"}},
		{name: "the flag as the switch names it", change: func(_ *unleashServer, c *Config, r *Request) {
			c.Flag, r.Experiment = "new-{experiment}", "search"
		}, want: want{kind: Applied, attempts: 1}},
		{name: "one arm's own flag", change: func(_ *unleashServer, c *Config, r *Request) {
			c.Arms, r.Experiment, r.Arm = map[string]string{"treatment": "new-search"}, "search", "treatment"
		}, want: want{kind: Applied, attempts: 1}},
		{name: "applied, and the answer is lost", faults: []fault{{pass: true, lost: true}},
			want: want{kind: Applied, attempts: 1, detail: "it reads as off all the same"}},
		{name: "429 of a proxy in front", faults: []fault{{status: 429, header: http.Header{"Retry-After": {"3"}}}},
			want: want{kind: Applied, attempts: 2, waited: 3 * time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, c, r := &unleashServer{enabled: true}, unleashConfig(), request()
			if tt.change != nil {
				tt.change(server, &c, &r)
			}
			p := &peer{system: server, faults: tt.faults}
			got := p.kill(t, c, r, tt.want)
			if last := len(server.requests) - 1; strings.Contains(got.Detail, "was filed") && server.requests[last] != "In review" {
				t.Errorf("requests %v", server.requests)
			}
			if got.Kind == Applied && (server.disables != 1 || !strings.Contains(got.Serves, "disabled variant")) {
				t.Errorf("%d events of turning off; users get %q", server.disables, got.Serves)
			}
		})
	}
}

func TestUnleashCalls(t *testing.T) {
	p := &peer{system: &unleashServer{enabled: true}}
	p.kill(t, unleashConfig(), request(), want{kind: Applied, attempts: 1})
	const path = "/api/admin/projects/default/features/new-search/environments/production"
	if diff := cmp.Diff([]string{"GET " + path, "POST " + path + "/off", "GET " + path}, p.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{""}, p.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}
