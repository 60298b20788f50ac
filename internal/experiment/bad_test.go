package experiment

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/golden"
)

// Every bad file breaks the rule that it is named for and gives exactly the text
// beside it.
func TestBadFiles(t *testing.T) {
	for _, f := range load(t, "bad/*.yaml") {
		t.Run(f.Name, func(t *testing.T) {
			set, problems := Parse(append(goodFiles(t), f))
			if set != nil {
				t.Error("a set in spite of problems")
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Rule == ruleOf(f.Name) }) {
				t.Errorf("rule %s is not broken", ruleOf(f.Name))
			}
			for _, p := range problems {
				if p.File != f.Name || p.Line < 1 || p.Column < 1 {
					t.Errorf("problem at %s:%d:%d", p.File, p.Line, p.Column)
				}
			}
			golden.File(t, "testdata/"+strings.TrimSuffix(f.Name, "yaml")+"err", []byte(problems.Error()+"\n"))
		})
	}
}

// A doubtful file is read, with a warning.
func TestDoubtfulFiles(t *testing.T) {
	for _, f := range load(t, "doubt/*.yaml") {
		t.Run(f.Name, func(t *testing.T) {
			set := mustParse(t, append(load(t, "good/metrics/*.yaml"), f)...)
			if len(set.Warnings) != 1 || set.Warnings[0].Rule != ruleOf(f.Name) {
				t.Errorf("want one warning %s", ruleOf(f.Name))
			}
			golden.File(t, "testdata/"+strings.TrimSuffix(f.Name, "yaml")+"err", []byte(set.Warnings.Error()+"\n"))
		})
	}
}

// A change that comes too late is refused, at the line that wants it.
//
// semantics: pinned
func TestRefusedChanges(t *testing.T) {
	for _, f := range load(t, "refused/*.yaml") {
		t.Run(f.Name, func(t *testing.T) {
			v := base(t)
			kept := Hash(v)
			next, changes, problems := Apply(v, mustParse(t, append(load(t, "good/metrics/*.yaml"), f)...), applyTime(t, f), "operator")
			if next != nil || changes != nil {
				t.Error("a version in spite of problems")
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Rule == ruleOf(f.Name) }) {
				t.Errorf("rule %s is not broken", ruleOf(f.Name))
			}
			if Hash(v) != kept {
				t.Error("the version before was touched")
			}
			golden.File(t, "testdata/"+strings.TrimSuffix(f.Name, "yaml")+"err", []byte(problems.Error()+"\n"))
		})
	}
}

// base is version 1 of testdata/base.yaml, which the changes edit.
func base(t *testing.T) *Version {
	t.Helper()
	files := append(load(t, "good/metrics/*.yaml"), load(t, "base.yaml")...)
	return mustApply(t, nil, mustParse(t, files...), day(t, "2026-03-01"))
}

// Every rule has a file that breaks it. The rules are read from the source, so
// that a new one cannot be forgotten.
func TestEveryRuleHasAFile(t *testing.T) {
	broken := map[Rule]bool{}
	for _, pattern := range []string{"bad/*.yaml", "doubt/*.yaml", "refused/*.yaml"} {
		for _, f := range load(t, pattern) {
			broken[ruleOf(f.Name)] = true
		}
	}
	all := declaredRules(t)
	if len(all) < 40 {
		t.Fatalf("found only %d rules", len(all))
	}
	for _, r := range all {
		if !broken[r] {
			t.Errorf("no test file breaks rule %s", r)
		}
		delete(broken, r)
	}
	for r := range broken {
		t.Errorf("files are named for %s, which is no rule", r)
	}
}

func declaredRules(t *testing.T) []Rule {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "rule.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []Rule
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Rule(text))
		return false
	})
	return out
}
