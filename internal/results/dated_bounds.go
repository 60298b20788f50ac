package results

import (
	"fmt"

	"github.com/assay-dev/assay/stats/design"
)

// bounds computes the boundaries of a spending function, each once: goals with the
// same units share theirs.
type bounds struct {
	spending design.Spending
	known    map[string]design.Design
}

// at gives the design of looks at these information fractions; at the final one all
// that is left of alpha is spent. A boundary depends on nothing that comes after it.
func (b *bounds) at(alpha float64, times []float64, final bool) (design.Design, bool) {
	key := fmt.Sprint(alpha, times, final)
	d, ok := b.known[key]
	if ok {
		return d, true
	}
	solve := design.New
	if final {
		solve = design.Overrun
	}
	d, err := solve(b.spending, alpha, design.TwoSided, times)
	if err != nil {
		return d, false
	}
	b.known[key] = d
	return d, true
}
