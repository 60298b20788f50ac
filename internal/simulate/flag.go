package simulate

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// Flag is a feature flag that splits units over variants.
type Flag struct {
	Key      string
	Salt     string
	Variants []Split
}

// Split is a variant with its weight; weights are relative to one another.
type Split struct {
	Variant string
	Weight  uint32
}

// Assign returns the variant of a unit. It depends on key, salt and unit only,
// so a unit keeps its variant for as long as the flag exists; other flags split
// the same units independently. A flag without weights assigns "".
func (f Flag) Assign(unit string) string {
	var total uint64
	for _, s := range f.Variants {
		total += uint64(s.Weight)
	}
	sum := sha256.Sum256([]byte(f.Key + "\x00" + f.Salt + "\x00" + unit))
	point, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), total) // uniform in [0, total)
	for _, s := range f.Variants {
		if point < uint64(s.Weight) {
			return s.Variant
		}
		point -= uint64(s.Weight)
	}
	return ""
}
