package results

import (
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// maturityMargin is kept between the least freshness and the newest slot that
// counts as matured.
const maturityMargin = time.Minute

// Maturity says for each metric before which time a slot must start for its
// units' windows to have passed in every shard: slot end + window ≤ the least
// freshness − 1 min. It is empty when no freshness is known.
func Maturity(e *experiment.Experiment, it *experiment.Iteration, statuses []ShardStatus) map[string]time.Time {
	e = e.AsOf(it)
	least := leastFreshness(statuses)
	matured := make(map[string]time.Time, len(it.Metrics))
	if least.IsZero() {
		return matured
	}
	for i := range it.Metrics {
		window := e.WindowOf(&it.Metrics[i])
		lastStart := least.Add(-maturityMargin - window.Std() - experiment.SlotOf(window))
		matured[it.Metrics[i].Name] = lastStart.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	return matured
}

// leastFreshness is zero when there is no shard or one does not know.
func leastFreshness(statuses []ShardStatus) time.Time {
	var least time.Time
	for i, s := range statuses {
		if s.Freshness.IsZero() {
			return time.Time{}
		}
		if i == 0 || s.Freshness.Before(least) {
			least = s.Freshness
		}
	}
	return least
}
