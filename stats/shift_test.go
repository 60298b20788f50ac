package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// noise is what a series is made of: readings that each remember the one before (AR(1)),
// readings that forget at once beside them, a drift and the time of day.
type noise struct {
	name          string
	phi, white    float64
	drift, day    float64
	most          float64 // of all series, called a change at α = 5 %
	readings      int     // on either side
	power, stated float64 // measured are more than these: found of a step of one standard deviation, and stated
}

// series draws the readings before and after a step of height standard deviations.
func (n noise) series(r *rand.Rand, height float64) (before, after []Sample) {
	sd := 1.0
	if n.phi < 1 {
		sd = 1 / math.Sqrt(1-n.phi*n.phi)
	}
	x, clock := sd*r.NormFloat64(), 2*math.Pi*r.Float64()
	for i := range 2 * n.readings {
		x = n.phi*x + r.NormFloat64()
		at := float64(15 * i)
		y := x + n.white*sd*r.NormFloat64() + n.drift*float64(i) + n.day*math.Sin(2*math.Pi*at/86400+clock)
		if i < n.readings {
			before = append(before, Sample{at, y})
		} else {
			after = append(after, Sample{at, y + height*sd})
		}
	}
	return before, after
}

// TestShiftErrorRate: without a step a series is called changed in no more than its share,
// whatever it remembers, and a series that moves too slowly is left alone rather than
// judged. Where it is judged, steps are found.
func TestShiftErrorRate(t *testing.T) {
	const alpha = 0.05
	runs := runs(1500)
	for _, n := range []noise{
		{name: "independent", readings: 240, most: 0.055, stated: 0.95, power: 0.95},
		{name: "AR(1) 0.5", readings: 240, phi: 0.5, most: 0.06, stated: 0.9, power: 0.75},
		{name: "AR(1) 0.8", readings: 240, phi: 0.8, most: 0.06, stated: 0.6, power: 0.25},
		{name: "AR(1) 0.95", readings: 240, phi: 0.95, most: 0.01},
		{name: "a random walk", readings: 240, phi: 1, most: 0.01},
		{name: "AR(1) 0.95 below independent noise", readings: 240, phi: 0.95, white: 1, most: 0.05},
		{name: "AR(1) 0.5 on a drift", readings: 240, phi: 0.5, drift: 0.05, most: 0.06, stated: 0.9, power: 0.75},
		{name: "AR(1) 0.5 and the time of day", readings: 240, phi: 0.5, day: 5, most: 0.07, stated: 0.9, power: 0.75},
		{name: "AR(1) 0.5, a quarter of an hour", readings: 60, phi: 0.5, most: 0.06, stated: 0.5, power: 0.15},
		{name: "AR(1) 0.8, a quarter of an hour", readings: 60, phi: 0.8, most: 0.03},
	} {
		stated, called, found := 0, 0, 0
		for i := range runs {
			r := rand.New(rand.NewPCG(uint64(n.readings), uint64(i)))
			s := ShiftAt(n.series(r, 0))
			if s.Blocks[0] > 0 {
				stated++
			}
			if s.Student(alpha).P < alpha {
				called++
			}
			if ShiftAt(n.series(r, 1)).Student(alpha).P < alpha {
				found++
			}
		}
		t.Logf("%-35s stated %.3f, called a change %.4f ± %.4f, a step of one standard deviation found %.3f ± %.3f (%d runs)",
			n.name, rate(stated, runs), rate(called, runs), standardError(called, runs), rate(found, runs), standardError(found, runs), runs)
		if float64(called) > allowed(n.most, runs) {
			t.Errorf("%s: called a change in %.4f, more than %.3f", n.name, rate(called, runs), n.most)
		}
		if rate(stated, runs) < n.stated || rate(found, runs) < n.power {
			t.Errorf("%s: stated %.3f of %.2f, found %.3f of %.2f", n.name, rate(stated, runs), n.stated, rate(found, runs), n.power)
		}
	}
}

// TestShiftNeedsBlocks shows what blocks are for: the same regression of the readings
// themselves calls a change in most series that have none.
func TestShiftNeedsBlocks(t *testing.T) {
	called, runs := 0, runs(500)
	for i := range runs {
		fit, _ := segmented(noise{phi: 0.9, readings: 240}.series(rand.New(rand.NewPCG(9, uint64(i))), 0))
		if fit.Coefficient(2, Classic).Student(0.05).P < 0.05 {
			called++
		}
	}
	t.Logf("AR(1) 0.9, each reading counted for itself: called a change %.3f ± %.3f (%d runs)", rate(called, runs), standardError(called, runs), runs)
	if rate(called, runs) < 0.4 {
		t.Errorf("only %d of %d: this test shows nothing", called, runs)
	}
}

// TestShiftProperties: a level or a drift on everything, or another unit of measure,
// changes nothing of what is said; another height changes the shift by as much.
func TestShiftProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := noise{phi: rapid.Float64Range(0, 0.7).Draw(t, "phi"), readings: rapid.IntRange(100, 200).Draw(t, "readings")}
		before, after := n.series(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), 0)
		s := ShiftAt(before, after)
		if s.Blocks[0] == 0 {
			t.Skip("moves too slowly")
		}
		level, drift, unit := rapid.Float64Range(-100, 100).Draw(t, "level"), rapid.Float64Range(-1, 1).Draw(t, "drift"), rapid.Float64Range(0.01, 100).Draw(t, "unit")
		height := rapid.Float64Range(-10, 10).Draw(t, "height")
		other := func(samples []Sample, step float64) []Sample {
			out := make([]Sample, len(samples))
			for i, r := range samples {
				out[i] = Sample{r.At + 1e6, unit * (r.Value + level + drift*r.At/15 + step)}
			}
			return out
		}
		moved := ShiftAt(other(before, 0), other(after, height))
		near := func(what string, got, want float64) {
			if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
				t.Fatalf("%s is %v, want %v", what, got, want)
			}
		}
		near("the shift", moved.Value/unit, s.Value+height)
		near("its error", moved.StdError/unit, s.StdError)
		near("the memory", moved.Memory, s.Memory)
		if moved.Blocks != s.Blocks {
			t.Fatalf("%v blocks, want %v", moved.Blocks, s.Blocks)
		}
	})
}

// TestShiftWithoutBasis: what cannot be told is not told, and says why.
func TestShiftWithoutBasis(t *testing.T) {
	at := func(n int, value func(i int) float64) (out []Sample) {
		for i := range n {
			out = append(out, Sample{float64(i), value(i)})
		}
		return out
	}
	alternate := func(i int) float64 { return float64(i % 2) }
	atOnce := func(samples []Sample) []Sample {
		for i := range samples {
			samples[i].At = 7
		}
		return samples
	}
	for name, s := range map[string]Shift{
		"nothing":         ShiftAt(nil, nil),
		"one side":        ShiftAt(at(100, alternate), nil),
		"few":             ShiftAt(at(8, alternate), at(100, alternate)),
		"not a number":    ShiftAt(at(100, alternate), at(100, func(int) float64 { return math.NaN() })),
		"all at one time": ShiftAt(atOnce(at(50, alternate)), atOnce(at(50, alternate))),
	} {
		if e := s.Student(0.05); e.P != 1 || len(s.Warnings) != 1 || s.Warnings[0].Code != FewBlocks || s.Blocks != [2]int{} {
			t.Errorf("%s: %+v", name, s)
		}
	}
	for _, after := range []float64{0.1, 0.3} {
		flat := ShiftAt(at(100, func(int) float64 { return 0.1 }), at(100, func(int) float64 { return after }))
		e := flat.Student(0.05)
		if e.P != 1 || math.Abs(flat.Value-(after-0.1)) > 1e-12 || len(flat.Warnings) != 1 || flat.Warnings[0].Code != ZeroVariance {
			t.Errorf("readings that do not differ on a side: %+v", flat)
		}
	}
}
