package access_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/testref"
)

// TestRolesTable holds the table of docs/access.md against what is asked for.
func TestRolesTable(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(testref.Root(t), "docs", "access.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- roles -->")
	table, _, found := strings.Cut(rest, "<!-- /roles -->")
	if !found {
		t.Fatal("the page has no table of roles")
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)`: .* \\| (.*) \\|$").FindAllStringSubmatch(table, -1) {
		documented[row[1]] = row[2]
	}
	for _, g := range access.Grants() {
		want := g.Least.String()
		switch {
		case g.Least == access.Nobody:
			want = "nobody in particular"
		case g.Owned:
			want = "owner of that experiment, or " + want
		}
		if got := documented[string(g.Action)]; got != want {
			t.Errorf("%s takes %q, the page says %q", g.Action, want, got)
		}
		delete(documented, string(g.Action))
	}
	for action := range documented {
		t.Errorf("the page has %q, which is no action", action)
	}
}
