package ingest_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// redesign gives what counts alike in every iteration in other words: what is
// free to change, and a new design for iterations to come while those that ran
// keep theirs.
func redesign(t *rapid.T, v *experiment.Version) *experiment.Version {
	next := &experiment.Version{Number: v.Number + 1}
	for _, x := range v.Experiments {
		then := &experiment.Design{
			UnitKind: x.UnitKind, Variants: x.Variants, Window: x.Window, Grace: x.Grace,
			Crossovers: x.Crossovers, Dimensions: x.Dimensions, Exclude: x.Exclude,
		}
		d := drawDesign(t)
		x.Owner, x.UnitKind, x.Variants, x.Window, x.Grace = "somebody else", d.UnitKind, d.Variants, d.Window, d.Grace
		x.Crossovers, x.Dimensions, x.Exclude, x.Covariate = d.Crossovers, d.Dimensions, d.Exclude, "pre_period"
		x.Iterations = slices.Clone(x.Iterations)
		for i := range x.Iterations {
			it := &x.Iterations[i]
			if it.Design == nil {
				it.Design = then
			}
			it.AlphaKill, it.NotifyOnly = 0.01, true
			it.Metrics = slices.Clone(it.Metrics)
			for k := range it.Metrics {
				m := &it.Metrics[k]
				m.Covariate = "attrs.d"
				switch m.Kind {
				case experiment.Sum:
					m.Kind = experiment.Mean // the same moments
				case experiment.Quantile:
					m.Event = "other" // it has none
				}
			}
		}
		next.Experiments = append(next.Experiments, x)
	}
	return next
}

// A look may put shards of two versions together when experiment.Counting sees no
// difference between them. So there must be none in the sums of any iteration.
//
// semantics: design-of-iteration
func TestVersionsThatCountAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVersion(t, 1)
		j := ingest.NewJoiner([]string{"one", "two"}, v)
		for _, topic := range drawLog(t, 2, v) {
			j.AddAll(topic, nil)
		}
		j.Take()
		next := redesign(t, v)
		for _, x := range v.Experiments {
			if experiment.Counting(v, next, x.Key) {
				t.Fatalf("%s is said to be counted in another way", x.Key)
			}
		}
		j.Adopt(next)
		for _, r := range j.Take() {
			if r.Iteration > 0 {
				t.Errorf("adopting changes %+v", r)
			}
		}
	})
}
