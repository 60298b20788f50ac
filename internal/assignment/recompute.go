package assignment

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/bucketing"
	"github.com/assay-dev/assay/internal/experiment"
)

// Verdict is what the assignment of an exposed unit turns out to be when it is computed
// anew; "" where it cannot be.
type Verdict string

// The verdicts.
const (
	Match      Verdict = "match"
	Mismatch   Verdict = "mismatch"       // the unit's variant is another one
	NotInPhase Verdict = "not_in_traffic" // the unit takes no part
	Override   Verdict = "override"       // it was not drawn, as its attributes say
)

// Seen is an exposure as it was sent.
type Seen struct {
	At        time.Time
	Unit      string
	UnitKind  string
	Variant   string
	Attribute func(name string) (value string, ok bool)
}

// Recompute says whether a unit was shown what its experiment's system gives it.
func Recompute(e *experiment.Experiment, s Seen) Verdict {
	it := e.At(s.At)
	if it == nil || e.Assignment == nil {
		return ""
	}
	then := e.AsOf(it)
	got := then.VariantIndex(s.Variant)
	if then.Assignment == nil || got < 0 || s.UnitKind != then.UnitKind {
		return ""
	}
	a := e.Assignment // as it is known by now: a seed may have been corrected
	if slices.ContainsFunc(a.Forced, func(c experiment.Condition) bool { return meets(c, s.Attribute) }) {
		return Override
	}
	phase := it.PhaseAt(s.At)
	weights := e.SplitOf(it, phase)
	switch want := variantOf(e, it, phase.Traffic, weights, s.Unit); {
	case want < 0 && phase.Shares[got] > 0 && mayHaveBegun(e, it, phase, weights, s.Unit) == got:
		return ""
	case want < 0 || phase.Shares[want] == 0:
		return NotInPhase
	case want == got:
		return Match
	default:
		return Mismatch
	}
}

// mayHaveBegun is the index of the variant that the next step of a ramp gives a unit, -1:
// none. A step is in force where units are assigned before the version that says so is
// read where they are counted; for so long nobody can know whose it is.
func mayHaveBegun(e *experiment.Experiment, it *experiment.Iteration, phase *experiment.Phase, weights []float64, unit string) int {
	newest := phase.Number == it.Phases[len(it.Phases)-1].Number
	if it.Ramp == nil || !newest || phase.Reverted || int(phase.Step) >= len(it.Ramp.Steps) {
		return -1
	}
	return variantOf(e, it, it.Ramp.Steps[phase.Step].Traffic, weights, unit)
}

func meets(c experiment.Condition, attribute func(string) (string, bool)) bool {
	for name, value := range c {
		if got, ok := attribute(name); !ok || got != value {
			return false
		}
	}
	return true
}

// variantOf is the index of the variant that a system gives a unit, -1: none.
func variantOf(e *experiment.Experiment, it *experiment.Iteration, traffic float64, weights []float64, unit string) int {
	a := e.Assignment
	dialect := bucketing.Dialect(cmp.Or(a.Dialect, usual(a.System)))
	switch a.System {
	case experiment.GrowthBook:
		return bucketing.GrowthBookVariation(dialect, a.Seed, unit, traffic, weights)
	case experiment.Unleash:
		if !bucketing.UnleashRollout(dialect, a.Seed, unit, uint32(math.Round(traffic*100))) {
			return -1
		}
		return bucketing.UnleashVariant(dialect, a.Seed, unit, whole(weights, 1000))
	case experiment.FlagdV2:
		return bucketing.Flagd(a.Seed+unit, whole(weights, experiment.Million))
	case experiment.LaunchDarkly:
		return bucketing.LaunchDarklyVariation(bucketing.LaunchDarkly(a.Seed, unit), whole(weights, 100_000))
	case experiment.Eppo:
		return within(bucketing.Eppo(a.Seed, unit, 10_000), weights, 10_000)
	default:
		salt, kind := e.SaltOf(it), e.UnitKind
		if Draw(salt, Traffic, kind, unit) >= experiment.PartsOf(traffic) {
			return -1
		}
		return within(Draw(salt, Variant, kind, unit), weights, experiment.Million)
	}
}

// usual is how a system's public cases hash what is not ASCII.
func usual(s experiment.System) string {
	if s == experiment.GrowthBook {
		return experiment.DialectUTF16
	}
	return experiment.DialectUTF8
}

// whole are weights in whole parts, as systems take them that know no fractions.
func whole(weights []float64, of float64) []uint32 {
	out := make([]uint32, len(weights))
	for i, w := range weights {
		out[i] = uint32(math.Round(w * of))
	}
	return out
}

// within is the index of the first weight whose sum with those before is more than a
// part; the last when sums fall short.
func within(part uint32, weights []float64, of float64) int {
	var sum float64
	for i, w := range weights {
		if sum += w; float64(part) < math.Round(sum*of) {
			return i
		}
	}
	return len(weights) - 1
}
