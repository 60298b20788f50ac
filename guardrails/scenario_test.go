package guardrails_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
)

// TestScenarios plays every file and looks that each reason of the closed list
// is told by one that bears its name.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]map[guardrails.Reason]guardrails.Kind{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		seen[name] = map[guardrails.Reason]guardrails.Kind{}
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := guardrails.RunScenario(file, data)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range got.Steps {
				seen[name][s.Verdict.Reason] = s.Verdict.Kind
				if s.Wrong != "" {
					t.Errorf("line %d, at %s: %s", s.Line, s.At, s.Wrong)
				}
				again := s.Evidence.Replay()
				if diff := cmp.Diff(s.Verdict, again); diff != "" {
					t.Errorf("at %s: the evidence gives another verdict:\n%s", s.At, diff)
				}
			}
		})
	}
	for reason, kind := range guardrails.Reasons() {
		got, ok := seen[string(reason)][reason]
		switch {
		case !ok:
			t.Errorf("no file testdata/scenarios/%s.yaml comes to that reason", reason)
		case got != kind:
			t.Errorf("reason %s is listed as %s, its scenario says %s", reason, kind, got)
		}
	}
}

// TestReasonsAreDocumented holds docs/guardrails.md against the closed list.
func TestReasonsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/guardrails.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range slices.Sorted(maps.Keys(guardrails.Reasons())) {
		if !strings.Contains(string(doc), "| `"+string(reason)+"` |") {
			t.Errorf("docs/guardrails.md has no row for the reason %s", reason)
		}
	}
}

// TestDocumentedScenario plays the example of docs/guardrails.md.
func TestDocumentedScenario(t *testing.T) {
	doc, err := os.ReadFile("../docs/guardrails.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	got, err := guardrails.RunScenario("example.yaml", []byte(example))
	if err != nil || !got.OK() || len(got.Steps) != 2 {
		t.Errorf("the documented scenario: %+v, %v", got.Steps, err)
	}
}

func TestScenarioFileErrors(t *testing.T) {
	tests := map[string]string{
		"steps: [{at: 1h, expct: {}}]":                             "f.yaml:1:18: unknown field \"expct\"",
		"name: empty":                                              "f.yaml:1:1: scenario \"empty\" has no steps",
		"steps: [{at: soon}]":                                      "f.yaml:1:14: at: \"soon\" is not a duration",
		"steps: [{at: 1h, expect: {verdict: fine}}]":               "f.yaml:1:36: verdict cannot be \"fine\"",
		"rule:\n  kind: proportio\nsteps: [{at: 1h}]":              "f.yaml:2:9: kind cannot be \"proportio\"",
		"rule: {mode: kil}\nsteps: [{at: 1h}]":                     "known: observe, notify, kill",
		"rule: {limit: late}\nsteps: [{at: 1h}]":                   "limit cannot be \"late\"",
		"steps:\n  - at: 1h\n    troubles: [{reason: gapp}]":       "f.yaml:3:25: reason cannot be \"gapp\"",
		"rule: {margin: x}\nsteps: [{at: 1h}]":                     "f.yaml:1:16: cannot unmarshal",
		"name: [":                                                  "f.yaml:1:7: ",
		"checks: {crossovers: {limit: 0.01, on_alarm: kill}}\n":    "on_alarm cannot be \"kill\"",
		"rule: {hold: 30s, method: guess}\nsteps: [{at: 1h}]":      "known: mean, count",
		"steps: [{at: -5m, expect: {verdict: blind, act: shout}}]": "act cannot be \"shout\"",
	}
	for file, want := range tests {
		_, err := guardrails.RunScenario("f.yaml", []byte(file))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want one with %q", file, err, want)
		}
	}
}
