package stats

import "math"

// splitMethods are tests of the arms' shares.
func splitMethods() map[string]answers {
	return map[string]answers{
		"SRM chi-square goodness of fit":                                                                     srmChiSquare,
		"chi-square and G goodness of fit (SRM)":                                                             goodnessOfFit,
		"sequential SRM test (Dirichlet-multinomial Bayes factor; Lindon & Malek)":                           sequentialSRM,
		"sequential multinomial / Poisson-process test p-value 1/odds (Lindon & Malek), Dirichlet(k theta0)": sequentialMultinomial,
	}
}

func srmChiSquare(in inputs) map[string]any {
	return map[string]any{"p_value": SampleRatio(in.counts("counts"), in.nums("weights")).ChiSquareP}
}

func goodnessOfFit(in inputs) map[string]any {
	s := SampleRatio(in.counts("observed"), in.nums("weights"))
	var g, total float64
	for _, n := range s.Counts {
		total += float64(n)
	}
	for i, n := range s.Counts {
		if n > 0 {
			g += 2 * float64(n) * math.Log(float64(n)/(total*s.Shares[i]))
		}
	}
	return map[string]any{
		"chi2": s.ChiSquare, "p_value": s.ChiSquareP,
		"g": g, "g_p_value": chiSquareUpper(g, len(s.Counts)-1),
	}
}

// cumulative Bayes factors after each row of increments.
func bayesFactors(rows any, shares, base []float64, concentration float64) []float64 {
	var out, prior []float64
	for _, p := range base {
		prior = append(prior, concentration*p)
	}
	total := make([]int64, len(shares))
	for _, row := range rows.([]any) {
		for i, n := range toCounts(row) {
			total[i] += n
		}
		out = append(out, LogMultinomialBF(total, shares, prior))
	}
	return out
}

// runningP is the least 1/BF so far, as the reference reports it. The engine
// judges by the current one.
func runningP(logBFs []float64) []float64 {
	p := 1.0
	var out []float64
	for _, bf := range logBFs {
		p = math.Min(p, math.Exp(-bf))
		out = append(out, p)
	}
	return out
}

func sequentialSRM(in inputs) map[string]any {
	bf := bayesFactors(in["counts"], in.nums("null_probabilities"), in.nums("dirichlet_probability"), in.num("dirichlet_concentration"))
	var posterior []float64
	for _, x := range bf {
		posterior = append(posterior, 1/(1+math.Exp(-x)))
	}
	return map[string]any{"log_bayes_factors": bf, "p_values": runningP(bf), "posterior_probability": posterior}
}

func sequentialMultinomial(in inputs) map[string]any {
	return map[string]any{"p_values": runningP(bayesFactors(in["increments"], in.nums("theta0"), in.nums("theta0"), in.num("k")))}
}
