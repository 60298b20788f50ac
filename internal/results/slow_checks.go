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
	// Effects are those of each day, for one look that was planned.
	Effects []AgeEffect `json:"effects,omitempty"`
}

// AgeEffect is the effect on what units did on one day since their first exposure. Every
// day is of the same units.
type AgeEffect struct {
	Day      int    `json:"day"` // 1: the first 24 hours
	Absolute Effect `json:"absolute"`
}

// TrendSums are sums over units of Σ_d (2d − days + 1)·y_d, in whole 10^-decimals.
type TrendSums struct {
	N            int64 // units that had all their days within the iteration
	Sum, Squares *big.Int
	Days         []DaySums // of y_d, for each day
}

// DaySums are Σ and Σ of squares over units of what each did on one day.
type DaySums struct{ Sum, Squares *big.Int }

func (s *DaySums) add(v int64) {
	if s.Sum == nil {
		s.Sum, s.Squares = new(big.Int), new(big.Int)
	}
	s.Sum.Add(s.Sum, big.NewInt(v))
	s.Squares.Add(s.Squares, new(big.Int).Mul(big.NewInt(v), big.NewInt(v)))
}

// Add takes a unit in, by what it did on each day.
func (s *TrendSums) Add(days ...int64) {
	if s.Days == nil {
		s.Days = make([]DaySums, len(days))
	}
	trend, all := int64(0), DaySums{s.Sum, s.Squares}
	for d, y := range days {
		s.Days[d].add(y)
		trend += int64(2*d-len(days)+1) * y
	}
	all.add(trend)
	s.N, s.Sum, s.Squares = s.N+1, all.Sum, all.Squares
}

// ofDay are the moments of what units did on one day.
func (s TrendSums) ofDay(d, decimals int) stats.Moments {
	if s.N == 0 || d >= len(s.Days) {
		return stats.Moments{}
	}
	return stats.FromSums(s.N, s.N, s.Days[d].Sum, s.Days[d].Squares, decimals)
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
		Level: level, Moves: float64(e.Absolute.SequentialP) <= level, Effects: s.ages(m, arm, rows)}
}

// ages are the effects of each day since exposure; none where rows have no days.
func (s slow) ages(m SlowMetric, arm int, rows []SlowRow) []AgeEffect {
	var out []AgeEffect
	for d := range m.Days {
		pair := s.pair(m, arm, rows, func(r SlowRow) stats.Moments { return r.Trend.ofDay(d, m.Decimals) })
		if pair.Weight > 0 {
			e := newEstimate(pair, pair.Fixed(s.e.Alpha), pair.Sequential(s.plan(arm)))
			out = append(out, AgeEffect{d + 1, e.Absolute})
		}
	}
	return out
}
