package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

const module = "github.com/assay-dev/assay/"

// TestImports reads the sources with go/parser, not with `go list`, whose result
// the test cache would hide.
func TestImports(t *testing.T) {
	for dir, files := range sources(t) {
		allowed, known := Allowed[dir]
		if !known {
			t.Errorf("package %s is not in the table of internal/layers: say what it may import", dir)
			continue
		}
		for name, file := range files {
			for _, imp := range file.Imports {
				pkg := strings.Trim(imp.Path.Value, `"`)
				own, ours := strings.CutPrefix(pkg, module)
				switch {
				case ours && !slices.Contains(allowed, own) && !slices.Contains(allowed, "*"):
					t.Errorf("%s imports %s, which %s must not know", name, own, dir)
				case !ours && slices.Contains(Pure, dir) && slices.Contains(Forbidden, pkg):
					t.Errorf("%s imports %s, but %s is pure", name, pkg, dir)
				}
			}
		}
	}
}

// TestPureReadsNoClock finds calls of time.Now and its like in the pure packages.
func TestPureReadsNoClock(t *testing.T) {
	clocks := []string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"}
	for dir, files := range sources(t) {
		if !slices.Contains(Pure, dir) {
			continue
		}
		for name, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if id, ok := sel.X.(*ast.Ident); ok && id.Name == "time" && slices.Contains(clocks, sel.Sel.Name) {
					t.Errorf("%s reads the clock: time.%s", name, sel.Sel.Name)
				}
				return true
			})
		}
	}
}

// sources parses every non-test Go file, by package folder.
func sources(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	root := testref.Root(t)
	out := map[string]map[string]*ast.File{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && file != root || d.Name() == "testdata" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(rel))
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if out[dir] == nil {
			out[dir] = map[string]*ast.File{}
		}
		out[dir][filepath.ToSlash(rel)] = parsed
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 5 {
		t.Fatalf("found only %d packages below %s", len(out), root)
	}
	return out
}
