package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// AllKinds stands in privacy.retention for the unit kinds that are not named.
const AllKinds = "all"

// checkRetention wants times that can be kept, and of a unit kind a shorter one than
// that of all.
func (p *Privacy) checkRetention() error {
	all, bounded := p.Retention[AllKinds]
	for _, kind := range slices.Sorted(maps.Keys(p.Retention)) {
		switch d := p.Retention[kind]; {
		case kind == "":
			return fmt.Errorf("privacy.retention: a unit kind has a name; %s is all others", AllKinds)
		case d.Std() < experiment.FloorMargin:
			return fmt.Errorf("privacy.retention.%s: %s is too short: 30 days of events are needed before an iteration", kind, d)
		case bounded && kind != AllKinds && d > all:
			return fmt.Errorf("privacy.retention.%s: %s is longer than that of %s, %s: make that one longer, and name the kinds that are kept for a shorter time", kind, d, AllKinds, all)
		}
	}
	return nil
}
