package results

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// checked is an experiment of one phase whose metrics have a window of a week.
func checked() *experiment.Experiment {
	e := slowWorld()
	e.Window, e.PlannedUnits = experiment.Duration(7*24*time.Hour), 4000
	e.Iterations[0].Phases = e.Iterations[0].Phases[:1]
	return e
}

// TestTrendDays: only what adds up day by day has a trend.
func TestTrendDays(t *testing.T) {
	e := checked()
	it := &e.Iterations[0]
	it.Metrics = append(it.Metrics,
		experiment.Metric{Name: "capped", Kind: experiment.Mean, Cap: &experiment.Cap{At: "9"}},
		experiment.Metric{Name: "back", Kind: experiment.Retention},
		experiment.Metric{Name: "quick", Kind: experiment.Count, Window: experiment.Duration(47 * time.Hour)},
		experiment.Metric{Name: "long", Kind: experiment.Proportion, Window: experiment.Duration(90 * 24 * time.Hour)})
	got := map[string]int{}
	for _, m := range SlowMetrics(e, it, nil) {
		got[m.Name] = m.Days
	}
	for name, want := range map[string]int{"latency": 0, "spend": 7, "visits": 7, "capped": 0, "back": 0, "quick": 0, "long": 28} {
		if days, ok := got[name]; !ok || days != want {
			t.Errorf("%s: %d days, want %d", name, days, want)
		}
	}
}

// TestBalance: a covariate that differs between the arms raises the alarm, one that
// does not keeps still at the stated rate.
func TestBalance(t *testing.T) {
	e := checked()
	rng := rand.New(rand.NewPCG(8, 8))
	draw := func(n int, shift float64) [][2]int64 {
		var out [][2]int64
		for range n {
			x := math.Round(100 * (5 + shift + rng.NormFloat64()))
			out = append(out, [2]int64{int64(x) + int64(rng.IntN(300)), int64(x)})
		}
		return out
	}
	alarms, fixed := 0, 0
	const runs = 400
	for range runs {
		rows := []SlowRow{rowOf("spend", 1, "t", draw(400, 0)...), rowOf("spend", 1, "c", draw(400, 0)...)}
		b := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], rows, nil), "spend").Balances[0]
		if b.Alarm {
			alarms++
		}
		if b.Absolute.FixedP < 0.05 {
			fixed++
		}
		if b.Level != 0.01/4 {
			t.Fatalf("level %v; visits, without visits, and two totals before are compared", b.Level)
		}
	}
	if got, noise := float64(fixed)/runs, 4*math.Sqrt(0.05*0.95/runs); math.Abs(got-0.05) > noise || alarms > 6 {
		t.Errorf("p < 0.05 in %.3f, want 0.05 ± %.3f (Monte Carlo); %d alarms in %d", got, noise, alarms, runs)
	}
	rows := []SlowRow{rowOf("spend", 1, "t", draw(400, 0.4)...), rowOf("spend", 1, "c", draw(400, 0)...)}
	b := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], rows, nil), "spend").Balances[0]
	if !b.Alarm || math.Abs(float64(b.Absolute.Estimate)-0.4) > 0.3 || b.Treatment.Units != 400 {
		t.Errorf("%+v", b)
	}
	if c := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], nil, nil), "spend"); c.Balances != nil || c.ByDay != nil {
		t.Errorf("of no units: %+v", c)
	}
}

// TestByDay: units whose days resemble one another, and an effect of 1 that wears off
// by 0.2 a day, or does not.
func TestByDay(t *testing.T) {
	e := checked()
	rng := rand.New(rand.NewPCG(9, 9))
	const days = 7
	arm := func(variant string, effect, fade float64) SlowRow {
		r := rowOf("spend", 1, variant)
		for range 500 {
			own := rng.NormFloat64()
			var unit [days]int64
			for d := range unit {
				y := 3 + own + effect - fade*float64(d) + rng.NormFloat64()
				unit[d] = int64(math.Round(100 * y))
			}
			r.N++
			r.Trend.Add(unit[:]...)
		}
		return r
	}
	byDay := func(fade float64) *Trend {
		rows := []SlowRow{arm("t", 1, fade), arm("c", 0, 0)}
		return comparisonOf(t, ComputeSlow(e, &e.Iterations[0], nil, rows), "spend").ByDay
	}
	const runs = 400
	fixed, moves := 0, 0
	for range runs {
		s := byDay(0)
		if s.Absolute.FixedP < 0.05 {
			fixed++
		}
		if s.Moves {
			moves++
		}
	}
	if got, noise := float64(fixed)/runs, 4*math.Sqrt(0.05*0.95/runs); math.Abs(got-0.05) > noise || moves > 15 {
		t.Errorf("p < 0.05 in %.3f, want 0.05 ± %.3f (Monte Carlo); shown to move in %d of %d", got, noise, moves, runs)
	}
	s := byDay(0.2)
	if !s.Moves || s.Days != days || math.Abs(float64(s.Absolute.Estimate)+0.2) > 4*float64(s.Absolute.StdError) {
		t.Errorf("%+v", s)
	}
	if len(s.Effects) != days {
		t.Fatalf("%d days have an effect of their own", len(s.Effects))
	}
	// A unit's day has variance 2: its own level and the day's.
	for d, x := range s.Effects {
		truth, want := 1-0.2*float64(d), math.Sqrt(2*2./500)
		if x.Day != d+1 || math.Abs(float64(x.Absolute.Estimate)-truth) > 4*want || math.Abs(float64(x.Absolute.StdError)-want) > 0.15*want ||
			x.Absolute.Fixed.High-x.Absolute.Fixed.Low >= x.Absolute.Sequential.High-x.Absolute.Sequential.Low {
			t.Errorf("day %d: %+v, want about %v ± %v", d, x, truth, want)
		}
	}
	// The slope of white noise over 7 days has variance 1/28.
	if want := math.Sqrt(2.0 / 28 / 500); math.Abs(float64(s.Absolute.StdError)-want) > 0.1*want {
		t.Errorf("error %v, want %v", s.Absolute.StdError, want)
	}
}
