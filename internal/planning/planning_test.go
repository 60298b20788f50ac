package planning

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assay-dev/assay/stats"
	"github.com/assay-dev/assay/stats/design"
)

// conversion is 10 % of units, split evenly.
func conversion() Comparison {
	return Comparison{Metric: "conversion", Arm: "treatment", Kind: "proportion", Binary: true,
		Mean: .1, Share: .5, Alpha: .05, Plan: 20000, Units: 5000, PerDay: 1000, Window: 7}
}

// spend has a mean of 20 and a deviation of 50.
func spend(share float64) Comparison {
	return Comparison{Metric: "spend", Arm: "treatment", Kind: "mean",
		Mean: 20, SD: 50, Share: share, Alpha: .05, Plan: 100_000, PerDay: 10_000}
}

// Sizes of one look, by hand: (1.959964 + 0.841621)² = 7.848880.
func TestOneLook(t *testing.T) {
	tests := []struct {
		name string
		c    Comparison
		q    Question
		want float64
	}{
		// 4·7.848880·50²/1² for a difference of 1.
		{"mean, even split", spend(.5), Question{Lift: .05, Power: .8}, 78488.8},
		// The variance per unit is 1/(p(1−p)) instead of 4: 78488.8/(4·0.09).
		{"mean, a tenth treated", spend(.1), Question{Lift: .05, Power: .8}, 218024.4},
		// Half the lift, four times the units.
		{"mean, half the lift", spend(.5), Question{Lift: .025, Power: .8}, 313955.2},
		// 2·(1.959964·√(2·0.105·0.895) + 0.841621·√(0.11·0.89+0.1·0.9))²/0.01².
		{"share, 10 % to 11 %", conversion(), Question{Lift: .1, Power: .8}, 29501.6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Plan(tt.c, tt.q)
			if got := a.Fixed.Size.Float(); math.Abs(got/tt.want-1) > 2e-5 {
				t.Errorf("size %.1f, want %.1f", got, tt.want)
			}
			if a.Fixed.Expected != a.Fixed.Size {
				t.Errorf("one look stops at its size, not at %v", a.Fixed.Expected)
			}
		})
	}
}

// What is asked and what is answered are one function: at its own size a method has
// its power and detects the lift.
func TestSizesAndLiftsAgree(t *testing.T) {
	for _, c := range []Comparison{conversion(), spend(.2)} {
		q := Question{Lift: .08, Power: .9, Looks: 4}
		a := Plan(c, q)
		for name, size := range map[string]float64{"fixed": a.Fixed.Size.Float(), "sequential": a.Sequential.Size.Float(), "group": a.Group.Size.Float()} {
			c.Plan = size
			again := Plan(c, q)
			m := map[string]Method{"fixed": again.Fixed, "sequential": again.Sequential, "group": *again.Group}[name]
			if name == "sequential" { // the plan tunes the boundary: its own size at it is smaller
				if got := m.PlanPower.Float(); got < .9-1e-3 {
					t.Errorf("%s %s: power %.4f at its own size", c.Metric, name, got)
				}
				continue
			}
			if got := m.PlanPower.Float(); math.Abs(got-.9) > 2e-3 {
				t.Errorf("%s %s: power %.4f at its own size", c.Metric, name, got)
			}
			if got := m.Detectable.Float(); math.Abs(got-.08) > 1e-4 {
				t.Errorf("%s %s: detects %.5f at its own size", c.Metric, name, got)
			}
		}
	}
}

func TestDaysAndMore(t *testing.T) {
	a := Plan(conversion(), Question{Lift: .1, Power: .8})
	if got, want := a.Fixed.Days.Float(), a.Fixed.Size.Float()/1000+7; math.Abs(got-want) > 1e-9 {
		t.Errorf("days %v, want %v: a thousand a day and the last unit's window", got, want)
	}
	if got, want := a.Fixed.More.Float(), a.Fixed.Size.Float()-5000; math.Abs(got-want) > 1e-9 {
		t.Errorf("more units %v, want %v", got, want)
	}
	if a.Sequential.ExpectedDays >= a.Sequential.Days {
		t.Errorf("stopping early takes %v days on average, %v at most", a.Sequential.ExpectedDays, a.Sequential.Days)
	}
	c := conversion()
	c.PerDay, c.Units = 0, 1e9
	if a = Plan(c, Question{Lift: .1, Power: .8}); a.Fixed.Days.Known() || a.Fixed.More != 0 {
		t.Errorf("days %v without a rate, more %v with too many units", a.Fixed.Days, a.Fixed.More)
	}
}

// Nothing is made up where there is nothing to plan with.
func TestNoBasis(t *testing.T) {
	for name, change := range map[string]func(*Comparison, *Question){
		"no mean":      func(c *Comparison, _ *Question) { c.Mean = 0 },
		"no deviation": func(c *Comparison, _ *Question) { c.SD = math.NaN() },
		"constant":     func(c *Comparison, _ *Question) { c.SD = 0 },
		"no share":     func(c *Comparison, _ *Question) { c.Share = 0 },
		"no alpha":     func(c *Comparison, _ *Question) { c.Alpha = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			c, q := spend(.5), Question{Lift: .05, Power: .8, Looks: 3}
			change(&c, &q)
			a := Plan(c, q)
			if a.Fixed.Size.Known() || a.Sequential.Size.Known() {
				t.Errorf("sizes %v and %v", a.Fixed.Size, a.Sequential.Size)
			}
		})
	}
}

// The planned sizes hold against the engine: the share of simulated experiments
// that the shipped tests find, at the size that planning names.
func TestSizesThroughTheEngine(t *testing.T) {
	const replicates, looks = 1500, 1000
	c := spend(.5)
	q := Question{Lift: .05, Power: .8, Looks: 5}
	a := Plan(c, q)
	r := rand.New(rand.NewPCG(1, 2))
	tolerance := 3*math.Sqrt(.8*.2/replicates) + .005
	for name, m := range map[string]Method{"fixed": a.Fixed, "sequential": a.Sequential, "group": *a.Group} {
		found, stopped := 0, 0.0
		for range replicates {
			n, hit := run(r, c, q, name, m.Size.Float(), looks)
			if stopped += n; hit {
				found++
			}
		}
		if got := float64(found) / replicates; math.Abs(got-q.Power) > tolerance {
			t.Errorf("%s: power %.4f at %.0f units, want %.2f ± %.3f", name, got, m.Size.Float(), q.Power, tolerance)
		}
		if got := stopped / replicates; math.Abs(got/m.Expected.Float()-1) > .04 {
			t.Errorf("%s: stops after %.0f units, %.0f expected", name, got, m.Expected.Float())
		}
	}
}

// run is one experiment at the asked lift that is stopped by its method: the units
// at stopping and whether an effect was found. Sums of many normal values are drawn at once.
func run(r *rand.Rand, c Comparison, q Question, method string, size float64, looks int) (float64, bool) {
	var boundary design.Design
	switch method {
	case "fixed":
		looks = 1
	case "group":
		looks = q.Looks
		boundary, _ = design.New(design.OBrienFleming(), c.Alpha, design.TwoSided, design.Equal(looks))
	}
	step := math.Round(size / 2 / float64(looks))
	arms := [2]stats.Moments{}
	draw := func(m *stats.Moments, mean float64) { *m = m.Merge(normal(r, step, mean, c.SD)) }
	for look := 1; look <= looks; look++ {
		draw(&arms[0], c.Mean*(1+q.Lift))
		draw(&arms[1], c.Mean)
		pair := stats.Combine([]stats.Stratum{{Treatment: arms[0], Control: arms[1]}})
		units := 2 * step * float64(look)
		var hit bool
		switch method {
		case "fixed":
			hit = pair.Fixed(c.Alpha).Absolute.P <= c.Alpha
		case "group":
			e := pair.Fixed(c.Alpha).Absolute
			hit = math.Abs(e.Estimate/e.StdError) >= boundary.Z[look-1]
		default:
			hit = pair.Sequential(stats.Plan{PlannedUnits: c.Plan, TreatmentShare: .5, Alpha: c.Alpha}).Absolute.P <= c.Alpha
		}
		if hit {
			return units, true
		}
	}
	return 2 * step * float64(looks), false
}

// normal are the moments of n normal values: their sum of squares is σ² times a
// χ² of n − 1 degrees of freedom, drawn by Wilson and Hilferty's cube.
func normal(r *rand.Rand, n, mean, sd float64) stats.Moments {
	k := n - 1
	cube := 1 - 2/(9*k) + r.NormFloat64()*math.Sqrt(2/(9*k))
	return stats.Moments{N: int64(n), NonZero: int64(n), Mean: mean + r.NormFloat64()*sd/math.Sqrt(n), M2: sd * sd * k * cube * cube * cube}
}
