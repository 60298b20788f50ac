package ingest

import (
	"cmp"
	"slices"
	"strings"
)

// Checker computes anew what an exposure's unit was assigned, and says what came of it;
// "" where that cannot be known. It also says what is to be noted about its sampling, ""
// when nothing is. The unit's id is not kept anywhere else.
type Checker func(e *Event, unit []byte) (assignment, sample string)

// LeftOut is what the attribute Sample says of an exposure whose unit is not measured.
// A unit whose first exposure says so gives nothing but a count.
const LeftOut = "out"

// Check lets the decoder write down what a checker says, as attributes of the
// exposure's: nobody can tell it later, when only the unit's hash is left. Producers
// cannot send any of that name.
func (d *Decoder) Check(c Checker) { d.checker = c }

// check asks the checker about an exposure.
func (d *Decoder) check(e *Event) {
	if d.checker == nil || e.Type != Exposure {
		return
	}
	assignment, sample := d.checker(e, d.pair[len(e.UnitKind)+1:])
	if assignment == "" && sample == "" {
		return
	}
	list := d.slab.list(len(e.Attrs) + 2)
	for _, a := range [...]Attr{{Assignment, assignment}, {Sample, sample}} {
		if a.Value != "" {
			list = append(list, a)
		}
	}
	own := len(e.Attrs) > 0 && strings.HasPrefix(e.Attrs[0].Name, "$")
	if e.Attrs = append(list, e.Attrs...); own { // else a dollar sorts before every letter
		slices.SortFunc(e.Attrs, func(a, b Attr) int { return cmp.Compare(a.Name, b.Name) })
	}
}
