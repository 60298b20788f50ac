package main

import (
	"fmt"
	"os"

	"github.com/assay-dev/assay/guardrails"
)

type checkCmd struct {
	Scenario []string `arg:"" help:"Scenario files: a rule, observations over time, the verdicts expected." type:"existingfile"`
}

// Run plays scenario files; an unexpected verdict gives exit code 3.
func (c checkCmd) Run(env *environment) error {
	var all []guardrails.ScenarioResult
	ok := true
	for _, file := range c.Scenario {
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read scenario: %w", err)
		}
		r, err := guardrails.RunScenario(b)
		if err != nil {
			return usage(fmt.Errorf("%s: %w", file, err))
		}
		ok = ok && r.OK()
		all = append(all, r)
	}
	if err := env.print(all, func() error {
		for i, r := range all {
			env.println("%s", scenarioText(c.Scenario[i], r))
		}
		return nil
	}); err != nil {
		return err
	}
	if !ok {
		return errBreach
	}
	return nil
}

func scenarioText(file string, r guardrails.ScenarioResult) string {
	if r.OK() {
		return fmt.Sprintf("ok    %s (%d looks)", file, len(r.Steps))
	}
	text := "FAIL  " + file
	for i, s := range r.Steps {
		if s.Wrong != "" {
			text += fmt.Sprintf("\n      look %d, %v after the start: %s", i+1, s.At, s.Wrong)
		}
	}
	return text
}
