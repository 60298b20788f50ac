package killswitch

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/outbound"
)

// keyOf is a secret of every system in TestSystems.
const keyOf = "s3cret-of-this-system"

// systems are all systems, complete. A new one belongs here.
func systems(t *testing.T) map[string]System {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flags.json")
	write(t, file, `{"flags":{"new-search":{"state":"ENABLED"}},"new-search":{}}`)
	return map[string]System{
		"webhook": Webhook{URL: "https://flags.example/off?key=" + keyOf, Secret: keyOf, Headers: map[string]Secret{"Authorization": "Bearer " + keyOf},
			ReadBack: ReadBack{URL: "https://flags.example/state?key=" + keyOf, Path: "on", Off: "false", Headers: map[string]Secret{"X-Key": keyOf}}},
		"unleash":                     Unleash{URL: "https://flags.example", Token: keyOf, Environment: "production"},
		"launchdarkly":                LaunchDarkly{Token: keyOf, Project: "web", Environment: "production"},
		"trigger":                     LaunchDarkly{Token: keyOf, Project: "web", Environment: "production", Trigger: "https://flags.example/webhook/triggers/1/" + keyOf},
		"growthbook":                  GrowthBook{Token: keyOf, Environment: "production"},
		"an experiment of growthbook": GrowthBook{Token: keyOf, Experiment: true},
		"flipt":                       Flipt{URL: "https://flags.example", Token: keyOf},
		"configcat":                   ConfigCat{User: keyOf, Password: "a-password-of-" + keyOf, SDKKey: keyOf},
		"statsig":                     Statsig{Token: keyOf},
		"an experiment of statsig":    Statsig{Token: keyOf, Experiment: true},
		"posthog":                     PostHog{Token: keyOf, Project: "1"},
		"split":                       Split{Token: keyOf, Workspace: "1", Environment: "production"},
		"flagd":                       Flagd{File: file, URL: "https://flags.example", Token: keyOf},
		"goff":                        GoFeatureFlag{File: file, URL: "https://flags.example", Token: keyOf, AdminToken: keyOf},
		"harness":                     Split{Token: keyOf, Workspace: "1", Environment: "production", Harness: true},
	}
}

// TestEverySystemKeepsItsSecret: neither outcomes nor errors show it, even when
// the other side echoes everything that it was sent, or cannot be reached.
func TestEverySystemKeepsItsSecret(t *testing.T) {
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			w.WriteHeader(status)
			body, _ := io.ReadAll(q.Body)
			fmt.Fprintf(w, "%v %v %s", q.URL, q.Header, body)
		}
	}
	for name, system := range systems(t) {
		for what, p := range map[string]*peer{
			"refused": {system: echo(403)}, "taken": {system: echo(200)}, "approval": {system: echo(405)},
			"conflict": {system: echo(400)}, "broken": {system: echo(500)},
		} {
			k := newClock()
			world := k.runtime()
			world.Transport = p
			s, err := New("demo", Config{System: system}, world)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := s.Off(t.Context(), request())
			if len(p.asked) == 0 {
				t.Errorf("%s, %s: nothing was asked", name, what)
			}
			_, stateErr := s.State(t.Context(), request().Target)
			shown := fmt.Sprintf("%+v %v %v", got, err, stateErr)
			basic := base64.StdEncoding.EncodeToString([]byte(keyOf + ":a-password-of-" + keyOf)) // ConfigCat's
			if strings.Contains(shown, keyOf) || strings.Contains(shown, basic) {
				t.Errorf("%s, %s: the secret is shown: %s", name, what, shown)
			}
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	unleash := Unleash{URL: "https://flags.example", Token: "t", Environment: "production"}
	tests := []struct {
		config Config
		want   string
	}{
		{Config{}, "no flag system is named"},
		{Config{System: unleash, Timeout: -1}, "must be positive"},
		{Config{System: unleash, Flag: "{flag}-x"}, "flag may have {experiment} in it"},
		{Config{System: unleash, Arms: map[string]string{"b": "{variant}"}}, "arms.b may have {experiment} and {arm}"},
		{Config{System: unleash, Arms: map[string]string{"b": ""}}, "arms.b is empty"},
		{Config{System: unleash, Arms: map[string]string{"b": "https://flags.example/b"}}, "only a webhook"},
		{Config{System: Webhook{}, Arms: map[string]string{"b": "ftp://flags.example/b"}}, "arms.b must begin with https://"},
		{Config{System: Unleash{URL: "https://flags.example", Token: "a\nb", Environment: "e"}}, "line break"},
		{Config{System: Unleash{URL: "https://flags.example", Environment: "e"}}, "token is missing"},
		{Config{System: Unleash{URL: "https://flags.example", Token: "t"}}, "environment is missing"},
		{Config{System: Unleash{Token: "t", Environment: "e"}}, "url is missing"},
		{Config{System: Unleash{URL: "https://flags.example/?key=x", Token: "t", Environment: "e"}}, "without a query"},
		{Config{System: Unleash{URL: "http://[fe80::1]:4242", Token: "t", Environment: "e"}}, "link-local"},
	}
	for _, tt := range tests {
		if _, err := New("x", tt.config, Runtime{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q in it", err, tt.want)
		}
	}
}

// TestArms: an arm is turned off by its own flag or its own address.
func TestArms(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 200, apply: true}), newClock()
	c := r.config()
	c.Arms = map[string]string{"b": "{experiment}-{arm}", "c": r.URL + "/flags/of-c/off"}
	s := r.open(t, c, k)
	if !s.OffersArm("b") || !s.OffersArm("c") || s.OffersArm("d") || s.OffersArm("") {
		t.Error("the arms that it offers are not those that it names")
	}
	for arm, path := range map[string]string{"b": "/flags/new-search-b/off", "c": "/flags/of-c/off"} {
		r.enabled, r.offs = true, nil
		q := request()
		q.Arm = arm
		got, err := s.Off(t.Context(), q)
		if err != nil || got.Kind != Applied || len(r.offs) != 1 {
			t.Fatalf("arm %s: %+v, %v", arm, got, err)
		}
		if r.offs[0].Path != path || !strings.Contains(string(r.offs[0].Body), `"arm":"`+arm+`"`) {
			t.Errorf("arm %s: called %s with %s", arm, r.offs[0].Path, r.offs[0].Body)
		}
	}
	q := request()
	q.Arm = "d"
	if got, err := s.Off(t.Context(), q); err == nil || got.Kind != Unknown || !strings.Contains(err.Error(), `no off for the arm "d"`) {
		t.Errorf("an arm that it does not offer: %+v, %v", got, err)
	}
}

// TestForbiddenIsFinal: a name that leads where no address may ends the kill at
// once. The resolver answers every name with the address of the metadata.
func TestForbiddenIsFinal(t *testing.T) {
	k := newClock()
	start, world := k.now, k.runtime()
	transport := outbound.NewTransport()
	transport.Proxy = nil
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, kind, _ string) (net.Conn, error) {
		return dial(ctx, kind, "169.254.169.254:80")
	}
	world.Transport = transport
	s, err := New("demo", unleashConfig(), world)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Off(t.Context(), request())
	if err != nil || got.Kind != Denied || got.Attempts != 1 || !strings.Contains(got.Detail, "link-local") || k.now != start {
		t.Errorf("got %+v, %v after %v; want it denied at once", got, err, k.now.Sub(start))
	}
}
