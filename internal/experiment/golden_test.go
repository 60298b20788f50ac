package experiment

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/golden"
)

// load reads the files that match a pattern below testdata; they are named as
// they would be in a checkout.
func load(t *testing.T, pattern string) []File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	files := make([]File, len(paths))
	for i, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = File{Name: strings.TrimPrefix(filepath.ToSlash(p), "testdata/"), Data: data}
	}
	return files
}

func mustParse(t *testing.T, files ...File) *Set {
	t.Helper()
	set, problems := Parse(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return set
}

func mustApply(t *testing.T, previous *Version, set *Set, at time.Time) *Version {
	t.Helper()
	v, _, problems := Apply(previous, set, at, "operator")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if v == nil {
		t.Fatal("nothing changed")
	}
	return v
}

func day(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// ruleOf reads the rule from the name of a test file: RULE.yaml or
// RULE--what.yaml.
func ruleOf(name string) Rule {
	rule, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".yaml"), "--")
	return Rule(rule)
}

func goodFiles(t *testing.T) []File {
	return append(load(t, "good/metrics/*.yaml"), load(t, "good/experiments/*.yaml")...)
}

// The good files give one version, down to the last default.
func TestGoodFiles(t *testing.T) {
	set := mustParse(t, goodFiles(t)...)
	if err := set.Warnings.Err(); err != nil {
		t.Errorf("warnings: %v", err)
	}
	at := day(t, "2026-03-01").Add(9*time.Hour + 1234567*time.Nanosecond)
	v, changes, problems := Apply(nil, set, at, "operator")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := json.Indent(&text, Encode(v), "", "  "); err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/good/version.golden.json", []byte(text.String()+"\n"))
	golden.File(t, "testdata/good/changes.golden", []byte(lines(changes)))
}

func lines(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		if c.Counting {
			b.WriteString("counting  ")
		} else {
			b.WriteString("          ")
		}
		b.WriteString(c.String() + "\n")
	}
	return b.String()
}
