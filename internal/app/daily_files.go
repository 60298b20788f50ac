package app

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"github.com/assay-dev/assay/internal/report"
)

// WriteDay writes the pages of a day into its folder below another one and returns the
// first of them. Each page is there at once, and is the same if it was there before.
func WriteDay(day report.Day, folder string) (string, error) {
	dir := filepath.Join(folder, day.Date.String())
	for _, e := range day.Experiments {
		err := WriteFile(filepath.Join(dir, filepath.FromSlash(e.Place())), func(w io.Writer) error { return report.Page(w, day, e) })
		if err != nil {
			return "", err
		}
	}
	index := filepath.Join(dir, "index.html")
	return index, WriteFile(index, func(w io.Writer) error { return report.Index(w, day) })
}

// WriteFile writes one form of a report, at once, and makes the folder for it.
func WriteFile(file string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if err := replaceFile(file, b.Bytes(), 0o755, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
