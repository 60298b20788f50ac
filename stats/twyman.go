package stats

import (
	"fmt"
	"math"
)

// ImplausibleFrom is the size of a relative effect from which on it is doubted.
// Most changes that work move a metric by a few percent; of effects beyond this one
// most turn out to be lost or doubled events, or arms that are not comparable
// (Twyman's law; Kohavi, Tang & Xu 2020, chapter 3).
const ImplausibleFrom = 0.3

// Implausible warns of a relative effect whose whole interval lies beyond ±30 %
// (ImplausibleFrom; Kohavi, Tang & Xu 2020), so
// that chance does not explain its size. It is no test: a change that breaks
// something, or a metric that only one arm can have, rightly looks like this. An
// interval that is not bounded on the side of zero, or has no numbers (NaN), never does.
func (r Result) Implausible() (Warning, bool) {
	least := math.Max(r.Relative.Low, -r.Relative.High)
	if !(least > ImplausibleFrom) {
		return Warning{}, false
	}
	return Warning{ImplausibleLift, fmt.Sprintf(
		"an effect of at least %.0f %% is larger than nearly all real ones: before believing it look for lost or doubled events, and for a metric that only one arm can have",
		100*least)}, true
}
