package results

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// dayWorld draws units of ten days, the last five in another phase with another level:
// each day's effect is lift + drift·day.
func dayWorld(rng *rand.Rand, lift, drift float64) (*experiment.Experiment, []DayCell, map[string]time.Time) {
	e := checked()
	it := &e.Iterations[0]
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	it.Start, it.Phases = start, []experiment.Phase{
		{Number: 1, Shares: []float64{0.9, 0.1}}, {Number: 2, From: start.Add(5 * 24 * time.Hour), Shares: []float64{0.5, 0.5}}}
	var cells []DayCell
	for day := range 10 {
		phase := uint16(1 + day/5)
		level := []float64{10, 40}[phase-1]
		for v, variant := range []string{"c", "t"} {
			for _, hour := range []int{3, 21} { // two slots a day
				c := DayCell{Slot: start.Add(time.Duration(24*day+hour) * time.Hour), Phase: phase, Variant: variant, Metric: "spend", Sums: NewSums()}
				for range int(400 * it.Phases[phase-1].Shares[v]) {
					y := int64(math.Round(100 * (level + 3*rng.NormFloat64() + float64(v)*(lift+drift*float64(day)))))
					c.Sums.Add(Sums{N: 1, NonZero: 1, Sum: big.NewInt(y), SumSquares: big.NewInt(y * y)})
				}
				cells = append(cells, c)
			}
		}
	}
	return e, cells, map[string]time.Time{"spend": start.Add(9 * 24 * time.Hour)} // the last day is young
}

// TestEffectByDay: a constant effect is said to drift at the stated rate, whatever phases do
// to the level and the shares, and one that drifts is told.
func TestEffectByDay(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 5))
	const runs = 300
	low := 0
	for range runs {
		e, cells, cutoffs := dayWorld(rng, 2, 0)
		if ByDay(e, &e.Iterations[0], cells, cutoffs)[0].P < 0.05 {
			low++
		}
	}
	if got, noise := float64(low)/runs, 4*math.Sqrt(0.05*0.95/runs); math.Abs(got-0.05) > noise {
		t.Errorf("p < 0.05 in %.3f, want 0.05 ± %.3f (Monte Carlo)", got, noise)
	}
	e, cells, cutoffs := dayWorld(rng, 2, 0.4)
	all := ByDay(e, &e.Iterations[0], cells, cutoffs)
	if len(all) != 1 || len(all[0].Days) != 9 {
		t.Fatalf("%+v", all)
	}
	d := all[0]
	if !d.Drifts || !(d.Fixed.Low < 0.4 && 0.4 < d.Fixed.High) || d.Level != 0.05 {
		t.Errorf("an effect that grows by 0.4 a day: %v %+v p %v at %v", d.Slope, d.Fixed, d.P, d.Level)
	}
	if first := d.Days[0]; first.Day != "2026-03-01" || first.Phase != 1 || first.Treatment.Units != 80 || first.Control.Units != 720 {
		t.Errorf("the first day: %+v", first)
	}
	if last := d.Days[8]; last.Day != "2026-03-09" || last.Phase != 2 || math.Abs(float64(last.Absolute.Estimate)-5.2) > 1.5 {
		t.Errorf("the last day with complete windows: %+v", last)
	}
}

// TestEffectOfOneDay: one day has no slope, and totals too large no number.
func TestEffectOfOneDay(t *testing.T) {
	e, cells, cutoffs := dayWorld(rand.New(rand.NewPCG(1, 5)), 2, 0)
	d := ByDay(e, &e.Iterations[0], cells[:4], cutoffs)[0]
	if len(d.Days) != 1 || d.Drifts || d.P != 1 || !math.IsNaN(float64(d.Slope)) {
		t.Errorf("%+v", d)
	}
	cells[0].Sums.Over = 1
	if all := ByDay(e, &e.Iterations[0], cells, cutoffs); len(all) != 0 {
		t.Errorf("with an overflow: %+v", all)
	}
	if all := ByDay(e, &e.Iterations[0], cells[4:], nil); len(all) != 0 {
		t.Errorf("nothing has matured: %+v", all)
	}
}
