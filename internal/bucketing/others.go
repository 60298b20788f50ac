package bucketing

import (
	"crypto/md5"  //nolint:gosec // what Eppo hashes with
	"crypto/sha1" //nolint:gosec // what LaunchDarkly hashes with
	"encoding/binary"
)

// Flagd is the index of the variant that flagd's fractional operator, version 2, gives a
// key, by whole weights (flagd core, evaluator/fractional; flagd-testbed, fractional-v2).
// By default the key is the flag's and the unit, one after the other.
func Flagd(key string, weights []uint32) int {
	var total uint64
	for _, w := range weights {
		total += uint64(w)
	}
	bucket := uint64(murmur3([]byte(key), 0)) * total >> 32
	var sum uint64
	for i, w := range weights {
		if sum += uint64(w); bucket < sum {
			return i
		}
	}
	return -1
}

// LaunchDarkly is its bucket of a unit, 0..1, in the precision of its SDKs: the first 15 hex
// digits of SHA-1 of "prefix.unit" (go-server-sdk-evaluation, evaluator_bucketing.go).
// The prefix is "flag.salt", or the experiment's seed.
func LaunchDarkly(prefix, unit string) float32 {
	const longest = 0xFFFFFFFFFFFFFFF
	sum := sha1.Sum([]byte(prefix + "." + unit)) //nolint:gosec // no secret
	return float32(binary.BigEndian.Uint64(sum[:8])>>4) / longest
}

// LaunchDarklyVariation is the index of the variation that a bucket has, by weights in
// hundredths of a thousandth. A bucket beyond all of them has the last.
func LaunchDarklyVariation(bucket float32, weights []uint32) int {
	var sum float32
	for i, w := range weights {
		if sum += float32(w) / 100_000; bucket < sum {
			return i
		}
	}
	return len(weights) - 1
}

// Eppo is its shard of a unit, 0 to of-1 (js-client-sdk-common, sharders.ts).
func Eppo(salt, unit string, of uint32) uint32 {
	sum := md5.Sum([]byte(salt + "-" + unit)) //nolint:gosec // no secret
	return binary.BigEndian.Uint32(sum[:4]) % of
}
