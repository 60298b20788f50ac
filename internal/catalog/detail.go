package catalog

import (
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Detail is everything that is shown of one iteration.
type Detail struct {
	Row        Row
	Box        Box
	Experiment *experiment.Experiment
	Iteration  *experiment.Iteration
	// Document is the newest look with all metrics and with what its readers ask for:
	// details, slow metrics, placebo, dated looks, gaps, the plan, and what was decided
	// since. nil: there was no look yet. Many readers share it: it is not to be changed.
	Document *results.Document
	// Judged is Document with what the guard said since; nil without a look.
	Judged *results.Document
	Tag    string // another one when anything of it is another
}

// DetailOf is the detail of a subject. look is the id of its document.
func DetailOf(s Subject, look, tag string) Detail {
	return Detail{
		Row: RowOf(s, look), Box: Decide(s), Experiment: s.Experiment, Iteration: s.Iteration,
		Document: s.Document, Judged: s.judged(), Tag: tag,
	}
}
