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

// Slim is what a row needs of a document: of 1,000 experiments it is kept in memory.
func Slim(d *results.Document) *results.Document {
	out := *d
	out.Cells, out.Plan, out.Days, out.Beliefs, out.Seen, out.Crossovers = nil, nil, nil, nil, nil, nil
	out.Budget = results.Budget{}
	out.Comparisons = make([]results.Comparison, len(d.Comparisons))
	for i, c := range d.Comparisons {
		c.Segments = nil
		out.Comparisons[i] = c
	}
	out.Phases = make([]results.Phase, len(d.Phases))
	for i, p := range d.Phases {
		p.SRMBy = nil
		out.Phases[i] = p
	}
	return &out
}
