package killswitch

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRetriesCarryTheSameMessage: id and body never change, the timestamp is
// that of the attempt, and the address is that of the flag.
func TestRetriesCarryTheSameMessage(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 429, header: http.Header{"Retry-After": {"5"}}}, behaviour{status: 200, apply: true}), newClock()
	q := request()
	q.Flag = "search/v2 beta"
	if _, err := r.open(t, r.config(), k).Off(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if len(r.offs) != 2 {
		t.Fatalf("%d calls, want 2", len(r.offs))
	}
	first, second := r.offs[0], r.offs[1]
	if first.ID != "kill-1" || second.ID != first.ID || string(second.Body) != string(first.Body) {
		t.Errorf("the second attempt is another message: %+v, %+v", first, second)
	}
	if first.Timestamp != "1772366400" || second.Timestamp != "1772366405" || first.Signature == second.Signature {
		t.Errorf("attempts are stamped %s and %s, signed %s and %s", first.Timestamp, second.Timestamp, first.Signature, second.Signature)
	}
	if want := "/flags/search/v2 beta/off"; first.Path != want {
		t.Errorf("path %q, want %q", first.Path, want)
	}
	var got any
	if err := json.Unmarshal(first.Body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "experiment.kill", "timestamp": "2026-03-01T11:59:59Z",
		"data": map[string]any{
			"action": "off", "experiment": "new-search", "iteration": 1.0, "flag": "search/v2 beta",
			"reason": "errors beyond the margin", "evidence": "+6.1 pp",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

// TestSecretsStayInside: neither outcome, errors, logs nor JSON show a secret or
// an address, even when the receiver echoes what it was sent.
func TestSecretsStayInside(t *testing.T) {
	const token, hidden = "t0ken-of-the-operator", "query-secret"
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "no: %s %s", q.Header.Get("Authorization"), testSecret)
	}))
	defer echo.Close()
	c := Webhook{
		URL: echo.URL + "/off?key=" + hidden, Secret: testSecret, Headers: map[string]Secret{"Authorization": "Bearer " + token},
		ReadBack: ReadBack{URL: echo.URL + "/state?key=" + hidden, Path: "on", Off: "false", Headers: map[string]Secret{"Authorization": token}},
	}
	refuse := func(where, text string) {
		t.Helper()
		for _, secret := range []string{testSecret, token, hidden} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q: %s", where, secret, text)
			}
		}
	}
	inspect := func() {
		k := newClock()
		s, err := New("demo", Config{System: c}, k.runtime())
		if err != nil {
			t.Fatal(err)
		}
		got, _ := s.Off(t.Context(), request())
		refuse("the outcome", fmt.Sprintf("%+v", got))
		_, err = s.State(t.Context(), request().Target)
		refuse("the state's error", fmt.Sprint(err))
	}
	inspect()
	echo.Close() // now every call fails before it arrives
	inspect()

	refuse("the configuration in a log", fmt.Sprintf("%v %#v", c.Secret, c.Headers))
	text, err := json.Marshal(c.Headers)
	if err != nil {
		t.Fatal(err)
	}
	refuse("the configuration as JSON", string(text))
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("configured", "secret", c.Secret)
	refuse("a log line", logged.String())
	if !strings.Contains(logged.String(), "[secret]") {
		t.Errorf("the log line has no placeholder: %s", logged.String())
	}
}

func TestNewRefuses(t *testing.T) {
	good := func() Webhook {
		return Webhook{URL: "https://flags.example/off", Secret: "s", ReadBack: ReadBack{URL: "https://flags.example/state", Path: "on", Off: "false"}}
	}
	if _, err := New("x", Config{System: good()}, Runtime{}); err != nil {
		t.Fatalf("the good one is refused: %v", err)
	}
	tests := []struct {
		change func(*Webhook)
		want   string
	}{
		{func(c *Webhook) { c.URL = "" }, "url is missing"},
		{func(c *Webhook) { c.URL = "https://a b" }, "url is not a URL"},
		{func(c *Webhook) { c.URL = "ftp://flags.example" }, "url must begin with https://"},
		{func(c *Webhook) { c.URL = "https:///off" }, "url has no host"},
		{func(c *Webhook) { c.URL = "https://u:pass-word@flags.example/" }, "must not carry a password"},
		{func(c *Webhook) { c.ReadBack.URL = "nowhere" }, "read_back.url must begin"},
		{func(c *Webhook) { c.ReadBack.Path = "" }, "read_back.path: it is missing"},
		{func(c *Webhook) { c.ReadBack.Path = "a..b" }, `"a..b" is not a path`},
		{func(c *Webhook) { c.ReadBack.Off = "" }, "read_back.off is missing"},
		{func(c *Webhook) { c.Secret = "" }, "needs a secret"},
		{func(c *Webhook) { c.Secret = "whsec_%%" }, "its rest is not base64"},
		{func(c *Webhook) { c.URL = "http://169.254.169.254/latest" }, "url: link-local and cloud metadata addresses are refused"},
		{func(c *Webhook) { c.Headers = map[string]Secret{"Authorization": "x\ny"} }, "line break"},
	}
	for _, tt := range tests {
		c := good()
		tt.change(&c)
		_, err := New("x", Config{System: c}, Runtime{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q in it", err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "pass-word") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestARequestWithoutKeyIsRefused(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 200, apply: true}), newClock()
	q := request()
	q.Key = ""
	got, err := r.open(t, r.config(), k).Off(t.Context(), q)
	if err == nil || got.Kind != Unknown || len(r.offs) != 0 {
		t.Errorf("got %+v, %v after %d calls; want an error and no call", got, err, len(r.offs))
	}
}

func TestJSONPath(t *testing.T) {
	const document = `{"enabled":false,"data":{"flags":[{"on":1.50},{"on":null}],"a.b":"DISABLED","é-x_1":true}}`
	tests := []struct{ path, want, err string }{
		{path: "enabled", want: "false"},
		{path: "$.enabled", want: "false"},
		{path: "data.flags[0].on", want: "1.50"},
		{path: "data.flags[1].on", want: "null"},
		{path: `data["a.b"]`, want: "DISABLED"},
		{path: "data.é-x_1", want: "true"},
		{path: "data.flags[2].on", err: "looking for 2"},
		{path: "enabled.on", err: "looking for on"},
		{path: "missing", err: "looking for missing"},
		{path: "data", err: "not a single value"},
	}
	for _, tt := range tests {
		path, err := parsePath(tt.path)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		got, err := path.find([]byte(document))
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s = %q, %v; want %q, %q", tt.path, got, err, tt.want, tt.err)
		}
	}
	for _, bad := range []string{"", "$", ".", "a.", "a[", "a[x]", "a[99999999999999999999]", "a b", `a[""]`} {
		if path, err := parsePath(bad); err == nil {
			if _, err := path.find([]byte(document)); err == nil {
				t.Errorf("%q was read as a path and found something", bad)
			}
		}
	}
	if _, err := (jsonPath{"x"}).find([]byte("<html>")); err == nil {
		t.Error("HTML was read as JSON")
	}
}

func TestBackoff(t *testing.T) {
	// The upper half of 250 ms, 500 ms, 1 s, 2 s, 4 s, then 5 s for ever.
	steps := []time.Duration{250, 500, 1000, 2000, 4000, 5000, 5000, 5000}
	for i, step := range steps {
		step *= time.Millisecond
		if got := backoff(i+1, 0); got != step/2 {
			t.Errorf("shortest pause %d = %v, want %v", i+1, got, step/2)
		}
		if got := backoff(i+1, 0.999); got <= step/2 || got >= step {
			t.Errorf("long pause %d = %v, want one below %v", i+1, got, step)
		}
	}
}
