package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestValidateRamps: a ramp that its switch cannot carry out is refused, at its line, and
// without the switch's secret; one of a switch that is not configured here passes.
func TestValidateRamps(t *testing.T) {
	for name, c := range map[string]struct{ sw, steps, want string }{
		"unleash":              {"unleash: {url: https://u.example, token: {env: NOWHERE}, environment: production}", "1%, 50%", ""},
		"half a percent":       {"unleash: {url: https://u.example, token: {env: NOWHERE}, environment: production}", "0.5%, 50%", "whole percents"},
		"no ramp":              {"posthog: {token: {env: NOWHERE}, project: \"1\"}", "1%, 50%", "has no ramp here"},
		"webhook, unread":      {"webhook: {url: https://h.example, secret: {env: NOWHERE}}", "1%, 50%", "read_back.traffic"},
		"not configured there": {"", "1%, 50%", ""},
	} {
		root := t.TempDir()
		config := "switches: {}\n"
		if c.sw != "" {
			config = "switches:\n  flags:\n    " + c.sw + "\n"
		}
		first, last, _ := strings.Cut(c.steps, ", ")
		for file, text := range map[string]string{
			"assay.yaml":     config,
			"metrics/m.yaml": "name: m\nowner: o\nevent: e\nkind: proportion\ndirection: increase\n",
			"experiments/x.yaml": "key: x\nowner: o\nvariants: {c: 50%, t: 50%}\ncontrol: c\nkill_switch: flags\nguardrails: [{metric: m, margin: 0.1, mode: notify}]\niterations:\n  - ramp:\n      steps: [{traffic: " +
				first + "}, {traffic: " + last + "}]\n",
		} {
			file = filepath.Join(root, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"validate", "--config", filepath.Join(root, "assay.yaml"), "--experiments", filepath.Join(root, "experiments"), "--metrics", filepath.Join(root, "metrics")}, &out, &errs)
		switch {
		case c.want == "" && code != 0:
			t.Errorf("%s: %d, %s", name, code, errs.String())
		case c.want != "" && (code != exitUsage || !strings.Contains(errs.String(), c.want) || !strings.Contains(errs.String(), "x.yaml:9:")):
			t.Errorf("%s: %d, %s", name, code, errs.String())
		}
	}
}

// TestValidateAgainst: a change held against the branch that it is to go to, as in CI.
func TestValidateAgainst(t *testing.T) {
	root := t.TempDir()
	file := func(name, text string) {
		t.Helper()
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const text = "key: x\nowner: o\nobjective: o\nhypothesis: h\nsuccess_criteria: s\nrollback_plan: r\nvariants: {c: 50%, t: 50%}\ncontrol: c\ngoals: [m]\nguardrails: [{metric: m, margin: 0, mode: observe}]\niterations: [{start: 2026-01-01, enrol_until: 2099-01-01, phases: [{traffic: 10%}]}]\n"
	file("metrics/m.yaml", "name: m\nowner: o\nevent: e\nkind: proportion\ndirection: increase\n")
	file("experiments/x.yaml", text)
	for _, args := range [][]string{{"init", "--quiet", "--initial-branch=main"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "first"}} {
		if out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	validate := func(args ...string) (int, string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		args = append([]string{"validate", "--experiments", filepath.Join(root, "experiments"), "--metrics", filepath.Join(root, "metrics")}, args...)
		code := run(t.Context(), args, &out, &errs)
		return code, out.String(), errs.String()
	}
	if code, out, errs := validate("--against", "main", "--fail-on", "grow"); code != 0 || errs != "" || !strings.Contains(out, "no experiment changes") {
		t.Errorf("unchanged: %d, %s, %s", code, out, errs)
	}
	file("experiments/x.yaml", strings.Replace(text, "traffic: 10%", "traffic: 20%", 1))
	if code, out, errs := validate("--against", "main", "--fail-on", "grow"); code != exitBreach || errs != "" || !strings.Contains(out, "grow    x\n        grow: iteration 1: traffic 10% → 20%\n") {
		t.Errorf("more traffic: %d, %s, %s", code, out, errs)
	}
	if code, _, _ := validate("--against", "main", "--fail-on", "shrink"); code != 0 {
		t.Errorf("more traffic, where only less is refused: %d", code)
	}
	code, out, _ := validate("--against", "main", "--json")
	var got struct {
		Against struct {
			Class   string `json:"class"`
			Commit  string `json:"commit"`
			Changes []struct {
				Experiment string `json:"experiment"`
				Class      string `json:"class"`
			} `json:"changes"`
		} `json:"against"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || got.Against.Class != "grow" || len(got.Against.Commit) != 40 || len(got.Against.Changes) != 1 || got.Against.Changes[0].Experiment != "x" {
		t.Errorf("JSON: %d, %v, %s", code, err, out)
	}
	for _, args := range [][]string{{"--against", "nowhere"}, {"--fail-on", "grow"}} {
		if code, _, errs := validate(args...); code != exitUsage || !strings.Contains(errs, "assay: hint: ") {
			t.Errorf("%v: %d, %s", args, code, errs)
		}
	}
}
