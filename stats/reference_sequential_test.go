package stats

import (
	"math"
	"sort"
)

// sequentialMethods are the always-valid ones.
func sequentialMethods() map[string]answers {
	return map[string]answers{
		"asymptotic confidence sequence two-sided (Waudby-Smith et al. eq 9; rho from eq 161)": sequentialTwoSided,
		"one-sided asymptotic confidence sequence (eq 134)":                                    sequentialOneSided,
		"normal mixture boundary": mixtureBoundary,
		"GAVI half-width as in Howard et al. 2021 (prop. 5, two-sided normal mixture), Spotify/Eppo parametrisation": gavi,
		"asymptotic CS margin for unit variance (normal mixture)":                                                    unitMargin,
		"asymptotic CS on raw data (running variance)":                                                               rawSequence,
		"Lyapunov-type asymptotic CS (time-varying means)":                                                           lyapunov,
		"rho^2 minimising the asymptotic CS width at t_opt: (-W_{-1}(-a^2/e)-1)/t_opt":                               rho2,
		"width ratio of the asymptotic CS to the fixed-n z interval, exact (Lambert W) and gbstats rho":              widthRatio,
		"mSPRT likelihood ratio, normal, pairs, known sigma":                                                         msprtNormal,
	}
}

func sequentialTwoSided(in inputs) map[string]any {
	e, arms := estimateOf(in)
	alpha, n := in.num("alpha"), float64(arms.treatment.N+arms.control.N)
	rho2 := MixtureRho2(alpha, in.num("sequential_tuning_parameter"))
	effect := e.AlwaysValid(rho2*n, alpha)
	return map[string]any{
		"point_estimate": effect.Estimate, "ci": effect.Interval, "p_value": effect.P,
		"rho": math.Sqrt(rho2), "n_total": n, "std_error": effect.StdError, "error": nil,
	}
}

func sequentialOneSided(in inputs) map[string]any {
	e, arms := estimateOf(in)
	alpha, n := in.num("alpha"), float64(arms.treatment.N+arms.control.N)
	rho2 := MixtureRho2(2*alpha, in.num("sequential_tuning_parameter"))
	out := oneSided(in.text("alternative"), e, 0, func(e Estimate, null float64) Effect {
		return e.AlwaysValidAbove(null, rho2*n, alpha)
	})
	// The reference searches its p in this range only.
	out["p_value"] = min(max(out["p_value"].(float64), 1e-5), 0.4999)
	out["rho"] = math.Sqrt(rho2)
	return out
}

// mixtureBoundary is on the scale of sums: variance v, ρ_G = 1/ρ², a = v·ρ².
// The one-sided boundary there is the exact one, with the normal tail that
// MixtureRadiusOneSided bounds by one half.
func mixtureBoundary(in inputs) map[string]any {
	v, alpha := in.num("v"), in.num("alpha")
	oneSided := in.flag("is_one_sided")
	tuned := in.num("alpha_opt")
	if oneSided {
		tuned *= 2
	}
	a := v * MixtureRho2(tuned, in.num("v_opt"))
	logE := func(z float64) float64 {
		if oneSided {
			return MixtureLogE(a, z) + math.Log(2) + math.Log(math.Erfc(-z*math.Sqrt(a/(1+a))/math.Sqrt2)/2)
		}
		return MixtureLogE(a, z)
	}
	bound := MixtureRadius(a, alpha)
	if oneSided {
		bound = bisect(func(z float64) bool { return logE(z) >= -math.Log(alpha) }, 0, 2*bound)
	}
	return map[string]any{"bound": bound * math.Sqrt(v), "log_mixture_at_s": logE(2)}
}

// bisect finds where f turns from false to true.
func bisect(f func(float64) bool, low, high float64) float64 {
	for range 200 {
		middle := (low + high) / 2
		if f(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

func gavi(in inputs) map[string]any {
	var widths []float64
	rho2 := MixtureRho2(in.num("alpha"), in.num("n_tune"))
	for _, n := range in.nums("n") {
		widths = append(widths, MixtureRadius(n*rho2, in.num("alpha"))*math.Sqrt(in.num("var_increment")/n))
	}
	return map[string]any{"half_width": widths}
}

func unitMargin(in inputs) map[string]any {
	alpha := in.num("alpha")
	var mixture, lil []float64
	for _, n := range in.nums("t") {
		mixture = append(mixture, MixtureRadius(n*in.num("rho2"), alpha)/math.Sqrt(n))
		lil = append(lil, 1.7*math.Sqrt((math.Log(math.Log(2*n))+0.72*math.Log(10.4/alpha))/n))
	}
	return map[string]any{"margin": mixture, "lil_margin": lil}
}

// sequence evaluates intervals of a running mean after each observation; radius
// is in standard errors.
func sequence(in inputs, radius func(n, variance float64) float64) map[string]any {
	var lower, upper []float64
	var m Moments
	for _, x := range in.nums("x") {
		m = m.Merge(one(x))
		half := 0.0
		if m.N > 1 {
			n := float64(m.N)
			half = radius(n, m.M2/(n-1)) * math.Sqrt(m.M2/(n-1)/n)
		}
		lower, upper = append(lower, m.Mean-half), append(upper, m.Mean+half)
	}
	return map[string]any{"lower": at(lower, in.nums("at")), "upper": at(upper, in.nums("at"))}
}

func rawSequence(in inputs) map[string]any {
	rho2 := OptimalRho2(in.num("alpha"), in.num("t_opt"))
	return sequence(in, func(n, _ float64) float64 { return MixtureRadius(n*rho2, in.num("alpha")) })
}

// lyapunov mixes over the mean itself and not over standardised means, so the
// variance enters the information.
func lyapunov(in inputs) map[string]any {
	return sequence(in, func(n, variance float64) float64 {
		return MixtureRadius(n*variance*in.num("rho2"), in.num("alpha"))
	})
}

func rho2(in inputs) map[string]any {
	return map[string]any{
		"rho2_exact":  OptimalRho2(in.num("alpha"), in.num("t_opt")),
		"rho2_approx": MixtureRho2(in.num("alpha"), in.num("t_opt")),
	}
}

func widthRatio(in inputs) map[string]any {
	alpha := in.num("alpha")
	exact, approx := OptimalRho2(alpha, in.num("t_opt")), MixtureRho2(alpha, in.num("t_opt"))
	var ratioExact, ratioApprox []float64
	z := studentCritical(alpha/2, math.Inf(1))
	for _, n := range in.nums("n") {
		ratioExact = append(ratioExact, MixtureRadius(n*exact, alpha)/z)
		ratioApprox = append(ratioApprox, MixtureRadius(n*approx, alpha)/z)
	}
	return map[string]any{
		"rho2_exact": exact, "rho2_gbstats": approx, "ratio_exact": ratioExact, "ratio_gbstats": ratioApprox,
	}
}

// msprtNormal: pairs of observations with known sigma; a = n·τ²/(2σ²).
func msprtNormal(in inputs) map[string]any {
	x, y := in.nums("x"), in.nums("y")
	variance := 2 * in.num("sigma") * in.num("sigma")
	var lambda []float64
	sum := 0.0
	for i := range x {
		sum += y[i] - x[i]
		n := float64(i + 1)
		z := (sum/n - in.num("theta")) / math.Sqrt(variance/n)
		lambda = append(lambda, math.Exp(MixtureLogE(n*in.num("tau")*in.num("tau")/variance, z)))
	}
	return map[string]any{"lambda": at(lambda, in.nums("at")), "n_rejection": firstAbove(lambda, 1/in.num("alpha"))}
}

// firstAbove is the number of observations at which a process first exceeds a
// limit, or their number if it never does.
func firstAbove(process []float64, limit float64) int {
	i := sort.Search(len(process), func(i int) bool {
		for _, x := range process[:i+1] {
			if x > limit {
				return true
			}
		}
		return false
	})
	return min(i+1, len(process))
}
