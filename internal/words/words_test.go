package words

import (
	"math"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

func TestNumbers(t *testing.T) {
	nan := results.Number(math.NaN())
	for _, c := range []struct{ got, want string }{
		{Percent(0.123456), "+12.3 %"},
		{Percent(-0.00421), "−0.421 %"},
		{Percent(0), "0.0 %"},
		{Percent(-0.0000000001), "0.00000 %"},
		{Mean(2.346e-7, "mean", "s"), "2.35e-07 s"},
		{Difference(-2.346e-7, "mean", ""), "−2.35e-07"},
		{Difference(1.2e20, "mean", ""), "+1.20e+20"},
		{Difference(0.000123, "mean", ""), "+0.00012"},
		{Difference(0, "mean", ""), "0.0"},
		{Percent(nan), "–"},
		{PercentRange(results.Interval{Low: -0.5, High: nan}), "−50.0 % to +∞"},
		{Mean(0.05, "proportion", ""), "5.00 %"},
		{Mean(118, "mean", "ms"), "118 ms"},
		{Difference(-0.012, "proportion", ""), "−1.20 pp"},
		{Difference(2.5, "mean", "EUR"), "+2.50 EUR"},
		{PValue(0.00001), "< 0.0001"},
		{PValue(0.0312), "0.031"},
		{Count(1234567), "1\u202f234\u202f567"},
		{Count(-999), "−999"},
		{Instant(time.Time{}), "–"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
