package killswitch

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck: each thing that would make a kill fail is told before, with what to
// do about it, and nothing is changed.
func TestCheck(t *testing.T) {
	answers := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, status, "%s", body) })
	}
	arms := launchDarklyConfig()
	arms.Arms = map[string]string{"b": "elsewhere"}
	bad := launchDarklyConfig()
	bad.System = LaunchDarkly{Token: "api-other", Project: "web", Environment: "production"}
	blind := Config{System: Webhook{URL: "https://flags.example", Secret: "s"}}
	file := filepath.Join(t.TempDir(), "flags.json")
	write(t, file, flagdFlags)
	served := &flagdServer{file: file}
	other := filepath.Join(t.TempDir(), "other.json")
	write(t, other, `{"flags":{}}`)
	inFile := func(file string) Config {
		return Config{System: Flagd{File: file, URL: "http://127.0.0.1:8016"}}
	}
	tests := []struct {
		name   string
		config Config
		system http.Handler
		arm    string
		state  State
		err    string // a part of it; empty: none
		remedy string
	}{
		{name: "all is well", config: unleashConfig(), system: &unleashServer{enabled: true}, state: StateOn},
		{name: "it is off", config: unleashConfig(), system: &unleashServer{}, state: StateOff},
		{name: "a dry run is allowed", config: launchDarklyConfig(), system: &launchDarklyAPI{on: true}, state: StateOn},
		{name: "a dry run says that an approval is required", config: launchDarklyConfig(), system: &launchDarklyAPI{on: true, approvals: true},
			state: StateOn, err: "405 Method Not Allowed", remedy: "wait for a person"},
		{name: "a token that is not known", config: bad, system: &launchDarklyAPI{on: true},
			err: "invalid access token", remedy: "it needs a service token"},
		{name: "no such flag of an arm", config: arms, system: &launchDarklyAPI{on: true}, arm: "b",
			err: `read the state of "elsewhere"`, remedy: "create the flag"},
		{name: "an arm that is not offered", config: launchDarklyConfig(), system: &launchDarklyAPI{on: true}, arm: "c",
			err: `no off for the arm "c"`, remedy: "under arms"},
		{name: "a file that can be edited", config: inFile(file), system: served, state: StateOn},
		{name: "a file without the flag that is served", config: inFile(other), system: served, state: StateOn, err: "the file has no such flag", remedy: "create the flag"},
		{name: "a file that is not there", config: inFile(file + "x"), system: served, state: StateOn, err: "no such file", remedy: "where it is looked for"},
		{name: "no read-back", config: blind, system: answers(500, ""), err: "never be verified", remedy: "read_back"},
		{name: "down", config: unleashConfig(), system: answers(502, ""), err: "502 Bad Gateway", remedy: "the system is up"},
		{name: "a page for people", config: unleashConfig(), system: answers(200, "<html>"), err: "not the JSON", remedy: "another form"},
		{name: "a redirect", config: unleashConfig(), system: answers(301, ""), err: "301", remedy: "final address"},
		{name: "too many calls", config: unleashConfig(), system: answers(429, ""), err: "429", remedy: "one of its own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, world := &peer{system: tt.system}, newClock().runtime()
			world.Transport = p
			s, err := New("demo", tt.config, world)
			if err != nil {
				t.Fatal(err)
			}
			state, err := s.Check(t.Context(), Target{Experiment: "new-search", Arm: tt.arm})
			if state != tt.state || (err == nil) != (tt.err == "") {
				t.Fatalf("%v, %v; want %v, %q", state, err, tt.state, tt.err)
			}
			for _, asked := range p.asked {
				if !strings.HasPrefix(asked, "GET ") && !strings.HasPrefix(asked, "POST /ofrep/") && !strings.Contains(asked, "dryRun=true") {
					t.Errorf("%s is no dry run", asked)
				}
			}
			if err == nil {
				return
			}
			var f *Fault
			if !errors.As(err, &f) || !strings.Contains(err.Error(), tt.err) || !strings.Contains(f.Remedy, tt.remedy) {
				t.Errorf("error %v, remedy %q; want %q, %q", err, f.Remedy, tt.err, tt.remedy)
			}
		})
	}
}
