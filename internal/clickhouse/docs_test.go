package clickhouse_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/testref"
)

// TestDocumentedQueries runs every query of docs/sql.md as a reader, and holds
// its list of views against the database's.
func TestDocumentedQueries(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(testref.Root(t), "docs", "sql.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	s := newStore(t)
	reader := s.reader(t)
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) < 5 {
		t.Fatalf("found %d queries in docs/sql.md", len(blocks))
	}
	for _, m := range blocks {
		rows, err := reader.Query(t.Context(), m[1])
		if err != nil {
			t.Errorf("%s\n%v", m[1], err)
			continue
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%s\n%v", m[1], err)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, view := range s.query(t, s.raw(t, s.engine.Admin()),
		"SELECT DISTINCT name FROM system.tables WHERE database IN (currentDatabase(), '"+clickhouse.ViewsOf(s.database)+"') AND engine = 'View' AND name != 'chain_heads'", nil, nil) {
		if !strings.Contains(page, "`"+view+"`") {
			t.Errorf("docs/sql.md does not name the view %s", view)
		}
	}
}
