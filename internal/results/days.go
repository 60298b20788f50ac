package results

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// DayNote stands wherever effects by day are shown.
const DayNote = "By the day of a unit's first exposure, of units whose windows are complete. For one look that was planned: a day is no result of its own."

// Days say whether the effect on a goal depends on when units came in: a change of
// the product, of the season or of who comes. It is computed when somebody asks.
type Days struct {
	Metric    string      `json:"metric"`
	Arm       string      `json:"arm"`
	Kind      string      `json:"kind"`
	Direction string      `json:"direction"`
	Unit      string      `json:"unit,omitempty"`
	Days      []DayEffect `json:"days"`
	// Slope is by how much the effect grows each day, within phases (stats.EffectSlope),
	// with the interval and p of one look. Level is alpha shared by the goals × arms;
	// Drifts tells whether p is at most that.
	Slope  Number   `json:"slope"`
	Fixed  Interval `json:"fixed"`
	P      Number   `json:"p"`
	Level  float64  `json:"level"`
	Drifts bool     `json:"drifts"`
}

// DayEffect is the effect among the units that came in on one day of one phase.
type DayEffect struct {
	Day       string `json:"day"` // UTC
	Phase     uint16 `json:"phase"`
	Treatment Arm    `json:"treatment"`
	Control   Arm    `json:"control"`
	Absolute  Effect `json:"absolute"` // the interval for every look is that of this day alone
	Relative  Effect `json:"relative"`
}

// DayCell is one slot of one metric of one arm; settling units are not in it.
type DayCell struct {
	Slot    time.Time
	Phase   uint16
	Variant string
	Metric  string
	Sums    Sums
}

// ByDay compares the goals by day. cutoffs are as of Maturity: later slots, and
// metrics without one, take no part. Where an arm's total is too large for exact sums
// nothing is compared.
func ByDay(e *experiment.Experiment, it *experiment.Iteration, cells []DayCell, cutoffs map[string]time.Time) []Days {
	e = e.AsOf(it)
	s := slow{e: e, it: it}
	var out []Days
	for _, goal := range e.Goals {
		m := it.Metric(goal)
		if m == nil || !m.Kind.Fast() {
			continue
		}
		for arm, v := range e.Variants {
			if v.Key == e.Control {
				continue
			}
			if d := s.days(m, arm, matured(cells, goal, cutoffs[goal])); len(d.Days) > 0 {
				out = append(out, d)
			}
		}
	}
	return out
}

// dayKey is where a slot's sums belong.
type dayKey struct {
	day     int64 // since 1970
	phase   uint16
	variant string
}

const dayLength = 24 * time.Hour

// matured are a metric's sums by day, of slots before the cutoff.
func matured(cells []DayCell, metric string, cutoff time.Time) map[dayKey]Sums {
	out := map[dayKey]Sums{}
	for _, c := range cells {
		if c.Metric != metric || !c.Slot.Before(cutoff) {
			continue
		}
		key := dayKey{c.Slot.Unix() / int64(dayLength/time.Second), c.Phase, c.Variant}
		sums, ok := out[key]
		if !ok {
			sums = NewSums()
		}
		sums.Add(c.Sums)
		out[key] = sums
	}
	return out
}

func (s slow) days(m *experiment.Metric, arm int, sums map[dayKey]Sums) Days {
	key := s.e.Variants[arm].Key
	out := Days{Metric: m.Name, Arm: key, Kind: string(m.Kind), Direction: string(m.Direction), Unit: m.Unit,
		Level: s.e.Alpha / float64(len(s.e.Goals)*(len(s.e.Variants)-1))}
	var strata []stats.TimedStratum
	for _, at := range daysOf(sums) {
		t, c := sums[dayKey{at.day, at.phase, key}], sums[dayKey{at.day, at.phase, s.e.Control}]
		if t.Over+c.Over > 0 {
			return Days{}
		}
		scale := ScaleOf(m)
		stratum := stats.Stratum{Name: fmt.Sprint(at.phase), Treatment: scale.Moments(t), Control: scale.Moments(c)}
		pair := stats.Combine([]stats.Stratum{stratum})
		if pair.Weight == 0 {
			continue
		}
		e := newEstimate(pair, pair.Fixed(s.e.Alpha), pair.Sequential(s.plan(arm)))
		day := time.Unix(at.day*int64(dayLength/time.Second), 0).UTC().Format(time.DateOnly)
		out.Days = append(out.Days, DayEffect{day, at.phase, e.Treatment, e.Control, e.Absolute, e.Relative})
		strata = append(strata, stats.TimedStratum{Stratum: stratum, Group: stratum.Name, At: float64(at.day)})
	}
	slope := stats.EffectSlope(strata).Student(s.e.Alpha)
	out.Slope, out.Fixed, out.P = Number(slope.Estimate), Interval{Number(slope.Low), Number(slope.High)}, Number(slope.P)
	out.Drifts = slope.P <= out.Level
	return out
}

// daysOf are the days and phases that have units, in order.
func daysOf(sums map[dayKey]Sums) []dayKey {
	var out []dayKey
	for key := range sums {
		key.variant = ""
		if !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b dayKey) int {
		if a.day != b.day {
			return int(a.day - b.day)
		}
		return int(a.phase) - int(b.phase)
	})
	return out
}
