package results

import (
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// Guard is the part of a document that deciding rests on: the guardrails'
// metrics and the counts of units. It is what is stored every second.
func (d Document) Guard() Document {
	d.Kind = KindGuard
	d.Budget.Iterations, d.Budget.Parts, d.Budget.Checks = nil, nil, nil
	d.Seen = nil
	guarded := map[string]bool{ingest.Units: true}
	for _, c := range d.Comparisons {
		if c.Guardrail {
			guarded[c.Metric] = true
		}
	}
	d.Comparisons = slices.DeleteFunc(slices.Clone(d.Comparisons), func(c Comparison) bool { return !c.Guardrail })
	d.Cells = slices.DeleteFunc(slices.Clone(d.Cells), func(c CellSums) bool {
		return !guarded[c.Metric] || c.Dimension != ""
	})
	return d
}
