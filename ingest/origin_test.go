package ingest_test

import (
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// Among equal times and variants the exposure with the lesser origin is the first,
// in whatever order the copies were written; so are the rows of a restored state.
//
// semantics: copies
func TestOriginBreaksTies(t *testing.T) {
	v := explained()
	v.Experiments[0].Dimensions = []experiment.Dimension{{Attribute: "plan", Values: []string{"first", "second"}}}
	at := func(partition int32, offset int64) ingest.Origin {
		return ingest.Origin{Copied: true, Partition: partition, Offset: offset}
	}
	for name, c := range map[string]struct{ first, second ingest.Origin }{
		"by partition":                 {at(1, 9), at(2, 3)},
		"by offset":                    {at(1, 3), at(1, 9)},
		"by attributes, of one record": {at(1, 3), at(1, 3)},
	} {
		events := []ingest.Event{
			{Origin: c.first, ID: "x", Attrs: []ingest.Attr{{Name: "plan", Value: "first"}}},
			{Origin: c.second, ID: "y", Attrs: []ingest.Attr{{Name: "plan", Value: "second"}}},
		}
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			j := ingest.NewJoiner([]string{"copies"}, v)
			for i, n := range order {
				e := events[n]
				e.Place.Offset, e.Type, e.T, e.Unit, e.UnitKind = int64(i), ingest.Exposure, origin+1000, ingest.Unit{Hi: 1}, "user"
				e.Experiment, e.Variant = "e", "a"
				if fate := j.Add(&e); fate != ingest.Accepted {
					t.Fatalf("%s: fate %d", name, fate)
				}
			}
			plans := map[string]int64{}
			for _, r := range j.Take() {
				if r.Metric == ingest.Units && r.Dimension == "plan" {
					plans[r.Value] += r.N
				}
			}
			if plans["first"] != 1 || plans["second"] != 0 {
				t.Errorf("%s, written in the order %v: units by plan %v", name, order, plans)
			}
		}
	}
}
