package stats

import (
	"math"
	"slices"
)

// slowMethods are those of the metrics that are computed from stored events.
func slowMethods() map[string]answers {
	return map[string]answers{
		"variance-minimising single CUPED theta for a difference in means and the resulting variance":  bestSlope,
		"sample quantile (linear, type 7) and exact binomial order-statistic CI (scipy quantile_test)": exactQuantile,
		"segmented regression on block means, blocks by autocorrelation":                               shiftCase,
	}
}

func bestSlope(in inputs) map[string]any {
	arm := func(n float64, arm string) Joint {
		joint := Joint{N: int64(n), Mean: []float64{0, 0}}
		y, xy, x := in.num("var_y_"+arm), in.num("cov_xy_"+arm), in.num("var_x_"+arm)
		joint.Product = [][]float64{{y * (n - 1), xy * (n - 1)}, {xy * (n - 1), x * (n - 1)}}
		return joint
	}
	t, c := arm(in.num("n_t"), "t"), arm(in.num("n_c"), "c")
	a := Adjust(t, c)
	return map[string]any{
		"theta":               a.Slopes[0],
		"variance":            a.Treatment.squaredError() + a.Control.squaredError(),
		"variance_unadjusted": t.squaredError(0, 0) + c.squaredError(0, 0),
	}
}

func exactQuantile(in inputs) map[string]any {
	values := slices.Sorted(slices.Values(in.nums("values")))
	n, p := int64(len(values)), in.num("p")
	low, high := ExactQuantileRanks(n, p, in.num("alpha"))
	rank := func(k int64) float64 {
		switch {
		case k < 1:
			return math.Inf(-1)
		case k > n:
			return math.Inf(1)
		default:
			return values[k-1]
		}
	}
	at := float64(n-1) * p // type 7 interpolates between neighbours
	k := int(at)
	quantile := values[k]
	if k+1 < len(values) {
		quantile += (at - float64(k)) * (values[k+1] - values[k])
	}
	return map[string]any{"quantile": quantile, "ci": []float64{rank(low), rank(high)}}
}

func shiftCase(in inputs) map[string]any {
	var samples []Sample
	for i, y := range in.nums("y") {
		samples = append(samples, Sample{At: float64(i) * in.num("interval"), Value: y})
	}
	before := int(in.num("before"))
	s := ShiftAt(samples[:before], samples[before:])
	e := s.Student(in.num("alpha"))
	return map[string]any{
		"shift": s.Value, "std_error": s.StdError, "p_value": e.P, "ci": []float64{e.Interval.Low, e.Interval.High}, "drift": s.Drift, "memory": s.Memory,
		"blocks_before": float64(s.Blocks[0]), "blocks_after": float64(s.Blocks[1]),
	}
}
