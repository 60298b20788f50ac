package yardstick

import (
	"math"
	"math/rand/v2"
	"testing"
)

// stream has mean 0, and from the change on mean 1.
func stream(seed uint64, n, change int) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]float64, n)
	for i := range out {
		out[i] = rng.NormFloat64()
		if i >= change {
			out[i]++
		}
	}
	return out
}

// TestDetectorsSeeAChange within reasonable time, and start anew after it.
func TestDetectorsSeeAChange(t *testing.T) {
	ph := PageHinkley{MinUnits: 30, Slack: 0.1, Threshold: 30, Forget: 1}
	adwin := Adwin{Delta: 0.002}
	for name, add := range map[string]func(float64) bool{"Page–Hinkley": ph.Add, "ADWIN": adwin.Add} {
		first := -1
		for i, x := range stream(2, 3000, 2000) {
			if add(x) && first < 0 {
				first = i
			}
		}
		if first < 2000 || first > 2300 {
			t.Errorf("%s: first detection at %d, the change is at 2000", name, first)
		}
	}
	if adwin.Width() > 1200 || math.Abs(adwin.Mean()-1) > 0.15 {
		t.Errorf("the window has %d values with mean %.2f, want those since the change", adwin.Width(), adwin.Mean())
	}
}

func TestDetectorsIgnoreNaN(t *testing.T) {
	var with, without Adwin
	with.Delta, without.Delta = 0.01, 0.01
	for _, x := range stream(3, 100, 100) {
		with.Add(x)
		with.Add(math.NaN())
		without.Add(x)
	}
	if with.Mean() != without.Mean() || with.Width() != 100 {
		t.Errorf("%d values with mean %g, want 100 with %g", with.Width(), with.Mean(), without.Mean())
	}
	p := PageHinkley{Threshold: 1}
	if p.Add(math.NaN()) || p.Add(0) {
		t.Error("a change out of nothing")
	}
}
