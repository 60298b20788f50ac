package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
)

// TestTrySwitches: every experiment's switch is tried, and those of its arms;
// what is wrong comes with what to do.
func TestTrySwitches(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet:
			t.Errorf("%s %s is no dry run", r.Method, r.URL)
		case strings.Contains(r.URL.Path, "/new-search/"):
			fmt.Fprint(w, `{"enabled":true}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	t.Setenv("UNLEASH_TOKEN", "user:0123456789")
	all, err := newSwitches(map[string]config.Switch{"flags": {
		Arms:    map[string]string{"b": "new-search-b", "x": "not-of-this-experiment"},
		Unleash: &config.Unleash{URL: server.URL, Token: config.Secret{Env: "UNLEASH_TOKEN"}, Environment: "production"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ subject, err, remedy string }
	var got []line
	e := experiment.Experiment{Key: "new-search", KillSwitch: "flags", Variants: []experiment.Variant{{Key: "a"}, {Key: "b"}}}
	other := e
	other.KillSwitch = "gone"
	for _, tried := range append(all.try(t.Context(), &e), all.try(t.Context(), &other)...) {
		l := line{subject: fmt.Sprint(tried.Switch, " ", tried.Arm, " ", tried.On), remedy: tried.Remedy}
		if tried.Err != nil {
			l.err = tried.Err.Error()
		}
		got = append(got, l)
	}
	want := []line{
		{"flags  true", "", ""},
		{"flags b false", `kill switch "flags": read the state of "new-search-b": the state was not answered (404 Not Found: 404 page not found)`,
			"create the flag, or correct its key (flag, or the experiment's) and where it is looked for in assay.yaml"},
		{"gone  false", "the configuration has no switch of this name", "add it under switches: in assay.yaml, or correct kill_switch in the experiment's file"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("tried (-want +got):\n%s", diff)
	}
}
