package planning

import (
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// Missing is a metric without an answer, and why.
type Missing struct {
	Metric string `json:"metric"`
	Why    string `json:"why"`
}

// MissingOf lists the iteration's metrics that no comparison is about. fromLook tells
// which of two reasons it is.
func MissingOf(it *experiment.Iteration, have []Comparison, fromLook bool) []Missing {
	var out []Missing
	for i := range it.Metrics {
		m := &it.Metrics[i]
		if slices.ContainsFunc(have, func(c Comparison) bool { return c.Metric == m.Name }) {
			continue
		}
		why := "no mean and deviation were given for it"
		switch {
		case fromLook && m.Kind == experiment.Quantile:
			why = "a quantile's error comes from stored events, and none was computed yet: `assay analyze --slow` does"
		case fromLook:
			why = "nothing was counted for it yet"
		}
		out = append(out, Missing{m.Name, why})
	}
	return out
}
