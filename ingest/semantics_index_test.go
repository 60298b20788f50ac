package ingest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

// The page says what counts; every block of it that says so ends with the names of
// its sentences in a comment that readers don't see, <!-- name name -->. A test
// that holds a sentence says so in its comment:
//
//	// semantics: name name
var (
	sentenceNames = regexp.MustCompile(`<!-- ([a-z0-9_ -]+?) -->`)
	testNames     = regexp.MustCompile(`(?m)^\s*// semantics: ([a-z0-9_ -]+)$`)
)

// TestEverySentenceHasATest holds docs/semantics.md and the tests against each
// other.
func TestEverySentenceHasATest(t *testing.T) {
	said := sentences(t)
	held := map[string]bool{}
	err := filepath.WalkDir(testref.Root(t), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != testref.Root(t):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range testNames.FindAllStringSubmatch(string(text), -1) {
			for _, name := range strings.Fields(m[1]) {
				held[name] = true
				if !said[name] {
					t.Errorf("%s holds %q, which docs/semantics.md does not say", path, name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range said {
		if !held[name] {
			t.Errorf("no test says that it holds %q of docs/semantics.md", name)
		}
	}
}

// sentences reads the names, and wants one at least in every block between the
// first heading that is about counting and the worked cases.
func sentences(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testref.Root(t), "docs", "semantics.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "## A function of the log\n")
	rules := regexp.MustCompile(`(?m)^## \w+ cases$`).FindStringIndex(rest)
	if !found || rules == nil {
		t.Fatal("docs/semantics.md has lost its parts")
	}
	names := map[string]bool{}
	for _, m := range sentenceNames.FindAllStringSubmatch(string(b), -1) {
		for _, name := range strings.Fields(m[1]) {
			names[name] = true
		}
	}
	blocks := regexp.MustCompile(`\n\n|\n(?:- )`).Split(rest[:rules[0]], -1)
	for _, block := range blocks {
		block = strings.TrimSpace(block)
		plain := strings.HasPrefix(block, "## ") || strings.HasPrefix(block, "```") || block == ""
		if !plain && !sentenceNames.MatchString(block) && !strings.HasSuffix(block, ":") {
			t.Errorf("a block of docs/semantics.md has no name (<!-- name -->) for a test to hold: %.90q", block)
		}
	}
	if len(names) < 50 {
		t.Errorf("%d names", len(names))
	}
	return names
}
