package guardrails_test

import (
	"math/big"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// measure is a metric of a simulated experiment. Every world watches its
// measures with either direction, so that each guardrail stands beside its mirror.
type measure struct {
	name   string
	metric experiment.Metric
	// count is what one event makes of a unit's totals.
	count func(t totals, since time.Duration, value int64) totals
	// effect is the treatment's mean over the control's, at every age of a unit;
	// 0 where that is not known.
	effect func(world) float64
}

// totals are a unit's, as they count: y, and of a ratio z.
type totals struct{ y, z int64 }

// simValueDecimals are those of events' values, which are kept in hundredths.
const simValueDecimals = 2

// byRate is the effect on a metric that has one part for each unit with an event.
func byRate(w world) float64 {
	if w.scale != 1 {
		return 0
	}
	return w.factor
}

// basics are the metrics of the kinds mean, count and proportion.
func basics() []measure {
	return []measure{
		{
			"mean", experiment.Metric{Event: "event", Kind: experiment.Mean, Decimals: simValueDecimals},
			func(t totals, _ time.Duration, value int64) totals { return totals{y: t.y + value} }, byRate,
		},
		{
			"count", experiment.Metric{Event: "event", Kind: experiment.Count},
			func(t totals, _ time.Duration, _ int64) totals { return totals{y: t.y + 1} }, byRate,
		},
		{
			"proportion", experiment.Metric{Event: "event", Kind: experiment.Proportion},
			func(totals, time.Duration, int64) totals { return totals{y: 1} }, byRate,
		},
	}
}

// derived are the metrics whose open form is harder: the mean of all events, a
// return in the window's second half, one in its last tenth, and a total that is
// cut at most.
func derived(window time.Duration, most int64) []measure {
	part := func(of experiment.Aggregation, decimals int) *experiment.Part {
		return &experiment.Part{Event: "event", Aggregation: of, Decimals: decimals}
	}
	return []measure{
		{
			"ratio", experiment.Metric{
				Kind:      experiment.Ratio,
				Numerator: part(experiment.AggregateSum, simValueDecimals), Denominator: part(experiment.AggregateCount, 0),
			},
			func(t totals, _ time.Duration, value int64) totals { return totals{t.y + value, t.z + 1} },
			func(w world) float64 { return w.scale },
		},
		retention("retention", window/2, window),
		retention("late retention", window-window/10, window),
		{
			"capped mean", experiment.Metric{
				Event: "event", Kind: experiment.Mean, Decimals: simValueDecimals,
				Cap: &experiment.Cap{At: results.Decimal(big.NewInt(most), simValueDecimals)},
			},
			// No value is negative, so that to cut the total at each event is to cut it at last.
			func(t totals, _ time.Duration, value int64) totals { return totals{y: min(t.y+value, most)} }, byRate,
		},
	}
}

func retention(name string, from, to time.Duration) measure {
	return measure{
		name, experiment.Metric{
			Event: "event", Kind: experiment.Retention,
			From: experiment.Duration(from), To: experiment.Duration(to),
		},
		func(t totals, since time.Duration, _ int64) totals {
			if from <= since && since < to {
				return totals{y: 1}
			}
			return t
		}, byRate,
	}
}

// sums are what the ledger holds of one measure.
type sums struct{ n, nonZero, y, yy, z, zz, yz int64 }

// add takes out what a unit gave with its totals so far and puts in what it gives now.
func (s *sums) add(ratio bool, was, is totals) {
	s.nonZero += nonZero(ratio, is) - nonZero(ratio, was)
	s.y += is.y - was.y
	s.yy += is.y*is.y - was.y*was.y
	s.z += is.z - was.z
	s.zz += is.z*is.z - was.z*was.z
	s.yz += is.y*is.z - was.y*was.z
}

func nonZero(ratio bool, t totals) int64 {
	if t.y == 0 || ratio && t.z == 0 {
		return 0
	}
	return 1
}

func (s *sums) results() results.Sums {
	return results.Sums{
		N: s.n, NonZero: s.nonZero, Sum: big.NewInt(s.y), SumSquares: big.NewInt(s.yy),
		SumDenominator: big.NewInt(s.z), SumSquaresDenominator: big.NewInt(s.zz), SumProduct: big.NewInt(s.yz),
	}
}
