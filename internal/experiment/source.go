package experiment

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// File is one file as it was read.
type File struct {
	Name string // as it shall stand in messages, such as experiments/checkout-cta.yaml
	Data []byte
}

// position is a place in a file, both counted from 1.
type position struct{ line, column int }

func positionOf(tk *token.Token) position {
	if tk == nil || tk.Position == nil {
		return position{1, 1}
	}
	return position{tk.Position.Line, tk.Position.Column}
}

// source is a file with the places of everything that was read from it, so that
// a rule that looks at several files, or at the version before, can still point
// at the line that breaks it.
type source struct {
	name     string
	lines    []string
	places   map[string]position // by path, such as "iterations[0].start"
	problems Problems
	warnings Problems
}

func newSource(f File) *source {
	text := strings.ReplaceAll(string(f.Data), "\r\n", "\n")
	return &source{name: f.Name, lines: strings.Split(text, "\n"), places: map[string]position{"": {1, 1}}}
}

// mark notes where the value of a path stands.
func (s *source) mark(path string, at position) { s.places[path] = at }

// written tells whether the file says anything at that path.
func (s *source) written(path string) bool {
	_, ok := s.places[path]
	return ok
}

// place finds a path, or the nearest one around it that the file does write.
func (s *source) place(path string) position {
	for {
		if at, ok := s.places[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// problemAt makes a problem at a place.
func (s *source) problemAt(at position, rule Rule, text, hint string) Problem {
	p := Problem{Rule: rule, File: s.name, Line: at.line, Column: at.column, Text: text, Hint: hint}
	if at.line >= 1 && at.line <= len(s.lines) {
		p.Source = strings.TrimRight(s.lines[at.line-1], " \t")
	}
	return p
}

// refuse notes a problem at a path.
func (s *source) refuse(path string, rule Rule, text, hint string) {
	s.problems = append(s.problems, s.problemAt(s.place(path), rule, text, hint))
}

// refuseAt notes a problem at a place.
func (s *source) refuseAt(at position, rule Rule, text, hint string) {
	s.problems = append(s.problems, s.problemAt(at, rule, text, hint))
}

// warn notes a doubt at a path.
func (s *source) warn(path string, rule Rule, text, hint string) {
	s.warnings = append(s.warnings, s.problemAt(s.place(path), rule, text, hint))
}
