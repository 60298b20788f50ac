package results

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Codes of a trouble beside the states of shards.
const (
	NoStatus = "no_status" // nobody has said how far a shard is
	Adopting = "adopting"  // shards count under different versions of the experiment
)

// trust holds the shards' own words against the look: how fresh it is, and what
// keeps it from being trusted. A word counts only if the look has reached the
// part that it was said about.
func trust(m Moments, statuses []ShardStatus) (time.Time, []Trouble) {
	var troubles []Trouble
	said := map[uint16]bool{}
	for _, s := range statuses {
		said[s.Shard] = true
		if s.State != "" && s.State != "ok" {
			troubles = append(troubles, Trouble{s.State, shardDetail(s)})
		}
		if m.Vector[s.Shard] < s.Seq {
			troubles = append(troubles, Trouble{NoStatus, fmt.Sprintf(
				"shard %d is at part %d, the look has seen %d", s.Shard, s.Seq, m.Vector[s.Shard])})
		}
	}
	for _, shard := range slices.Sorted(maps.Keys(m.Vector)) {
		if !said[shard] {
			troubles = append(troubles, Trouble{NoStatus, fmt.Sprintf("nobody reads shard %d", shard)})
		}
	}
	if len(statuses) == 0 && len(troubles) == 0 {
		troubles = []Trouble{{NoStatus, "no consumer has said how far it is"}}
	}
	// A shard that stands still explains more than a status that is missing.
	slices.SortStableFunc(troubles, func(a, b Trouble) int {
		return cmp.Compare(rank(a), rank(b))
	})
	if slices.ContainsFunc(troubles, func(t Trouble) bool { return t.Code == NoStatus }) {
		return time.Time{}, troubles
	}
	return leastFreshness(statuses), troubles
}

func rank(t Trouble) int {
	if t.Code == NoStatus {
		return 1
	}
	return 0
}

func shardDetail(s ShardStatus) string {
	if s.Detail == "" {
		return fmt.Sprintf("shard %d stands still", s.Shard)
	}
	return fmt.Sprintf("shard %d stands still: %s", s.Shard, s.Detail)
}

// adopting tells whether a shard counts the experiment in another way than the
// version that judges it. sameCounting says so of a version number.
func adopting(number uint32, config map[uint16]uint32, sameCounting func(uint32) bool) []Trouble {
	for _, shard := range slices.Sorted(maps.Keys(config)) {
		c := config[shard]
		if c == number || (sameCounting != nil && sameCounting(c)) {
			continue
		}
		return []Trouble{{Adopting, fmt.Sprintf("shard %d counts under version %d, the look is judged by %d", shard, c, number)}}
	}
	return nil
}
