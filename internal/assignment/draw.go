package assignment

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/assay-dev/assay/internal/experiment"
)

// Label keeps the draws of one unit apart: under different labels they are
// independent of one another.
type Label string

// The labels.
const (
	Traffic     Label = "traffic" // whether a unit takes part
	Variant     Label = "variant" // which variant it gets if it does
	Sample      Label = "sample"  // whether it is measured where not all are
	HoldoutDraw Label = "holdout" // drawn with the holdout's name in the place of the salt
	GroupDraw   Label = "group"   // drawn with the group's name in the place of the salt
)

// Draw puts a unit into one of a million parts, 0 to 999,999, all equally likely:
// the first 64 bits of SHA-256(salt ‖ 0 ‖ label ‖ 0 ‖ kind ‖ 0 ‖ unit), as a
// fraction of 2^64. The unit is hashed as its bytes in UTF-8 are; nothing is
// normalised.
func Draw(salt string, label Label, kind, unit string) uint32 {
	var space [256]byte
	text := append(space[:0], salt...)
	text = append(text, 0)
	text = append(text, label...)
	text = append(text, 0)
	text = append(text, kind...)
	text = append(text, 0)
	text = append(text, unit...)
	sum := sha256.Sum256(text)
	part, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), experiment.Million)
	return uint32(part)
}
