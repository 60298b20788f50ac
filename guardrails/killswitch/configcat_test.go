package killswitch

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// configCatAPI answers as configcat.com/docs/api/reference describes "Get value"
// and "Update value" (v2, by SDK key), for one setting.
type configCatAPI struct {
	kind  string
	value map[string]any
	rules []any
}

func (c *configCatAPI) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	user, password, _ := q.BasicAuth() // "Authentication: HTTP: Basic Auth"
	switch {
	case user != "api-user-0001" || password != "api-password-1":
		w.WriteHeader(http.StatusUnauthorized)
	case q.URL.Path != "/v2/settings/new-search/value" || q.Header.Get("X-CONFIGCAT-SDKKEY") != "sdk-key-0001": // 404: "Not found."
		w.WriteHeader(http.StatusNotFound)
	case q.Method == http.MethodGet: // 200: "When everything is ok, the setting value data returned."
		c.write(w)
	case q.Method == http.MethodPatch:
		var ops []struct {
			Op, Path string
			Value    any
		}
		if json.NewDecoder(q.Body).Decode(&ops) != nil { // 400: "Bad request."
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, op := range ops { // JSON Patch, RFC 6902
			switch field, ok := strings.CutPrefix(op.Path, "/defaultValue/"); {
			case op.Path == "/targetingRules":
				c.rules = op.Value.([]any)
			case ok:
				c.value[field] = op.Value
			}
		}
		c.write(w)
	}
}

func (c *configCatAPI) write(w http.ResponseWriter) {
	text, _ := json.Marshal(map[string]any{
		"lastVersionId": "1", "defaultValue": c.value, "targetingRules": c.rules, "percentageEvaluationAttribute": "country",
		"setting": map[string]any{"settingId": 1, "key": "new-search", "settingType": c.kind},
	})
	reply(w, 200, "%s", text)
}

func configCatSystem() ConfigCat {
	return ConfigCat{User: "api-user-0001", Password: "api-password-1", SDKKey: "sdk-key-0001"}
}

func TestConfigCat(t *testing.T) {
	rules := []any{map[string]any{"conditions": []any{}, "percentageOptions": []any{map[string]any{"percentage": 50.0, "value": map[string]any{"boolValue": true}}}}}
	tests := []struct {
		name   string
		change func(*configCatAPI, *ConfigCat, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1}},
		{name: "off before", change: func(c *configCatAPI, _ *ConfigCat, _ *Request) { c.rules = nil }, want: want{kind: AlreadyOff}},
		{name: "no rules, but on by default", change: func(c *configCatAPI, _ *ConfigCat, _ *Request) { c.rules, c.value["boolValue"] = nil, true },
			want: want{kind: Applied, attempts: 1}},
		{name: "a text, and the value that is off", change: func(c *configCatAPI, s *ConfigCat, _ *Request) {
			c.kind, c.value, s.Off = "string", map[string]any{"stringValue": "b"}, "control"
		}, want: want{kind: Applied, attempts: 1}},
		{name: "a number", change: func(c *configCatAPI, s *ConfigCat, _ *Request) {
			c.kind, c.value, s.Off = "int", map[string]any{"intValue": 3}, "0"
		}, want: want{kind: Applied, attempts: 1}},
		{name: "a text without the value that is off: nothing is written", change: func(c *configCatAPI, _ *ConfigCat, _ *Request) {
			c.kind, c.value = "string", map[string]any{"stringValue": "b"}
		}, want: want{kind: Denied, detail: "name under off"}},
		{name: "429 with Retry-After", faults: []fault{{status: 429, header: http.Header{"Retry-After": {"4"}}}},
			want: want{kind: Applied, attempts: 2, waited: 4 * time.Second}},
		{name: "429 with the time of the reset", faults: []fault{{status: 429, header: http.Header{"X-Rate-Limit-Reset": {"2026-03-01T12:00:06.0000000Z"}}}},
			want: want{kind: Applied, attempts: 2, waited: 6 * time.Second}},
		{name: "400, such as a reason that is missing", faults: []fault{{status: 400}}, want: want{kind: Denied, attempts: 1}},
		{name: "another setting", change: func(_ *configCatAPI, _ *ConfigCat, r *Request) { r.Flag = "elsewhere" }, want: want{kind: NotFound}},
		{name: "credentials that are not known", change: func(_ *configCatAPI, s *ConfigCat, _ *Request) { s.Password = "api-password-2" },
			want: want{kind: Denied}},
		{name: "applied, and the answer is lost", faults: []fault{{pass: true, lost: true}}, want: want{kind: Applied, attempts: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s, r := &configCatAPI{kind: "boolean", value: map[string]any{"boolValue": false}, rules: rules}, configCatSystem(), request()
			if tt.change != nil {
				tt.change(c, &s, &r)
			}
			before, _ := json.Marshal(map[string]any{"defaultValue": c.value, "targetingRules": c.rules, "percentageEvaluationAttribute": "country"})
			got := (&peer{system: c, faults: tt.faults}).kill(t, Config{System: s}, r, tt.want)
			if got.Kind != Applied {
				if got.Saved != "" {
					t.Errorf("nothing was overwritten, but saved is %s", got.Saved)
				}
				return
			}
			var want, saved any
			if err := json.Unmarshal([]byte(got.Saved), &saved); err != nil {
				t.Fatalf("saved %q: %v", got.Saved, err)
			}
			_ = json.Unmarshal(before, &want)
			if diff := cmp.Diff(want, saved); diff != "" {
				t.Errorf("what can be restored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigCatCalls(t *testing.T) {
	p := &peer{system: &configCatAPI{kind: "boolean", value: map[string]any{"boolValue": true}}}
	r := request()
	kept := ""
	r.Keep = func(saved string) {
		if len(p.bodies) > 0 {
			t.Error("the call has left before what it overwrites was kept")
		}
		kept += saved
	}
	got := p.kill(t, Config{System: configCatSystem()}, r, want{kind: Applied, attempts: 1})
	if kept == "" || kept != got.Saved {
		t.Errorf("kept %q, saved %q", kept, got.Saved)
	}
	const path = "/v2/settings/new-search/value"
	want := []string{"GET " + path, "GET " + path, "PATCH " + path + "?reason=assay+kill-1%3A+errors+beyond+the+margin+%28%2B6.1+pp%29", "GET " + path}
	if diff := cmp.Diff(want, p.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	const body = `[{"op":"replace","path":"/targetingRules","value":[]},{"op":"replace","path":"/defaultValue/boolValue","value":false}]`
	if diff := cmp.Diff([]string{body}, p.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}
