package e2e

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/realunleash"
)

// mishap is what happens between a kill and Unleash, and how the kill must end.
type mishap struct {
	script   []fault
	by       string // whose token; the switcher's when empty
	project  string
	ends     string // last line of the decision log but for the iteration's end
	says     string // in its text
	calls    int
	disabled int           // lines of Unleash's audit log
	apart    time.Duration // between the first two calls at least
}

// mishaps by flag. Those without a script are Unleash's own answers.
var mishaps = map[string]mishap{
	"no-answer-but-done":  {script: []fault{{apply: true, hang: true}}, ends: "verified", says: "reads as off all the same", calls: 1, disabled: 1},
	"no-answer":           {script: []fault{{hang: true}}, ends: "verified", calls: 2, disabled: 1},
	"reset-but-done":      {script: []fault{{apply: true, reset: true}}, ends: "verified", says: "reads as off all the same", calls: 1, disabled: 1},
	"reset":               {script: []fault{{reset: true}}, ends: "verified", calls: 2, disabled: 1},
	"conflict-once":       {script: []fault{{status: 409}}, ends: "verified", calls: 2, disabled: 1},
	"conflict-and-off":    {script: []fault{{apply: true, status: 409}}, ends: "verified", says: "it now reads as off", calls: 1, disabled: 1},
	"not-allowed":         {script: []fault{{status: 405}}, ends: "denied", says: "405", calls: 1},
	"too-many":            {script: []fault{{status: 429, header: http.Header{"Retry-After": {"2"}}}}, ends: "verified", calls: 2, disabled: 1, apart: 2 * time.Second},
	"too-many-for-long":   {script: []fault{{status: 429, header: http.Header{"Retry-After": {"3600"}}}}, ends: "failed", says: "429", calls: 1},
	"broken-twice":        {script: []fault{{status: 503}, {status: 500}}, ends: "verified", calls: 3, disabled: 1},
	"broken-but-done":     {script: []fault{{apply: true, status: 502}}, ends: "verified", says: "reads as off all the same", calls: 1, disabled: 1},
	"slow":                {script: []fault{{after: 700 * time.Millisecond}}, ends: "verified", calls: 1, disabled: 1},
	"claims":              {script: []fault{{status: 200}}, ends: "failed", says: "still reads as on", calls: 1},
	"unknown-token":       {by: "nobody", ends: "denied", says: "401", calls: 1},
	"token-of-a-viewer":   {by: guest, ends: "denied", says: "PermissionError", calls: 1},
	"not-my-project":      {project: "nowhere", ends: "denied", says: "403", calls: 1},
	"of-no-project":       {by: administrator, project: "nowhere", ends: "denied", says: "404", calls: 1},
	"flag-nobody-created": {ends: "denied", says: "404", calls: 1},
}

// TestUnleashThroughFaults lets as many kills as there are mishaps meet one each on
// their way to a real Unleash. Each ends as docs/switches.md says, and whatever
// happens the flag is changed at most once.
func TestUnleashThroughFaults(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	keys := slices.Sorted(maps.Keys(mishaps))
	server := unleash(t, slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return key == "flag-nobody-created" })...)
	scripts := map[string][]fault{}
	for key, m := range mishaps {
		scripts[key] = m.script
	}
	proxy := newFaulty(t, server.URL, scripts)
	more := "guard: {kills_per_hour: 1000, settle: 2s}\nswitches:\n"
	for key, m := range mishaps {
		more += unleashYAML(t, key, proxy.URL, cmp.Or(m.by, switcher), cmp.Or(m.project, realunleash.Project))
	}
	w := newWorld(t, setting{partitions: 4, more: more})
	for _, key := range keys {
		w.guarded(key, key)
	}
	w.assay("apply")
	w.start("ingest")
	w.start("guard")
	v := &visits{key: keys, r: random.Float64, harm: 0.6}
	v.send(w, 600, 0)
	for _, key := range keys {
		await(t, patience, func() string { return key + ": " + strings.Join(w.story(key), " ") }, func() bool {
			return slices.Contains(w.story(key), mishaps[key].ends)
		})
	}
	for _, key := range keys {
		w.checkMishap(key, server, proxy)
	}
	w.assay("decision", "verify")
}

func (w *world) checkMishap(key string, server *realunleash.Server, proxy *faulty) {
	w.t.Helper()
	m, story := mishaps[key], w.story(key)
	text := ask[string](w, "SELECT JSONExtractString(evidence, 'text') FROM DB.decisions WHERE experiment = ? AND kind = ?", key, m.ends)
	w.t.Logf("%-20s %s: %s", key, strings.Join(story, " → "), text)
	if times(story, "decided") != 1 || times(story, m.ends) != 1 || !strings.Contains(text, m.says) {
		w.t.Errorf("%s: the decision log is %v, ending with %q; want one %s that says %q", key, story, text, m.ends, m.says)
	}
	calls := proxy.called(key)
	if len(calls) != m.calls || times(story, "sending") != m.calls {
		w.t.Errorf("%s: %d off calls and %v, want %d and as many attempts in the log", key, len(calls), story, m.calls)
	} else if len(calls) > 1 && calls[1].Sub(calls[0]) < m.apart {
		w.t.Errorf("%s: the second call came %v after the first, %v was asked for", key, calls[1].Sub(calls[0]), m.apart)
	}
	if key == "flag-nobody-created" {
		return // there is no log of what is not there
	}
	if by := disabled(w.t, server, key); len(by) != m.disabled || slices.ContainsFunc(by, func(who string) bool { return who != switcher }) {
		w.t.Errorf("%s: by Unleash's audit log it was turned off by %v, want %d times by %s", key, by, m.disabled, switcher)
	}
}
