package killswitch

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// splitAPI answers as docs.split.io/reference describes the Admin API, for one
// flag: kill-split-in-environment, get-split-definition-in-environment, and
// rate-limiting for its headers.
type splitAPI struct {
	killed bool
	locked bool // "the object is locked" while an approval waits: approval-flows; its status is not documented
}

const splitToken = "split-admin-key-01"

func (s *splitAPI) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	const path = "/internal/api/v2/splits/ws/ws-1/new-search/environments/production"
	switch {
	case q.Header.Get("Authorization") != "Bearer "+splitToken && q.Header.Get("x-api-key") != splitToken:
		reply(w, 401, `{"code":401,"message":"Invalid credentials"}`)
	case q.Method == http.MethodGet && q.URL.Path == path:
		reply(w, 200, `{"name":"new-search","killed":%t,"defaultTreatment":"off","treatments":[{"name":"on"},{"name":"off"}]}`, s.killed)
	case q.Method == http.MethodPut && q.URL.Path == path+"/kill":
		if s.locked {
			reply(w, 403, `{"code":403,"message":"The feature flag is locked by a pending approval request"}`)
			return
		}
		s.killed = true
		reply(w, 200, `true`)
	default:
		reply(w, 404, `{"code":404,"message":"Feature flag not found"}`)
	}
}

func splitConfig() Config {
	return Config{System: Split{Token: splitToken, Workspace: "ws-1", Environment: "production"}}
}

func TestSplit(t *testing.T) {
	limited := http.Header{"X-Ratelimit-Reset-Seconds-Org": {"3"}, "X-Ratelimit-Reset-Seconds-Ip": {"8"}}
	tests := []struct {
		name   string
		change func(*splitAPI, *Config, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1}},
		{name: "killed before", change: func(s *splitAPI, _ *Config, _ *Request) { s.killed = true }, want: want{kind: AlreadyOff}},
		{name: "a key of Harness", change: func(_ *splitAPI, c *Config, _ *Request) {
			c.System = Split{URL: "https://app.harness.example", Token: splitToken, Harness: true, Workspace: "ws-1", Environment: "production"}
		}, want: want{kind: Applied, attempts: 1}},
		{name: "locked by an approval", change: func(s *splitAPI, _ *Config, _ *Request) { s.locked = true },
			want: want{kind: PendingApproval, attempts: 1, detail: "an approval stands in the way"}},
		{name: "423", faults: []fault{{status: 423}}, want: want{kind: PendingApproval, attempts: 1}},
		{name: "429: the longer of both pauses", faults: []fault{{status: 429, header: limited}},
			want: want{kind: Applied, attempts: 2, waited: 8 * time.Second}},
		{name: "403 without an approval", faults: []fault{{status: 403, body: `{"message":"Not allowed"}`}}, want: want{kind: Denied, attempts: 1}},
		{name: "a key that is not known", change: func(_ *splitAPI, c *Config, _ *Request) {
			c.System = Split{Token: "other", Workspace: "ws-1", Environment: "production"}
		}, want: want{kind: Denied, attempts: 1}},
		{name: "another flag", change: func(_ *splitAPI, _ *Config, r *Request) { r.Flag = "elsewhere" }, want: want{kind: NotFound, attempts: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, c, r := &splitAPI{}, splitConfig(), request()
			if tt.change != nil {
				tt.change(s, &c, &r)
			}
			got := (&peer{system: s, faults: tt.faults}).kill(t, c, r, tt.want)
			if got.Kind == Applied && got.Serves != "everybody gets the default treatment, off" {
				t.Errorf("users get %q", got.Serves)
			}
		})
	}
}

func TestSplitCalls(t *testing.T) {
	p := &peer{system: &splitAPI{}}
	p.kill(t, splitConfig(), request(), want{kind: Applied, attempts: 1})
	const path = "/internal/api/v2/splits/ws/ws-1/new-search/environments/production"
	if diff := cmp.Diff([]string{"GET " + path, "PUT " + path + "/kill", "GET " + path}, p.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
