package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/realalertmanager"
	"github.com/assay-dev/assay/internal/realunleash"
)

// The tests whose names begin with TestUnleash turn flags of a real Unleash off.
// They share the server; each has flags of its own.

// patience is how long something may take that takes a second on a machine that has
// nothing else to do.
const patience = 3 * time.Minute

// unleashed is the server, started by the first test that wants it.
type unleashed struct {
	once   sync.Once
	server *realunleash.Server
	tokens map[string]string // by whose they are
	err    error
}

// Who asks Unleash for something.
const (
	switcher      = "assay"  // may switch flags
	guest         = "viewer" // may look at them
	administrator = "admin"  // may do everything
)

func (u *unleashed) start(ctx context.Context, programs realunleash.Programs) {
	if u.server, u.err = realunleash.Start(ctx, programs); u.err != nil {
		return
	}
	u.tokens = map[string]string{administrator: u.server.AdminToken, "nobody": "user:0000000000000000000000000000000000000000000000000000dead"}
	for name, role := range map[string]realunleash.Role{switcher: realunleash.Editor, guest: realunleash.Viewer} {
		if u.tokens[name], u.err = u.server.Token(ctx, name, role); u.err != nil {
			return
		}
	}
}

func (u *unleashed) close() {
	if u.server != nil {
		u.server.Close()
	}
}

// unleash returns the server, with flags that are on.
func unleash(t *testing.T, flags ...string) *realunleash.Server {
	t.Helper()
	u := &suite.flags
	programs := realunleash.Available(t)
	u.once.Do(func() { u.start(context.Background(), programs) })
	if u.err != nil {
		t.Fatal(u.err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Unleash said last:\n%s", u.server.Said())
		}
	})
	for _, flag := range flags {
		if err := u.server.CreateFlag(t.Context(), flag); err != nil {
			t.Fatal(err)
		}
	}
	return u.server
}

// unleashYAML is a switch of assay.yaml: whose token asks which project at an address.
func unleashYAML(t *testing.T, name, url, whose, project string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(suite.flags.tokens[whose]), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("  %s: {timeout: 2s, deadline: 30s, unleash: {url: %q, token: {file: %q}, project: %s, environment: %s}}\n",
		name, url, file, project, realunleash.Environment)
}

// disabled tells who turned a flag off, by Unleash's own audit log.
func disabled(t *testing.T, server *realunleash.Server, flag string) []string {
	t.Helper()
	return changedBy(t, server, flag, realunleash.Disabled)
}

// changedBy tells who did something with a flag, newest first, by Unleash's own audit log.
func changedBy(t *testing.T, server *realunleash.Server, flag, what string) []string {
	t.Helper()
	events, err := server.Audit(t.Context(), flag)
	if err != nil {
		t.Fatal(err)
	}
	var by []string
	for _, e := range events {
		if e.Type == what && e.Environment == realunleash.Environment {
			by = append(by, e.By)
		}
	}
	return by
}

// inbox is whom an Alertmanager tells.
type inbox struct {
	*httptest.Server
	mu  sync.Mutex
	got []string // "firing KEY" and "resolved KEY", in order
}

func newInbox(t *testing.T) *inbox {
	i := &inbox{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct {
			Alerts []struct {
				Status string
				Labels map[string]string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			return
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		for _, a := range m.Alerts {
			i.got = append(i.got, a.Status+" "+a.Labels["key"])
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *inbox) has(what string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Contains(i.got, what)
}

// TestUnleashSeesTheKill is the whole way on the shipped binary: harm in the events,
// a decision, an alert in a real Alertmanager, the flag off in a real Unleash, so that
// its own SDK says so, one line in its audit log, the exposures seen to stop, and with
// that the alert over.
func TestUnleashSeesTheKill(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	server := unleash(t, "checkout-cta")
	told := newInbox(t)
	alerts := realalertmanager.For(t, told.URL)
	w := newWorld(t, setting{partitions: 4, more: fmt.Sprintf("guard: {settle: 2s}\nnotify: {alertmanager: {url: %q, again: 1s}}\nswitches:\n", alerts.URL) +
		unleashYAML(t, "flags", server.URL, switcher, realunleash.Project)})
	w.guarded("checkout-cta", "flags")
	w.assay("apply")
	product, err := server.Run("checkout-cta")
	if err != nil {
		t.Fatal(err)
	}
	defer product.Close()
	within, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := product.Await(within, "checkout-cta", true); err != nil {
		t.Fatal(err)
	}
	w.start("ingest")
	w.start("guard")
	v := &visits{key: []string{"checkout-cta"}, r: random.Float64, harm: 0.5}
	v.send(w, 1000, 0)
	if err := product.Await(within, "checkout-cta", false); err != nil {
		t.Errorf("%v; the decision log: %v", err, w.story("checkout-cta"))
	}
	await(t, patience, says("Alertmanager tells of the kill"), func() bool { return told.has("firing kill/checkout-cta/1") })
	// Nobody is shown the treatment any more, so nobody sends its exposures.
	await(t, patience, func() string { return fmt.Sprint(w.story("checkout-cta")) }, func() bool {
		return slices.Contains(w.story("checkout-cta"), "effective")
	})
	await(t, patience, says("Alertmanager tells that it is over"), func() bool { return told.has("resolved kill/checkout-cta/1") })
	want := []string{"decided", "sending", "accepted", "verified", "iteration_ended", "effective"}
	if diff := cmp.Diff(want, w.story("checkout-cta")); diff != "" {
		t.Errorf("the decision log (-want +got):\n%s", diff)
	}
	if by := disabled(t, server, "checkout-cta"); !slices.Equal(by, []string{switcher}) {
		t.Errorf("by Unleash's audit log the flag was turned off by %v, want by %s once", by, switcher)
	}
	w.assay("decision", "verify")
}
