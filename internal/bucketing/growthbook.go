package bucketing

import "strconv"

// GrowthBook is its hash of a value, 0..1 (packages/sdk-js/src/util.ts: hash). Version 2
// hashes the decimal text of a hash; ok is false for a version that it does not know.
func GrowthBook(d Dialect, version int, seed, value string) (bucket float64, ok bool) {
	switch version {
	case 1:
		return float64(fnv32a(d, value+seed)%1000) / 1000, true
	case 2:
		first := strconv.FormatUint(uint64(fnv32a(d, seed+value)), 10)
		return float64(fnv32a(d, first)%10000) / 10000, true
	default:
		return 0, false
	}
}

// GrowthBookNamespace tells whether a value is in a part of a namespace.
func GrowthBookNamespace(d Dialect, name, value string, from, to float64) bool {
	n, _ := GrowthBook(d, 1, "__"+name, value)
	return n >= from && n < to
}

// Range is a stretch of buckets, from From on and before To.
type Range struct{ From, To float64 }

// GrowthBookRanges are the buckets of each variation: its share of the coverage, from
// where it would begin at full coverage, so that more coverage moves nobody.
func GrowthBookRanges(variations int, coverage float64, weights []float64) []Range {
	coverage = min(1, max(0, coverage))
	var sum float64
	for _, w := range weights {
		sum += w
	}
	if len(weights) != variations || sum < 0.99 || sum > 1.01 {
		weights = make([]float64, variations)
		for i := range weights {
			weights[i] = 1 / float64(variations)
		}
	}
	out := make([]Range, variations)
	var from float64
	for i, w := range weights {
		out[i] = Range{from, from + coverage*w}
		from += w
	}
	return out
}

// Choose is the index of the range that has a bucket, -1 without one.
func Choose(bucket float64, ranges []Range) int {
	for i, r := range ranges {
		if bucket >= r.From && bucket < r.To {
			return i
		}
	}
	return -1
}

func fnv32a(d Dialect, text string) uint32 {
	h := uint32(2166136261)
	for _, u := range d.units(text) {
		h = (h ^ uint32(u)) * 16777619
	}
	return h
}

// GrowthBookVariation is what a unit gets by hash version 2, -1: it is not in the
// experiment.
func GrowthBookVariation(d Dialect, seed, unit string, coverage float64, weights []float64) int {
	bucket, _ := GrowthBook(d, 2, seed, unit)
	return Choose(bucket, GrowthBookRanges(len(weights), coverage, weights))
}
