package main

import "slices"

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

func minimum(x []float64) float64 { return slices.Min(x) }

func maximum(x []float64) float64 { return slices.Max(x) }
