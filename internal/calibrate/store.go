package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var notWord = regexp.MustCompile(`[^a-z0-9]+`)

func (o options) file(s *scenario) string {
	return filepath.Join(o.dir, strings.Trim(notWord.ReplaceAllString(strings.ToLower(s.name), "-"), "-")+".json")
}

// read finds an earlier result of the same commit and seed. What cannot be read is
// made anew.
func (o options) read(s *scenario) (outcome, bool) {
	var found outcome
	b, err := os.ReadFile(o.file(s))
	if err != nil || json.Unmarshal(b, &found) != nil {
		return outcome{}, false
	}
	return found, found.Scenario == s.name && found.Commit == o.commit && found.Seed == o.seed && o.commit != "dev"
}

func (o options) write(s *scenario, found outcome) error {
	b, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	if err := os.MkdirAll(o.dir, 0o750); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if err := os.WriteFile(o.file(s), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
