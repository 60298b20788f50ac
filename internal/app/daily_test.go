package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestReportOfADay: the file has the plan and the arms' own intervals, and of the same
// ledger, at the same time, it is the same to the byte.
func TestReportOfADay(t *testing.T) {
	w := newLookWorld(t)
	v, err := w.DB.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var pages [][]byte
	for _, name := range []string{"a.html", "b.html"} {
		file := filepath.Join(t.TempDir(), "new", name)
		if err := w.WriteReport(t.Context(), &v, file, w.now, ReportOptions{Back: time.Hour}); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	if !bytes.Equal(pages[0], pages[1]) {
		t.Error("the same day gives two reports")
	}
	for _, want := range []string{"How each question is answered", "Below a mean: each arm alone"} {
		if !bytes.Contains(pages[0], []byte(want)) {
			t.Errorf("the report does not say %q", want)
		}
	}
}
