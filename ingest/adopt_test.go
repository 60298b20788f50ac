package ingest_test

import (
	"fmt"
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
			Crossovers: x.Crossovers, Dimensions: x.Dimensions, Exclude: x.Exclude, Consent: x.Consent, Attributes: x.Attributes,
		}
		d := drawDesign(t)
		x.Owner, x.UnitKind, x.Variants, x.Window, x.Grace = "somebody else", d.UnitKind, d.Variants, d.Window, d.Grace
		x.Crossovers, x.Dimensions, x.Exclude, x.Covariate = d.Crossovers, d.Dimensions, d.Exclude, "pre_period"
		x.Consent, x.Attributes = d.Consent, d.Attributes
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

// renamed is an experiment like that of the benchmarks.
func renamed(key string) *experiment.Version {
	v := benchVersion()
	v.Experiments[0].Key = key
	return v
}

// A unit has one bit for many experiments. A version that ends one of them leaves the
// standings of all units that have no exposure of it.
func TestAdoptLeavesOtherUnitsAlone(t *testing.T) {
	v := renamed("mine")
	j := ingest.NewJoiner([]string{"one", "two"}, v)
	other := ""
	for n := 0; other == "" || !j.ShareBit(other, "mine"); n++ {
		other = fmt.Sprintf("other-%d", n)
	}
	v.Experiments = append(v.Experiments, renamed(other).Experiments...)
	j.Adopt(v)
	const units = 100
	for u := range uint64(units) {
		e := ingest.Event{Type: ingest.Exposure, T: origin, UnitKind: "user", Unit: ingest.Unit{Lo: u + 1}, Experiment: "mine", Variant: "control",
			Place: ingest.Place{Offset: int64(u)}}
		if u < 3 {
			e.Experiment = other
		}
		if fate := j.Add(&e); fate != ingest.Accepted {
			t.Fatalf("unit %d: %v", u, fate)
		}
	}
	j.Take()
	next := *v
	next.Number++
	next.Experiments = append(slices.Clone(v.Experiments[:1]), renamed(other).Experiments...)
	ended := &next.Experiments[1].Iterations[0]
	ended.End, ended.EnrolUntil = ms(origin), ms(origin)
	if !j.Adopt(&next) {
		t.Fatal("the end of an iteration changes nothing")
	}
	if rows := j.Take(); len(rows) == 0 {
		t.Error("units of the experiment that ended are not taken back")
	}
	if got := j.Cold(); got != 3 {
		t.Errorf("%d units of %d have lost their standings, want those 3 that have exposures of the experiment", got, units)
	}
}
