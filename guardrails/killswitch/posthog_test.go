package killswitch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// postHogAPI answers as posthog.com/docs/api/feature-flags and
// posthog.com/docs/settings/approvals say, and posthog/api/feature_flag.py and
// approvals/decorators.py where those are silent.
type postHogAPI struct {
	keys    []string // of the project's flags; an id is the position
	active  map[string]bool
	approve string // the code with which a change is held up
	depends bool
}

const postHogToken = "phx_0123456789"

func (p *postHogAPI) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	const flags = "/api/projects/42/feature_flags/"
	if q.Header.Get("Authorization") != "Bearer "+postHogToken {
		reply(w, 401, `{"type":"authentication_error","code":"authentication_failed","detail":"Invalid personal API key."}`)
		return
	}
	id, isFlag := strings.CutPrefix(q.URL.Path, flags)
	n, _ := strconv.Atoi(strings.TrimSuffix(id, "/"))
	switch {
	case q.Method == http.MethodGet && q.URL.Path == flags: // list: `search` looks in keys and names
		p.list(w, q)
	case q.Method == http.MethodPatch && isFlag && n < len(p.keys):
		p.patch(w, p.keys[n])
	default:
		reply(w, 404, `{"type":"invalid_request","code":"not_found","detail":"Not found."}`)
	}
}

func (p *postHogAPI) list(w http.ResponseWriter, q *http.Request) {
	var all []map[string]any
	for id, key := range p.keys {
		if strings.Contains(key, q.URL.Query().Get("search")) {
			all = append(all, map[string]any{"id": id, "key": key, "active": p.active[key]})
		}
	}
	limit, _ := strconv.Atoi(q.URL.Query().Get("limit"))
	offset, _ := strconv.Atoi(q.URL.Query().Get("offset"))
	page := map[string]any{"count": len(all), "next": nil, "results": all[min(offset, len(all)):min(offset+limit, len(all))]}
	if offset+limit < len(all) {
		page["next"] = "https://us.posthog.com/api/projects/42/feature_flags/?offset=" + strconv.Itoa(offset+limit)
	}
	text, _ := json.Marshal(page)
	reply(w, 200, "%s", text)
}

func (p *postHogAPI) patch(w http.ResponseWriter, key string) {
	switch {
	case p.approve != "": // approvals/decorators.py
		reply(w, 409, `{"status":"conflict","code":"%s","detail":"Change request required","change_request_id":"cr-17"}`, p.approve)
	case p.depends: // feature_flag.py
		reply(w, 400, `{"type":"validation_error","code":"invalid_input","detail":"Cannot disable this feature flag because other flags depend on it: checkout"}`)
	default:
		p.active[key] = false
		reply(w, 200, `{"id":1,"key":"%s","active":false,"version":8}`, key)
	}
}

func postHogConfig() Config { return Config{System: PostHog{Token: postHogToken, Project: "42"}} }

func newPostHogAPI() *postHogAPI {
	return &postHogAPI{keys: []string{"new-search-old", "new-search"}, active: map[string]bool{"new-search": true, "new-search-old": true}}
}

func TestPostHog(t *testing.T) {
	const link = "https://us.posthog.com/project/42/feature_flags/1"
	tests := []struct {
		name   string
		change func(*postHogAPI, *Config, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1}},
		{name: "off before", change: func(p *postHogAPI, _ *Config, _ *Request) { p.active["new-search"] = false }, want: want{kind: AlreadyOff}},
		{name: "409: an approval is required, and was asked for", change: func(p *postHogAPI, _ *Config, _ *Request) { p.approve = "approval_required" },
			want: want{kind: PendingApproval, attempts: 1, detail: "change request cr-17", link: link}},
		{name: "409: an approval waits already", change: func(p *postHogAPI, _ *Config, _ *Request) { p.approve = "change_request_pending" },
			want: want{kind: PendingApproval, attempts: 1, detail: "change request cr-17", link: link}},
		{name: "409: somebody else was writing", faults: []fault{{status: 409, body: `{"type":"server_error","code":"error","detail":"The feature flag was updated by someone else"}`}},
			want: want{kind: Applied, attempts: 2, waited: 125 * time.Millisecond}},
		{name: "another flag depends on it", change: func(p *postHogAPI, _ *Config, _ *Request) { p.depends = true },
			want: want{kind: Denied, attempts: 1, detail: "turn that one off first"}},
		{name: "a policy conflict", faults: []fault{{status: 400, body: `{"code":"policy_conflict"}`}}, want: want{kind: Denied, attempts: 1}},
		{name: "a policy denies", faults: []fault{{status: 403, body: `{"code":"permission_denied"}`}}, want: want{kind: Denied, attempts: 1}},
		{name: "no flag of this key", change: func(_ *postHogAPI, _ *Config, r *Request) { r.Flag = "search" },
			want: want{kind: NotFound, detail: "no flag of this project has this key"}},
		{name: "a key that is not known", change: func(_ *postHogAPI, c *Config, _ *Request) { c.System = PostHog{Token: "phx_other", Project: "42"} },
			want: want{kind: Denied, detail: "Invalid personal API key"}},
		{name: "429", faults: []fault{{status: 429, header: http.Header{"Retry-After": {"2"}}}}, want: want{kind: Applied, attempts: 2, waited: 2 * time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, c, r := newPostHogAPI(), postHogConfig(), request()
			if tt.change != nil {
				tt.change(p, &c, &r)
			}
			(&peer{system: p, faults: tt.faults}).kill(t, c, r, tt.want)
			if !p.active["new-search-old"] {
				t.Error("the other flag, whose key contains this one, was turned off")
			}
		})
	}
}

// TestPostHogLooksThroughThePages: the search takes parts of keys.
func TestPostHogLooksThroughThePages(t *testing.T) {
	api := &postHogAPI{active: map[string]bool{"new-search": true}}
	for i := range 250 {
		api.keys = append(api.keys, fmt.Sprintf("new-search-%d", i))
	}
	api.keys = append(api.keys, "new-search")
	p := &peer{system: api}
	p.kill(t, postHogConfig(), request(), want{kind: Applied, attempts: 1})
	const list = "GET /api/projects/42/feature_flags/?search=new-search&limit=100&offset="
	look := []string{list + "0", list + "100", list + "200"}
	want := append(append(append([]string{}, look...), look...), "PATCH /api/projects/42/feature_flags/250/")
	if diff := cmp.Diff(append(want, look...), p.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`{"active":false}`}, p.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}
