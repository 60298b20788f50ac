package results

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Trend is by how much the effect grows each day since a unit's first exposure:
// towards zero is a novelty that wears off, away from it something that is learned.
// Each unit has the slope of its own days, so the correlation of its days with one
// another is in the error. Units whose windows have passed.
type Trend struct {
	Days      int    `json:"days"`
	Treatment Arm    `json:"treatment"` // means are slopes a day
	Control   Arm    `json:"control"`
	Absolute  Effect `json:"absolute"`
	// Level is alpha shared by the trends of all comparisons; Moves tells whether a
	// trend is shown at it, at every look.
	Level float64 `json:"level"`
	Moves bool    `json:"moves"`
}

// TrendSums are sums over units of Σ_d (2d − days + 1)·y_d, in whole 10^-decimals.
type TrendSums struct {
	N            int64 // units that had all their days within the iteration
	Sum, Squares *big.Int
}

// Add takes a unit in.
func (s *TrendSums) Add(v int64) {
	if s.Sum == nil {
		s.Sum, s.Squares = new(big.Int), new(big.Int)
	}
	s.N++
	s.Sum.Add(s.Sum, big.NewInt(v))
	s.Squares.Add(s.Squares, new(big.Int).Mul(big.NewInt(v), big.NewInt(v)))
}

func (s TrendSums) moments(decimals, days int) stats.Moments {
	if s.N == 0 || s.Sum == nil || s.Squares == nil {
		return stats.Moments{}
	}
	return stats.DaySlope(stats.FromSums(s.N, s.N, s.Sum, s.Squares, decimals), days)
}

// trendDays is how many whole days of the window make a trend; 0 where days of a
// unit do not add up to its value (caps, retention) or are fewer than two.
func trendDays(m SlowMetric, window time.Duration) int {
	const most = 28
	adds := []experiment.Kind{experiment.Mean, experiment.Sum, experiment.Count, experiment.Proportion}
	if m.Cap != nil || !slices.Contains(adds, m.Kind) {
		return 0
	}
	if days := min(int(window/(24*time.Hour)), most); days > 1 {
		return days
	}
	return 0
}

// plan is what was fixed beforehand for the arm's pair with the control.
func (s slow) plan(arm int) stats.Plan {
	return stats.Plan{
		PlannedUnits: float64(s.e.PlannedUnits), TreatmentShare: PlannedShare(s.e, s.it, arm),
		Alpha: s.e.Alpha, Strict: unequal(s.e, s.it, arm),
	}
}

// pair combines one arm's rows with the control's, by phase.
func (s slow) pair(m SlowMetric, arm int, rows []SlowRow, moments func(SlowRow) stats.Moments) stats.Pair {
	var strata []stats.Stratum
	for _, p := range s.it.Phases {
		t, tOK := find(rows, m, p.Number, s.e.Variants[arm].Key)
		c, cOK := find(rows, m, p.Number, s.e.Control)
		if tOK && cOK && t.Over+c.Over == 0 {
			strata = append(strata, stats.Stratum{Name: fmt.Sprint(p.Number), Treatment: moments(t), Control: moments(c)})
		}
	}
	return stats.Combine(strata)
}

func (s slow) byDay(m SlowMetric, arm int, rows []SlowRow) *Trend {
	if m.Days < 2 {
		return nil
	}
	pair := s.pair(m, arm, rows, func(r SlowRow) stats.Moments { return r.Trend.moments(m.Decimals, m.Days) })
	if pair.Weight == 0 {
		return nil
	}
	e := newEstimate(pair, pair.Fixed(s.e.Alpha), pair.Sequential(s.plan(arm)))
	level := s.e.Alpha / float64(s.trends)
	return &Trend{Days: m.Days, Treatment: e.Treatment, Control: e.Control, Absolute: e.Absolute,
		Level: level, Moves: float64(e.Absolute.SequentialP) <= level}
}
