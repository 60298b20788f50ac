package results

import (
	"math"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// SmallCounts are the score intervals of Miettinen & Nurminen of a share of units, for
// one look: with few units of the rarer outcome Welch's cover less than they say.
type SmallCounts struct {
	Absolute Interval `json:"absolute"`
	Relative Interval `json:"relative"` // over the control's share; an end that is null is not bounded
}

// smallCounts is nil where Welch is good enough, and of several phases: the score
// intervals do not add up over strata.
func smallCounts(m *experiment.Metric, strata []stats.Stratum, alpha float64) *SmallCounts {
	if !m.Kind.Binary() {
		return nil
	}
	var t, c stats.Share
	counting := 0
	for _, s := range strata {
		if s.Treatment.N < 2 || s.Control.N < 2 {
			continue
		}
		counting++
		t, c = shareOf(s.Treatment), shareOf(s.Control)
	}
	if counting != 1 || min(rarer(t), rarer(c)) >= gateSmallCounts {
		return nil
	}
	d, r := stats.ScoreDifference(t, c, alpha), stats.ScoreRatio(t, c, alpha)
	out := &SmallCounts{Absolute: Interval{Number(d.Low), Number(d.High)}, Relative: Interval{Number(r.Low - 1), Number(r.High - 1)}}
	if t.Successes+c.Successes == 0 {
		out.Relative = Interval{Number(math.Inf(-1)), Number(math.Inf(1))}
	}
	return out
}

func shareOf(m stats.Moments) stats.Share { return stats.Share{Successes: m.NonZero, Units: m.N} }

func rarer(s stats.Share) int64 { return min(s.Successes, s.Units-s.Successes) }
