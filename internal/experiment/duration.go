package experiment

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxDuration keeps sums of a time and a few durations far from overflow.
const maxDuration = 100 * 365 * 24 * time.Hour

// Duration is a time.Duration that is written the way people say it: "15s",
// "90m", "7d", "2w". In JSON it is a string of that form.
type Duration time.Duration

// Std returns the value as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Milliseconds returns whole milliseconds.
func (d Duration) Milliseconds() int64 { return time.Duration(d).Milliseconds() }

// String gives the shortest exact form.
func (d Duration) String() string {
	const day = 24 * time.Hour
	if v := time.Duration(d); v != 0 && v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// ParseDuration reads Go's forms and whole days and weeks ("7d", "2w").
func ParseDuration(s string) (Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if head, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseInt(head, 10, 32)
			if err != nil || n > int64(maxDuration/unit) || n < -int64(maxDuration/unit) {
				return 0, fmt.Errorf("%q is not a duration: write 15s, 90m, 12h, 7d or 2w", s)
			}
			return Duration(time.Duration(n) * unit), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d > maxDuration || d < -maxDuration {
		return 0, fmt.Errorf("%q is not a duration: write 15s, 90m, 12h, 7d or 2w", s)
	}
	return Duration(d), nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}
