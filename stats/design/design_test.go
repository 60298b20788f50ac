package design

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.10g, want %.10g ± %g", name, got, want, tolerance)
	}
}

// TestPublishedBoundaries: Jennison & Turnbull (2000), tables 2.1, 2.3 and 7.
func TestPublishedBoundaries(t *testing.T) {
	for _, c := range []struct {
		name     string
		spending Spending
		want     []float64
	}{
		{"O'Brien-Fleming type", OBrienFleming(), []float64{4.8769, 3.3570, 2.6803, 2.2898, 2.0310}},
		{"Pocock type", Pocock(), []float64{2.4380, 2.4268, 2.4102, 2.3966, 2.3860}},
	} {
		d, err := New(c.spending, 0.05, TwoSided, Equal(5))
		if err != nil {
			t.Fatal(err)
		}
		for k := range c.want {
			near(t, c.name, d.Z[k], c.want[k], 6e-5)
		}
	}
	d, err := Classical(ShapePocock, 0.05, TwoSided, 5)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Pocock", d.Z[0], 2.4132, 6e-5)
}

// TestRecursionIsExact holds two looks against an integral that can be done by
// quadrature of another kind, and one look against the normal tail.
func TestRecursionIsExact(t *testing.T) {
	up, _ := Exits([]float64{0.5}, []float64{1.3}, 0.7, OneSided)
	near(t, "one look", up[0], upper(1.3-0.7*math.Sqrt(0.5)), 1e-14)

	// P(Z₁ ≤ a, Z₂ > b) by Simpson over Z₁, Z₂ = ρZ₁ + √(1−ρ²)·W.
	a, b, rho := 1.9, 2.1, math.Sqrt(0.3)
	const n = 20_000
	h, total := (a+12)/n, 0.0
	for i := 0; i <= n; i++ {
		weight := 2.0 + 2*float64(i%2)
		if i == 0 || i == n {
			weight = 1
		}
		z := -12 + float64(i)*h
		total += weight * density(z) * upper((b-rho*z)/math.Sqrt(1-rho*rho))
	}
	up, _ = Exits([]float64{0.3, 1}, []float64{a, b}, 0, OneSided)
	near(t, "two looks", up[1], total*h/3, 1e-12)
}

// TestSpendsWhatItMay: whatever the spending and the looks, the crossing
// probabilities without an effect are the increments.
func TestSpendsWhatItMay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spending := rapid.SampledFrom([]Spending{
			OBrienFleming(), Pocock(), PowerFamily(0.7), PowerFamily(3), HwangShihDeCani(-4), HwangShihDeCani(2), HwangShihDeCani(0),
		}).Draw(t, "spending")
		sides := rapid.SampledFrom([]Sides{OneSided, TwoSided}).Draw(t, "sides")
		alpha := rapid.Float64Range(0.001, 0.2).Draw(t, "alpha")
		times, at := []float64{}, 0.0
		for range rapid.IntRange(1, 9).Draw(t, "looks") {
			at += rapid.Float64Range(0.01, 0.3).Draw(t, "step")
			times = append(times, at)
		}
		d, err := Overrun(spending, alpha, sides, times)
		if err != nil {
			t.Fatal(err)
		}
		up, down := Exits(d.Times, d.Z, 0, sides)
		spent := 0.0
		for k := range up {
			spent += up[k]
			if down != nil {
				spent += down[k]
			}
			if math.Abs(spent-d.Spent[k]) > 1e-9 {
				t.Fatalf("look %d: spent %.12g, may %.12g", k, spent, d.Spent[k])
			}
		}
	})
}

// TestTinyFirstSpend: 14 daily looks spend less than a float can tell at the first.
func TestTinyFirstSpend(t *testing.T) {
	d, err := New(OBrienFleming(), 0.05, TwoSided, Equal(14))
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(d.Z[0], 1) || math.IsInf(d.Z[1], 1) {
		t.Errorf("boundaries %v", d.Z[:2])
	}
	near(t, "type I", d.At(0).Power, 0.05, 1e-9)
}

func TestNoDesign(t *testing.T) {
	nan := math.NaN()
	for name, f := range map[string]func() (Design, error){
		"alpha":     func() (Design, error) { return New(Pocock(), nan, TwoSided, Equal(3)) },
		"sides":     func() (Design, error) { return New(Pocock(), 0.05, 3, Equal(3)) },
		"no look":   func() (Design, error) { return New(Pocock(), 0.05, TwoSided, nil) },
		"falling":   func() (Design, error) { return New(Pocock(), 0.05, TwoSided, []float64{0.5, 0.5}) },
		"NaN":       func() (Design, error) { return New(Pocock(), 0.05, TwoSided, []float64{nan}) },
		"past 1":    func() (Design, error) { return New(Pocock(), 0.05, TwoSided, []float64{0.5, 1.1}) },
		"gamma":     func() (Design, error) { return New(PowerFamily(nan), 0.05, TwoSided, Equal(3)) },
		"nothing":   func() (Design, error) { return New(Spending{}, 0.05, TwoSided, Equal(3)) },
		"classical": func() (Design, error) { return Classical(nan, 0.05, TwoSided, 3) },
		"too many":  func() (Design, error) { return Classical(0, 0.05, TwoSided, 1e9) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestStopped: at the boundary of the last look the p-value is alpha and the
// interval ends at 0; without an effect it is uniform (simulated).
func TestStopped(t *testing.T) {
	d, err := New(OBrienFleming(), 0.05, TwoSided, []float64{0.3, 0.7, 1})
	if err != nil {
		t.Fatal(err)
	}
	s := d.Stop(2, d.Z[2])
	near(t, "p", s.P, 0.05, 1e-9)
	near(t, "low", s.Low, 0, 1e-6)
	if !(s.Low <= s.Estimate && s.Estimate <= s.High) {
		t.Errorf("estimate outside its interval: %+v", s)
	}
	if !math.IsNaN(d.Stop(3, 1).P) || !math.IsNaN(d.Stop(0, math.NaN()).Low) {
		t.Error("a look that does not exist has numbers")
	}

	const runs, drift = 4000, 2.0
	rng := rand.New(rand.NewPCG(1, 2))
	covered, below := 0, 0
	for range runs {
		b, last := 0.0, 0.0
		for k, at := range d.Times {
			b += drift*(at-last) + rng.NormFloat64()*math.Sqrt(at-last)
			last = at
			if z := b / math.Sqrt(at); math.Abs(z) >= d.Z[k] || k == len(d.Times)-1 {
				// Interval ends are monotone in the tail: no need to solve for them.
				above := exitsAbove(d.Times[:k+1], d.Z[:k+1], z, drift, TwoSided)
				if above > 0.025 && above < 0.975 {
					covered++
				}
				if above < 0.5 {
					below++
				}
				break
			}
		}
	}
	near(t, "coverage", float64(covered)/runs, 0.95, 4*math.Sqrt(0.05*0.95/runs))
	near(t, "median", float64(below)/runs, 0.5, 4*math.Sqrt(0.25/runs))
}

// mixture is the normal mixture's boundary, narrowest at planned units.
func mixture(alpha, planned float64) Monitor {
	l := -2 * math.Log(alpha)
	rho2 := (l + math.Log(1+l)) / planned
	return Monitor{Sides: TwoSided, Boundary: func(n float64) float64 {
		a := rho2 * n
		return math.Sqrt((1 + 1/a) * (math.Log1p(a) + l))
	}}
}

// TestMonitor: looks at every moment have at least the power of a fine grid of
// looks, and little more; and the size is less than the last-point rule says.
func TestMonitor(t *testing.T) {
	m, signal := mixture(0.05, 1), upperQuantile(0.025)+upperQuantile(0.2)
	var times, z []float64
	for x := 0.002; x < 1; x *= 1.004 {
		times, z = append(times, x), append(z, m.Boundary(x))
	}
	times, z = append(times, 1), append(z, m.Boundary(1))
	up, down := Exits(times, z, signal, TwoSided)
	grid := sum(up) + sum(down)
	if p := m.Power(signal, 1); p < grid || p > grid+0.015 {
		t.Errorf("power %.4f, of 1500 looks %.4f", p, grid)
	}
	n, expected := m.Size(signal, 0.8)
	near(t, "power at the size", m.Power(signal, n), 0.8, 5e-4)
	near(t, "multiplier", n, 1.62, 0.02) // simulated with looks by the unit
	if expected >= n || n >= m.LastPoint(signal, 0.8) {
		t.Errorf("size %.3f, expected %.3f, last point %.3f", n, expected, m.LastPoint(signal, 0.8))
	}
	if p := m.Power(0, 3); p > 0.05 || p < 0.02 {
		t.Errorf("error rate %.4f", p)
	}
	near(t, "detectable", m.Detectable(n, 0.8), signal, 2e-3)
}

// TestGuardrailSizes: what docs/guardrails.md says of how many units it takes to find
// harm while looking always, over those of one look at the same part of a budget of
// 5 %; also where the floor of unfinished outcomes stands until the end (stats.GrowthRadius).
// A size that is planned is its own N*.
func TestGuardrailSizes(t *testing.T) {
	power := func(alpha, n, floor float64) float64 {
		signal := upperQuantile(alpha) + upperQuantile(0.2) // one look finds it with one unit and power 80 %
		l := -2 * math.Log(2*alpha)
		rho2 := (l + math.Log(1+l)) / n
		return Monitor{Sides: OneSided, Boundary: func(units float64) float64 {
			a := rho2 * units
			return math.Max(floor, math.Sqrt(2*(1+1/a)*math.Log(1+math.Sqrt(1+a)/(2*alpha))))
		}}.Power(signal, n)
	}
	for guardrails, want := range map[float64]float64{1: 1.74, 2: 1.62, 5: 1.52, 10: 1.47, 20: 1.43} {
		near(t, fmt.Sprintf("power of one in %v guardrails at %v", guardrails, want), power(0.05/guardrails, want, 0), 0.8, 3e-3)
	}
	floor := root(func(z float64) float64 { return upper(z) + 5*z*density(z) - 0.005 }, 3, 5)
	near(t, "floor of one in ten", floor, 3.83, 5e-3)
	near(t, "power of one in ten under the floor at 1.67", power(0.005, 1.67, floor), 0.8, 3e-3)
}

// TestMonitorSimulated walks in small steps.
func TestMonitorSimulated(t *testing.T) {
	m, signal := mixture(0.05, 1), 2.8
	rng := rand.New(rand.NewPCG(3, 4))
	const runs, steps = 4000, 1000
	found := 0
	for range runs {
		b := 0.0
		for i := 1; i <= steps; i++ {
			at := float64(i) / steps
			b += signal/steps + rng.NormFloat64()/math.Sqrt(steps)
			if math.Abs(b) > m.Boundary(at)*math.Sqrt(at) {
				found++
				break
			}
		}
	}
	// Steps of a thousandth miss up to 0.01 of what looks at every moment see.
	near(t, "power", float64(found)/runs, m.Power(signal, 1)-0.006, 4*math.Sqrt(0.25/runs))
}
