package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/results"
)

type checkCmd struct {
	Scenario []string `arg:"" help:"Scenario files, or folders of them: a rule, observations over time, the verdicts expected." type:"path"`
}

// checked is one file with what became of it.
type checked struct {
	File string `json:"file"`
	OK   bool   `json:"ok"`
	guardrails.ScenarioResult
}

// Run plays scenario files; an unexpected verdict gives exit code 3.
func (c checkCmd) Run(env *environment) error {
	files, err := scenarioFiles(c.Scenario)
	if err != nil {
		return usage(err)
	}
	var all []checked
	failed := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read scenario: %w", err)
		}
		r, err := guardrails.RunScenario(file, b)
		if err != nil {
			return usage(err)
		}
		if !r.OK() {
			failed++
		}
		all = append(all, checked{file, r.OK(), r})
	}
	if err := env.print(all, func() error {
		for _, r := range all {
			env.println("%s", scenarioText(r))
		}
		env.println("%d scenarios: %d as expected, %d not", len(all), len(all)-failed, failed)
		return nil
	}); err != nil {
		return err
	}
	if failed > 0 {
		return errBreach
	}
	return nil
}

// scenarioFiles are the files named, and those in the folders named.
func scenarioFiles(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("read scenario: %w", err)
		}
		if !info.IsDir() {
			out = append(out, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.y*ml"))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", path, err)
		}
		if len(found) == 0 {
			return nil, app.WithHint(fmt.Errorf("no scenario in %s", path), "scenarios are files *.yaml; docs/guardrails.md has one")
		}
		out = append(out, found...)
	}
	return out, nil
}

func scenarioText(r checked) string {
	if r.OK {
		return fmt.Sprintf("ok    %s (%d looks)", r.File, len(r.Steps))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "FAIL  %s: %s", r.File, r.Name)
	for i, s := range r.Steps {
		if s.Wrong == "" {
			continue
		}
		v := s.Verdict
		fmt.Fprintf(&text, "\n      %s:%d: look %d, %v after the start:", r.File, s.Line, i+1, s.At)
		fmt.Fprintf(&text, "\n        expected %s (%s), act %s", s.Expected.Verdict, s.Expected.Reason, s.Expected.Act)
		fmt.Fprintf(&text, "\n        got      %s (%s), act %s: %s", v.Kind, v.Reason, v.Act, v.Text)
		text.WriteString(testText("harm", v.Harm) + testText("safety", v.Safe))
		if g := v.Gate; g != nil {
			fmt.Fprintf(&text, "\n        events   %.4g in the smaller arm had there been no effect, %.4g are needed", g.Have, g.Need)
		}
	}
	return text.String()
}

// testText gives the numbers behind a verdict.
func testText(name string, t *results.Test) string {
	switch {
	case t == nil || t.Units[0] == 0:
		return ""
	case t.Events != nil:
		return fmt.Sprintf("\n        %-8s estimate %.4g, bound %.4g, p %.3g against %.3g (log e %.3g, units with an event %d and %d of %d and %d)",
			name, t.Estimate, t.Bound, t.P, t.Alpha, t.LogE, t.Events[0], t.Events[1], t.Units[0], t.Units[1])
	}
	return fmt.Sprintf("\n        %-8s estimate %.4g, bound %.4g, p %.3g against %.3g (z %.3g against %.3g, %d and %d units)",
		name, t.Estimate, t.Bound, t.P, t.Alpha, t.Z, t.Threshold, t.Units[0], t.Units[1])
}
