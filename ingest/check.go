package ingest

// Checker computes anew what an exposure's unit was assigned, and says what came of it;
// "" where that cannot be known. The unit's id is not kept anywhere else.
type Checker func(e *Event, unit []byte) string

// Check lets the decoder write down what a checker says, as an attribute of the
// exposure's: nobody can tell it later, when only the unit's hash is left. Producers
// cannot send one of that name.
func (d *Decoder) Check(c Checker) { d.checker = c }

// check asks the checker about an exposure.
func (d *Decoder) check(e *Event) {
	if d.checker == nil || e.Type != Exposure {
		return
	}
	verdict := d.checker(e, d.pair[len(e.UnitKind)+1:])
	if verdict == "" {
		return
	}
	list := append(d.slab.list(len(e.Attrs)+1), Attr{Name: Assignment, Value: verdict})
	e.Attrs = append(list, e.Attrs...) // a dollar sorts before every letter
}
