package bucketing

// unleashVariants is the seed of Unleash's draw of a variant.
const unleashVariants = 86028157

// Unleash is its normalised value of a unit, 1 to of (unleash-client src/strategy/util.ts).
func Unleash(d Dialect, group, unit string, of, seed uint32) uint32 {
	return murmur3(d.bytes(group+":"+unit), seed)%of + 1
}

// UnleashRollout tells whether a gradual rollout of so many percent has the unit.
func UnleashRollout(d Dialect, group, unit string, percent uint32) bool {
	return percent > 0 && Unleash(d, group, unit, 100, 0) <= percent
}

// UnleashVariant is the index of the variant that a unit gets, -1 without weights.
func UnleashVariant(d Dialect, group, unit string, weights []uint32) int {
	var total uint32
	for _, w := range weights {
		total += w
	}
	if total == 0 {
		return -1
	}
	target, sum := Unleash(d, group, unit, total, unleashVariants), uint32(0)
	for i, w := range weights {
		if sum += w; w > 0 && sum >= target {
			return i
		}
	}
	return -1
}
