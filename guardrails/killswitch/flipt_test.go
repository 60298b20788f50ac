package killswitch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fliptServer is a Flipt v2 with one flag. Its answers were seen on
// 2.11.0-54-gf1905b61b, as docs.flipt.io/v2/reference/flags describes them.
type fliptServer struct {
	flag     map[string]any
	revision int // of the whole repository
	edits    int // so many writes of others come between a read and our write
	commits  int
}

const fliptToken = "flipt-client-token"

func (f *fliptServer) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	const resources = "/api/v2/environments/production/namespaces/default/resources"
	switch {
	case q.Header.Get("Authorization") != "Bearer "+fliptToken:
		reply(w, 401, `{"code":16,"message":"request was not authenticated"}`)
	case q.Method == http.MethodGet && q.URL.Path == resources+"/flipt.core.Flag/new-search":
		payload, _ := json.Marshal(f.flag)
		reply(w, 200, `{"resource":{"namespaceKey":"default","key":"new-search","payload":%s},"revision":"r%d"}`, payload, f.revision)
	case q.Method == http.MethodPut && q.URL.Path == resources:
		if f.edits > 0 {
			f.edits--
			f.revision++
		}
		var put struct {
			Key, Revision string
			Payload       map[string]any
		}
		_ = json.NewDecoder(q.Body).Decode(&put)
		if now := fmt.Sprintf("r%d", f.revision); put.Revision != now { // optimistic concurrency
			reply(w, 409, `{"code":10,"message":"production: expected head revision \"%s\" has changed (now \"%s\")"}`, put.Revision, now)
			return
		}
		f.flag, f.revision, f.commits = put.Payload, f.revision+1, f.commits+1 // replaced whole
		reply(w, 200, `{"resource":{},"revision":"r%d"}`, f.revision)
	default:
		reply(w, 404, `{"code":5,"message":"flag not found"}`)
	}
}

func fliptConfig() Config {
	return Config{System: Flipt{URL: "https://flipt.example", Token: fliptToken, Environment: "production"}}
}

func variantFlag() map[string]any {
	return map[string]any{
		"@type": "flipt.core.Flag", "key": "new-search", "name": "New search", "type": "VARIANT_FLAG_TYPE", "enabled": true,
		"variants": []any{map[string]any{"key": "treatment", "attachment": map[string]any{"a": 1.0}}}, "metadata": map[string]any{"owner": "web"},
	}
}

func TestFlipt(t *testing.T) {
	tests := []struct {
		name   string
		change func(*fliptServer, *Config, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1}},
		{name: "off before", change: func(f *fliptServer, _ *Config, _ *Request) { f.flag["enabled"] = false }, want: want{kind: AlreadyOff}},
		{name: "off before, and a value of false left out", change: func(f *fliptServer, _ *Config, _ *Request) { delete(f.flag, "enabled") },
			want: want{kind: AlreadyOff}},
		{name: "two others edit something first", change: func(f *fliptServer, _ *Config, _ *Request) { f.edits = 2 },
			want: want{kind: Applied, attempts: 3, waited: 375 * time.Millisecond}},
		{name: "others edit until the deadline", change: func(f *fliptServer, _ *Config, _ *Request) { f.edits = 1000 },
			want: want{kind: Conflict, attempts: 28, waited: 58875 * time.Millisecond, detail: "expected head revision"}},
		{name: "another flag: nothing is written", change: func(_ *fliptServer, _ *Config, r *Request) { r.Flag = "elsewhere" },
			want: want{kind: NotFound, detail: "flag not found"}},
		{name: "a token that is not known", change: func(_ *fliptServer, c *Config, _ *Request) {
			c.System = Flipt{URL: "https://flipt.example", Token: "other", Environment: "production"}
		}, want: want{kind: Denied, detail: "not authenticated"}},
		{name: "applied, and the answer is lost", faults: []fault{{pass: true, lost: true}},
			want: want{kind: Applied, attempts: 1, detail: "it reads as off all the same"}},
		{name: "503", faults: []fault{{status: 503}}, want: want{kind: Applied, attempts: 2, waited: 125 * time.Millisecond}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, c, r := &fliptServer{flag: variantFlag(), revision: 7}, fliptConfig(), request()
			if tt.change != nil {
				tt.change(f, &c, &r)
			}
			got := (&peer{system: f, faults: tt.faults}).kill(t, c, r, tt.want)
			if got.Kind == Applied && (f.commits != 1 || got.Saved != "") {
				t.Errorf("%d commits, saved %q", f.commits, got.Saved)
			}
			if f.flag["name"] != "New search" || len(f.flag["variants"].([]any)) != 1 || f.flag["metadata"] == nil {
				t.Errorf("the rest of the flag changed: %v", f.flag)
			}
		})
	}
}

// TestFliptBoolean: what a boolean flag serves is decided by its rollouts first.
// They are taken away, and kept in the outcome.
func TestFliptBoolean(t *testing.T) {
	flag := map[string]any{"key": "new-search", "type": "BOOLEAN_FLAG_TYPE", "enabled": false,
		"rollouts": []any{map[string]any{"type": "THRESHOLD_ROLLOUT_TYPE", "threshold": map[string]any{"percentage": 50.0, "value": true}}}}
	f := &fliptServer{flag: flag}
	got := (&peer{system: f}).kill(t, fliptConfig(), request(), want{kind: Applied, attempts: 1})
	if rollouts := f.flag["rollouts"].([]any); len(rollouts) != 0 || f.flag["enabled"] != false {
		t.Errorf("the flag is %v", f.flag)
	}
	var saved map[string]any
	if err := json.Unmarshal([]byte(got.Saved), &saved); err != nil || !strings.Contains(got.Saved, `"percentage":50`) {
		t.Errorf("saved %q, %v", got.Saved, err)
	}
}
