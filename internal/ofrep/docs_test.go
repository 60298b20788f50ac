package ofrep

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/experiment"
)

// TestDocumentedAnswer: the files of docs/assignment.md are good, and the answer that it
// prints to its request is the one that comes.
func TestDocumentedAnswer(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "assignment.md"))
	if err != nil {
		t.Fatal(err)
	}
	var files []experiment.File
	for _, m := range regexp.MustCompile("(?s)```yaml\n# (experiments/[^\n]*)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		files = append(files, experiment.File{Name: m[1], Data: []byte(m[2])})
	}
	if len(files) != 2 {
		t.Fatalf("%d files", len(files))
	}
	for _, name := range []string{"conversion", "error_rate"} {
		files = append(files, experiment.File{Name: name + ".yaml", Data: []byte("name: " + name + "\nowner: o\nevent: e\nkind: proportion\ndirection: increase\n")})
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	v, _, problems := experiment.Apply(nil, set, start, "somebody")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	v.Number = 3
	w := newWorld(t)
	w.set = assignment.SetOf(v, nil, start)
	example := regexp.MustCompile("(?s)curl -s http://[^/]*(/[^ ]*) -d '([^']*)'.*?```json\n(.*?)```").FindStringSubmatch(string(page))
	if example == nil {
		t.Fatal("the example is gone")
	}
	rec := w.post(example[1], example[2])
	if rec.Code != http.StatusOK || rec.Body.String() != strings.TrimSpace(example[3]) {
		t.Errorf("%d %s\nthe page says %s", rec.Code, rec.Body, example[3])
	}
}
