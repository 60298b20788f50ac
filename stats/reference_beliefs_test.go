package stats

import "math"

// beliefMethods are posteriors, and always-valid tests of small samples.
func beliefMethods() map[string]answers {
	return map[string]answers{
		"Gaussian effect posterior: chance to win, credible interval, risk [control, treatment]": posterior,
		"anytime-valid t and z radius multipliers (times the standard error)":                    radii,
		"anytime-valid t-test log Bayes factor":                                                  studentBF,
	}
}

func posterior(in inputs) map[string]any {
	e, arms := estimateOf(in)
	given := in.sub("prior")
	var prior *Prior
	if given.flag("proper") {
		prior = &Prior{given.num("mean"), math.Sqrt(given.num("variance"))}
		if in.text("difference_type") == "absolute" && given.text("scale") == "relative" {
			prior = &Prior{prior.Mean * math.Abs(arms.baselineC), prior.SD * math.Abs(arms.baselineC)}
		}
	}
	p := e.Posterior(prior)
	better := p.Better()
	keep, ship := p.Risk()
	if in.flag("inverse") { // a decrease is good
		better, keep, ship = 1-better, ship, keep
	}
	return map[string]any{
		"posterior_mean": p.Mean, "posterior_sd": p.SD, "chance_to_win": better,
		"ci": p.Credible(in.num("alpha")), "risk": []float64{keep, ship}, "error": nil,
	}
}

func radii(in inputs) map[string]any {
	a, nu := in.num("n")/in.num("g"), in.num("n")-in.num("number_of_coefficients")
	return map[string]any{
		"t_radius":  StudentMixtureRadius(a, in.num("alpha"), nu),
		"z_radius":  MixtureRadius(a, in.num("alpha")),
		"p_t_at_t3": math.Min(1, math.Exp(-StudentMixtureLogE(a, 3, nu))),
	}
}

func studentBF(in inputs) map[string]any {
	return map[string]any{
		"log_bf": StudentMixtureLogE(in.num("z2")/in.num("phi"), math.Sqrt(in.num("t2")), in.num("nu")),
	}
}
