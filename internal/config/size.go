package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes: 512MiB, 4GiB.
type Size int64

// sizes are the units, the largest first.
var sizes = []struct {
	name  string
	bytes Size
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(b []byte) error {
	for _, unit := range sizes {
		head, ok := strings.CutSuffix(string(b), unit.name)
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(head, 10, 64); err == nil && n >= 0 && n <= math.MaxInt64/int64(unit.bytes) {
			*s = Size(n) * unit.bytes
			return nil
		}
	}
	return fmt.Errorf("%q is not a size: write 512MiB, 4GiB or 1TiB", b)
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the text that a file may hold.
func (s Size) String() string {
	for _, unit := range sizes {
		if s%unit.bytes == 0 && s > 0 {
			return strconv.FormatInt(int64(s/unit.bytes), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s>>20), 10) + "MiB"
}
