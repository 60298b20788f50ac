package killswitch

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// launchDarklyAPI answers as the OpenAPI document of LaunchDarkly says
// (launchdarkly.com/docs/api, api-client-go v22, api/openapi.yaml), for one flag.
type launchDarklyAPI struct {
	on        bool
	approvals bool     // the environment requires them
	scheduled bool     // a scheduled change waits
	pending   []string // descriptions of approval requests
}

const (
	launchDarklyToken = "api-11111111-2222-3333"
	launchDarklyFlag  = "/api/v2/flags/web/new-search"
	launchDarklyAsk   = "/api/v2/projects/web/flags/new-search/environments/production/approval-requests"
)

func (l *launchDarklyAPI) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	switch {
	case q.Header.Get("Authorization") != launchDarklyToken: // "Errors": 401
		reply(w, 401, `{"code":"unauthorized","message":"invalid access token"}`)
	case q.Method == http.MethodGet && q.URL.Path == launchDarklyFlag: // getFeatureFlag
		reply(w, 200, `{"key":"new-search","variations":[{"value":true},{"value":false}],"environments":{"production":{"on":%t,"offVariation":1,"_site":{"href":"/web/production/features/new-search"}}}}`, l.on)
	case q.Method == http.MethodPatch && q.URL.Path == launchDarklyFlag: // patchFeatureFlag
		l.patch(w, q)
	case q.Method == http.MethodGet && q.URL.Path == launchDarklyAsk: // getApprovalsForFlag
		items := make([]map[string]string, len(l.pending))
		for i, d := range l.pending {
			items[i] = map[string]string{"_id": "1", "description": d, "status": "pending"}
		}
		text, _ := json.Marshal(map[string]any{"items": items})
		reply(w, 200, "%s", text)
	case q.Method == http.MethodPost && q.URL.Path == launchDarklyAsk: // postApprovalRequestForFlag
		var asked struct{ Description string }
		_ = json.NewDecoder(q.Body).Decode(&asked)
		l.pending = append(l.pending, asked.Description)
		reply(w, 201, `{"_id":"12ab3c45de678910abc12345","status":"pending","reviewStatus":"pending"}`)
	default: // "Errors": 404
		reply(w, 404, `{"code":"not_found","message":"Unknown feature flag key"}`)
	}
}

func (l *launchDarklyAPI) patch(w http.ResponseWriter, q *http.Request) {
	switch {
	// "Make a semantic patch": without the parameter of the type it is read as JSON Patch.
	case q.Header.Get("Content-Type") != "application/json; domain-model=launchdarkly.semanticpatch":
		reply(w, 400, `{"code":"invalid_request","message":"expected an array"}`)
	case l.approvals: // 405: "Approval is required to make this request"
		reply(w, 405, `{"code":"approval_required","message":"approval is required to make this request"}`)
	case l.scheduled && q.URL.Query().Get("ignoreConflicts") != "true": // parameter ignoreConflicts
		reply(w, 400, `{"code":"conflict","message":"this change would break a scheduled change"}`)
	case q.URL.Query().Get("dryRun") == "true": // parameter dryRun: validated and previewed only
		reply(w, 200, `{"key":"new-search"}`)
	default:
		l.on = false
		reply(w, 200, `{"key":"new-search"}`)
	}
}

func launchDarklyConfig() Config {
	return Config{System: LaunchDarkly{Token: launchDarklyToken, Project: "web", Environment: "production"}}
}

const launchDarklyLink = "https://app.launchdarkly.com/web/production/features/new-search"

func TestLaunchDarkly(t *testing.T) {
	tests := []struct {
		name   string
		change func(*launchDarklyAPI, *Config, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1}},
		{name: "off before", change: func(l *launchDarklyAPI, _ *Config, _ *Request) { l.on = false },
			want: want{kind: AlreadyOff}},
		{name: "an approval is required", change: func(l *launchDarklyAPI, _ *Config, _ *Request) { l.approvals = true },
			want: want{kind: PendingApproval, attempts: 1, detail: "waits for an approval, which was asked for", link: launchDarklyLink}},
		{name: "an approval is required and was asked for before", change: func(l *launchDarklyAPI, _ *Config, _ *Request) {
			l.approvals, l.pending = true, []string{"assay kill-1: errors"}
		}, want: want{kind: PendingApproval, attempts: 1, detail: "asked for before", link: launchDarklyLink}},
		{name: "a scheduled change in the way", change: func(l *launchDarklyAPI, _ *Config, _ *Request) { l.scheduled = true },
			want: want{kind: Applied, attempts: 2}},
		{name: "a patch that is not understood", faults: []fault{{status: 400}, {status: 400, body: `{"code":"invalid_request"}`}},
			want: want{kind: Denied, attempts: 2, detail: "invalid_request"}},
		{name: "a concurrent request", faults: []fault{{status: 409, body: `{"code":"optimistic_locking_error"}`}},
			want: want{kind: Applied, attempts: 2, waited: 125 * time.Millisecond}},
		{name: "429 with its own header, in milliseconds since 1970",
			faults: []fault{{status: 429, header: http.Header{"X-RateLimit-Reset": {"1772366404500"}}}},
			want:   want{kind: Applied, attempts: 2, waited: 4500 * time.Millisecond}},
		{name: "a token that is not known", change: func(_ *launchDarklyAPI, c *Config, _ *Request) {
			c.System = LaunchDarkly{Token: "api-other", Project: "web", Environment: "production"}
		}, want: want{kind: Denied, attempts: 1, detail: "invalid access token"}},
		{name: "403", faults: []fault{{status: 403, body: `{"code":"forbidden"}`}}, want: want{kind: Denied, attempts: 1}},
		{name: "422", faults: []fault{{status: 422}}, want: want{kind: Denied, attempts: 1}},
		{name: "another flag", change: func(_ *launchDarklyAPI, _ *Config, r *Request) { r.Flag = "elsewhere" },
			want: want{kind: NotFound, attempts: 1, detail: "Unknown feature flag key"}},
		{name: "one arm's own flag", change: func(_ *launchDarklyAPI, c *Config, r *Request) {
			c.Arms, r.Experiment, r.Arm = map[string]string{"b": "new-search"}, "search", "b"
		}, want: want{kind: Applied, attempts: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, c, r := &launchDarklyAPI{on: true}, launchDarklyConfig(), request()
			if tt.change != nil {
				tt.change(l, &c, &r)
			}
			got := (&peer{system: l, faults: tt.faults}).kill(t, c, r, tt.want)
			if got.Kind == Applied && got.Serves != "everybody gets the off variation, false" {
				t.Errorf("users get %q", got.Serves)
			}
			if got.Kind == PendingApproval && len(l.pending) != 1 {
				t.Errorf("%d requests for approval", len(l.pending))
			}
		})
	}
}

// TestLaunchDarklyAsksForApprovalOnce: when the answer to the request is lost,
// what waits is still an approval, and nothing is asked for again.
func TestLaunchDarklyAsksForApprovalOnce(t *testing.T) {
	l := &launchDarklyAPI{on: true, approvals: true}
	p := &peer{system: l, faults: []fault{{status: 405}, {pass: true, lost: true}}}
	p.kill(t, launchDarklyConfig(), request(), want{kind: PendingApproval, attempts: 1, detail: "connection reset", link: launchDarklyLink})
	if len(l.pending) != 1 {
		t.Errorf("%d requests for approval", len(l.pending))
	}
}

func TestLaunchDarklyCalls(t *testing.T) {
	p := &peer{system: &launchDarklyAPI{on: true}}
	p.kill(t, launchDarklyConfig(), request(), want{kind: Applied, attempts: 1})
	get := "GET " + launchDarklyFlag + "?env=production"
	if diff := cmp.Diff([]string{get, "PATCH " + launchDarklyFlag, get}, p.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	const body = `{"comment":"assay kill-1: errors beyond the margin (+6.1 pp)","environmentKey":"production","instructions":[{"kind":"turnFlagOff"}]}`
	if diff := cmp.Diff([]string{body}, p.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

// TestLaunchDarklyTrigger: the trigger turns off, the token reads, and nothing
// shows the trigger's address, not even a page that repeats its path.
func TestLaunchDarklyTrigger(t *testing.T) {
	const secret = "/webhook/triggers/62581d4488def814b831abc3/57d5-secret"
	l := &launchDarklyAPI{on: true}
	mux := http.NewServeMux()
	mux.Handle("/", l)
	mux.HandleFunc("POST "+secret, func(w http.ResponseWriter, _ *http.Request) { // docs/home/releases/triggers
		l.on = false
		w.WriteHeader(http.StatusOK)
	})
	c := launchDarklyConfig()
	c.System = LaunchDarkly{Token: launchDarklyToken, Project: "web", Environment: "production", Trigger: Secret("https://app.launchdarkly.com" + secret)}
	(&peer{system: mux}).kill(t, c, request(), want{kind: Applied, attempts: 1})

	l.on = true
	refused := fault{status: 404, body: "no " + secret + ", no 57d5-secret"}
	got := (&peer{system: mux, faults: []fault{refused}}).kill(t, c, request(), want{kind: NotFound, attempts: 1})
	if strings.Contains(got.Detail, "57d5-secret") || strings.Contains(got.Detail, secret) {
		t.Errorf("the trigger is shown: %s", got.Detail)
	}
}
