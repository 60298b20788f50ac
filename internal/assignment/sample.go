package assignment

import "github.com/assay-dev/assay/internal/experiment"

// SampleVerdict is what an exposure of an experiment that measures some units only
// turns out to be; "" when it is in order.
type SampleVerdict string

// The verdicts.
const (
	LeftOut  SampleVerdict = "out"  // the unit is not among those that are measured
	LessKept SampleVerdict = "less" // its producer kept fewer units than the phase says: some never came
)

// CheckSample says whether the exposure's unit is one that its phase measures, and, if
// the producer wrote down which share it keeps (0: it did not), whether that is enough.
// A producer that keeps more does no harm: what it should have left out is left out here.
func CheckSample(e *experiment.Experiment, s Seen, kept float64) SampleVerdict {
	it := e.At(s.At)
	if it == nil || !it.Samples() {
		return ""
	}
	then := e.AsOf(it)
	if then.VariantIndex(s.Variant) < 0 || s.UnitKind != then.UnitKind {
		return ""
	}
	phase := it.PhaseAt(s.At)
	share := experiment.PartsOf(phase.Kept())
	switch {
	case share < experiment.Million && Draw(e.SaltOf(it), Sample, then.UnitKind, s.Unit) >= share:
		return LeftOut
	case kept > 0 && experiment.PartsOf(kept) < share:
		return LessKept
	}
	return ""
}
