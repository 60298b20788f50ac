// Package doctor turns what was seen of a deployment into findings: what is
// wrong, and what to do about it. It looks at nothing by itself: topics, sampled
// records, shards and switches are handed to it, so every finding has a test.
package doctor

import (
	"cmp"
	"fmt"
	"slices"
)

// Level is how bad a finding is.
type Level uint8

// The levels, from good to bad.
const (
	OK    Level = iota // looked at and fine
	Note               // worth knowing
	Warn               // numbers are right, but something will go wrong or is going to waste
	Fault              // numbers are missing, or cannot be trusted
)

var levels = [...]string{"ok", "note", "warn", "fault"}

// String is the level's name.
func (l Level) String() string { return levels[l] }

// MarshalText writes the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one thing that was looked at.
type Finding struct {
	Level   Level  `json:"level"`
	Check   string `json:"check"`            // what was looked at: topics, partitioner, clocks …
	Subject string `json:"subject"`          // where: a topic, a shard, an experiment, a switch
	Detail  string `json:"detail"`           // what was seen, with its numbers
	Remedy  string `json:"remedy,omitempty"` // what to do; empty when there is nothing to do
}

// Report is everything that was found.
type Report struct {
	Findings []Finding `json:"findings"` // the worst first
	Drafts   []Draft   `json:"drafts,omitempty"`
}

// Draft is the text of a mapping file for a topic that no known mapping reads, to
// be finished by hand.
type Draft struct {
	Topic string `json:"topic"`
	Text  string `json:"text"`
}

// The checks.
const (
	Topics      = "topics"
	Nodes       = "nodes"
	Decoding    = "decoding"
	Mapping     = "mapping"
	Partitioner = "partitioner"
	Keys        = "keys"
	Clocks      = "clocks"
	Stamps      = "ids"
	Shards      = "shards"
	Ledger      = "ledger"
	Unknown     = "experiments"
	Switches    = "switches"
	Ramps       = "ramps"
	Signals     = "signals"
	Channels    = "channels"
	Watch       = "watch"
)

// Worst is the worst level among findings.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		worst = max(worst, f.Level)
	}
	return worst
}

// Sort puts the worst first and keeps the order of checks otherwise.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(b.Level, a.Level) })
}

// percent is a share in words that never says 0 % or 100 % of something that is
// only nearly so.
func percent(part, whole int) string {
	switch {
	case part == 0 || whole == 0:
		return "0 %"
	case part == whole:
		return "100 %"
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case p < 0.1:
		return "under 0.1 %"
	case p > 99.9:
		return "over 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}
