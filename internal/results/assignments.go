package results

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What computing assignments anew came to, as internal/assignment calls it.
const (
	match        = "match"
	mismatch     = "mismatch"
	notInTraffic = "not_in_traffic"
)

// Misassigned are the units that were shown another variant than their system gives
// them, or should not have been shown any.
func (a *Aside) Misassigned() int64 { return a.Assignments[mismatch] + a.Assignments[notInTraffic] }

// AssignmentText says how many units came to what.
func (a *Aside) AssignmentText() string {
	parts := make([]string, 0, len(a.Assignments))
	for _, verdict := range slices.Sorted(maps.Keys(a.Assignments)) {
		parts = append(parts, fmt.Sprintf("%s %d", verdict, a.Assignments[verdict]))
	}
	return strings.Join(parts, ", ")
}
