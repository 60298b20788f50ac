package simulate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/assay-dev/assay/guardrails/killswitch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const secret = "secret-of-the-demo"

func newService() *FlagService {
	return NewFlagService(DemoFlags(DemoStories()), secret, func() time.Time { return noon })
}

// call sends a request to the service and returns status and body.
func call(s http.Handler, method, path, body string, header http.Header) (int, string) {
	q := httptest.NewRequest(method, path, strings.NewReader(body))
	q.Header = header
	w := httptest.NewRecorder()
	s.ServeHTTP(w, q)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// signed makes the headers of a message, by the words of the standard.
func signed(id, timestamp, body, key string) http.Header {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(id + "." + timestamp + "." + body))
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", timestamp)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

const noonUnix = "1772366400"

func TestFlagService(t *testing.T) {
	s := newService()
	steps := []struct {
		method, path, body string
		header             http.Header
		status             int
		want               string
	}{
		{"POST", "/assign", `{"flag":"new-search","unit":"u1"}`, nil, 200, `{"variant":"` + DemoStories()[1].Flag().Assign("u1") + `"}`},
		{"POST", "/assign", `{"flag":"nothing","unit":"u1"}`, nil, 404, "unknown flag"},
		{"POST", "/assign", `{"flag":"new-search"}`, nil, 400, ""},
		{"POST", "/assign", `flag`, nil, 400, ""},
		{"GET", "/flags/new-search", "", nil, 200, `{"key":"new-search","enabled":true}`},
		{"GET", "/flags/nothing", "", nil, 404, "unknown flag"},
		{"POST", "/flags/new-search/off", "{}", nil, 401, ""},
		{"GET", "/flags/new-search", "", nil, 200, `{"key":"new-search","enabled":true}`},
		{"POST", "/flags/nothing/off", "{}", signed("m1", noonUnix, "{}", secret), 404, "unknown flag"},
		{"POST", "/flags/new-search/off", "{}", signed("m2", noonUnix, "{}", secret), 200, `{"key":"new-search","enabled":false}`},
		{"POST", "/flags/new-search/off", "{}", signed("m2", noonUnix, "{}", secret), 200, `{"key":"new-search","enabled":false}`},
		{"GET", "/flags/new-search", "", nil, 200, `{"key":"new-search","enabled":false}`},
		{"POST", "/assign", `{"flag":"new-search","unit":"u1"}`, nil, 200, `{"variant":null,"reason":"DISABLED"}`},
		{"GET", "/flags/checkout-button", "", nil, 200, `{"key":"checkout-button","enabled":true}`},
	}
	for i, step := range steps {
		status, got := call(s, step.method, step.path, step.body, step.header)
		if status != step.status || step.want != "" && got != step.want {
			t.Errorf("step %d, %s %s: %d %s, want %d %s", i+1, step.method, step.path, status, got, step.status, step.want)
		}
	}
}

func TestFlagServiceRefusesMessages(t *testing.T) {
	change := func(name, value string) http.Header {
		h := signed("m", noonUnix, "{}", secret)
		h.Set(name, value)
		return h
	}
	good := signed("m", noonUnix, "{}", secret).Get("webhook-signature")
	tests := []struct {
		name   string
		header http.Header
		ok     bool
	}{
		{"signed well", signed("m", noonUnix, "{}", secret), true},
		{"another signature first", change("webhook-signature", "v1,AAAA v2,x "+good), true},
		{"another secret", signed("m", noonUnix, "{}", "other"), false},
		{"another body", signed("m", noonUnix, "{ }", secret), false},
		{"another id", change("webhook-id", "n"), false},
		{"no id", change("webhook-id", ""), false},
		{"another time", change("webhook-timestamp", "1772366401"), false},
		{"no time", change("webhook-timestamp", "now"), false},
		{"five minutes old", signed("m", "1772366100", "{}", secret), true},
		{"older", signed("m", "1772366099", "{}", secret), false},
		{"from the future", signed("m", "1772366701", "{}", secret), false},
		{"another version", change("webhook-signature", strings.Replace(good, "v1", "v2", 1)), false},
		{"not base64", change("webhook-signature", "v1,%"), false},
	}
	for _, tt := range tests {
		s := newService()
		status, body := call(s, "POST", "/flags/new-search/off", "{}", tt.header)
		if (status == 200) != tt.ok || s.Enabled("new-search") == tt.ok {
			t.Errorf("%s: %d %s, enabled %v", tt.name, status, body, s.Enabled("new-search"))
		}
	}
}

// TestKillSwitchTurnsTheDemoOff: the two sides of the standard, written apart,
// understand each other over a socket.
func TestKillSwitchTurnsTheDemoOff(t *testing.T) {
	for _, secret := range []string{"plain-text", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"} {
		s := NewFlagService(DemoFlags(DemoStories()), secret, time.Now)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Serve(ctx, l) }()
		base := "http://" + l.Addr().String()
		transport := &http.Transport{DisableKeepAlives: true}
		k, err := killswitch.New(DemoSwitch, killswitch.Config{System: killswitch.Webhook{
			URL: base + "/flags/{flag}/off", Secret: killswitch.Secret(secret),
			ReadBack: killswitch.ReadBack{URL: base + "/flags/{flag}", Path: "enabled", Off: "false"},
		}}, killswitch.Runtime{Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		client := NewFlagClient(base, transport)
		ask := func() string {
			variant, err := client.Assign(ctx, "new-search", "u1")
			if err != nil {
				t.Error(err)
			}
			return variant
		}
		if ask() == "" {
			t.Error("the flag is off before the kill")
		}
		r := killswitch.Request{Target: killswitch.Target{Experiment: "new-search"}, Key: "k", DecidedAt: time.Now()}
		for _, want := range []killswitch.Kind{killswitch.Applied, killswitch.AlreadyOff} {
			if got, err := k.Off(ctx, r); err != nil || got.Kind != want {
				t.Errorf("%+v, %v; want %s", got, err, want)
			}
		}
		if got := ask(); got != "" {
			t.Errorf("variant %q after the kill", got)
		}
		if _, err := client.Assign(ctx, "nothing", "u1"); err == nil {
			t.Error("an unknown flag gave an answer")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
