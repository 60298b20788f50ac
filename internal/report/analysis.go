package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// AnalysisText writes an exploratory analysis for a terminal: what it changed of the
// plan, its doubts, and its results.
func AnalysisText(w io.Writer, a *results.Analysis) error {
	var b strings.Builder
	fmt.Fprintf(&b, "analysis %s%s of %s, iteration %d, by %s at %s\n", a.ID, called(a.Name), a.Experiment, a.Iteration, a.Author, words.Instant(a.At))
	for _, change := range a.Changes {
		fmt.Fprintf(&b, "  %s\n", change)
	}
	for _, m := range slices.Sorted(maps.Keys(a.Caps)) {
		fmt.Fprintf(&b, "  the cap of %s became %s\n", m, a.Caps[m])
	}
	for _, d := range a.Warnings {
		if d.Code != results.ExploratoryDoubt { // the results say it
			fmt.Fprintf(&b, "! %s\n", d.Text)
		}
	}
	if _, err := io.WriteString(w, b.String()+"\n"); err != nil {
		return fmt.Errorf("write an analysis: %w", err)
	}
	return Text(w, a.Document)
}

func called(name string) string {
	if name == "" {
		return " (not saved under a name)"
	}
	return " " + name
}
