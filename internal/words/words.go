// Package words writes numbers, intervals and times for people, the same way in the
// terminal, pages, reports and sentences of the API.
package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Unknown is written where a number is not known or not bounded.
const Unknown = "–"

// Share writes a share without a plus sign: 12.3 %.
func Share(n results.Number) string { return share(n, false) }

// share writes a share with a precision that fits its size: +12.3 %, −0.42 %.
func share(n results.Number, signed bool) string {
	if !n.Known() {
		return Unknown
	}
	return signedText(n.Float()*100, decimalsFor(n.Float()*100), signed) + " %"
}

// PercentRange writes an interval of shares: −1.2 % to +8.0 %.
func PercentRange(i results.Interval) string {
	end := func(n results.Number, unbounded string) string {
		if !n.Known() {
			return unbounded
		}
		return share(n, true)
	}
	return end(i.Low, "−∞") + " to " + end(i.High, "+∞")
}

// Percent writes a share with its sign.
func Percent(n results.Number) string { return share(n, true) }

// binary tells whether the metric's mean is a share of units.
func binary(kind string) bool { return experiment.Kind(kind).Binary() }

// Mean writes an arm's mean: shares as percent, other kinds with their unit.
func Mean(n results.Number, kind, unit string) string {
	switch {
	case !n.Known():
		return Unknown
	case binary(kind):
		return Share(n)
	case unit == "":
		return quantity(n.Float(), false)
	default:
		return quantity(n.Float(), false) + " " + unit
	}
}

// Difference writes an absolute effect: of shares in percentage points.
func Difference(n results.Number, kind, unit string) string {
	switch {
	case !n.Known():
		return Unknown
	case binary(kind):
		return signedText(n.Float()*100, decimalsFor(n.Float()*100), true) + " pp"
	case unit == "":
		return quantity(n.Float(), true)
	default:
		return quantity(n.Float(), true) + " " + unit
	}
}

// DifferenceRange writes the interval of an absolute effect.
func DifferenceRange(i results.Interval, kind, unit string) string {
	end := func(n results.Number, unbounded string) string {
		if !n.Known() {
			return unbounded
		}
		return Difference(n, kind, unit)
	}
	return end(i.Low, "−∞") + " to " + end(i.High, "+∞")
}

// DifferenceWithin writes an absolute effect with its interval: +0.681 pp (+0.392 pp to +0.969 pp).
func DifferenceWithin(n results.Number, i results.Interval, kind, unit string) string {
	return fmt.Sprintf("%s (%s)", Difference(n, kind, unit), DifferenceRange(i, kind, unit))
}

// PercentWithin writes a relative effect with its interval.
func PercentWithin(n results.Number, i results.Interval) string {
	return fmt.Sprintf("%s (%s)", Percent(n), PercentRange(i))
}

// PValue writes p with two digits, small ones as a bound.
func PValue(n results.Number) string {
	switch {
	case !n.Known():
		return Unknown
	case n.Float() < 0.0001:
		return "< 0.0001"
	default:
		return strconv.FormatFloat(n.Float(), 'g', 2, 64)
	}
}

// Count writes an integer with thin groups of three: 21 306.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return sign + strings.Join(append([]string{s}, parts...), "\u202f")
}

// SignedCount writes a change of a count with its sign.
func SignedCount(n int64) string {
	if n < 0 {
		return Count(n)
	}
	return "+" + Count(n)
}

// Fixed writes a number with that many decimals.
func Fixed(n results.Number, decimals int) string { return signedText(n.Float(), decimals, false) }

// Plain writes a number with a precision that fits its size.
func Plain(n results.Number) string { return Fixed(n, decimalsFor(n.Float())) }

// Instant writes a time to the second, in UTC.
func Instant(t time.Time) string { return InstantIn(t, time.UTC) }

// InstantIn writes a time to the second, in a zone, with the zone's name; nil is UTC.
func InstantIn(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return Unknown
	}
	return In(t, zone).Format("2006-01-02 15:04:05 MST")
}

// In is a time in a zone; nil is UTC.
func In(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// decimalsFor keeps three significant digits up to five decimals.
func decimalsFor(x float64) int {
	x = math.Abs(x)
	switch {
	case x >= 100:
		return 0
	case x >= 10 || x == 0:
		return 1
	case x >= 1:
		return 2
	default:
		return min(5, 2-int(math.Floor(math.Log10(x))))
	}
}

// quantity writes an amount in a metric's unit, which may be of any size.
func quantity(x float64, signed bool) string {
	const smallest, largest = 1e-4, 1e15 // of what is readable digit by digit
	if size := math.Abs(x); size == 0 || smallest <= size && size < largest {
		return signedText(x, decimalsFor(x), signed)
	}
	s := strconv.FormatFloat(math.Abs(x), 'e', 2, 64)
	switch {
	case x < 0:
		return "−" + s
	case signed:
		return "+" + s
	default:
		return s
	}
}

// signedText uses the true minus sign; a value that rounds to zero has no sign.
func signedText(x float64, decimals int, signed bool) string {
	s := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	zero := strings.Trim(s, "0.") == ""
	switch {
	case zero:
		return s
	case x < 0:
		return "−" + s
	case signed:
		return "+" + s
	default:
		return s
	}
}
