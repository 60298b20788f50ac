package stats

import (
	"math"

	"github.com/assay-dev/assay/stats/design"
	"github.com/assay-dev/assay/stats/yardstick"
)

// designMethods are group-sequential designs and planning.
func designMethods() map[string]answers {
	return map[string]answers{
		"Lan-DeMets alpha spending, O'Brien-Fleming-type: side*2(1-Phi(z_{1-a/(2 side)}/sqrt t))":                                                         spendingBounds,
		"Lan-DeMets alpha spending, Pocock-type: a ln(1+(e-1)t)":                                                                                          spendingBounds,
		"power-family (Kim-DeMets) spending a t^gamma":                                                                                                    spendingBounds,
		"Hwang-Shih-DeCani spending a(1-exp(-g t))/(1-exp(-g))":                                                                                           spendingBounds,
		"group-sequential power family (rho=2) bounds as used by Spotify Confidence":                                                                      spendingBounds,
		"classical O'Brien-Fleming / Pocock boundary (equally spaced; Jennison & Turnbull tables 2.1, 2.3)":                                               classicalBounds,
		"group-sequential max sample-size inflation factor and average sample number relative to fixed design":                                            designCharacter,
		"power and expected sample size of a 5-look two-sided asOF design":                                                                                designPower,
		"fixed sample size for a difference in means":                                                                                                     sizeMeans,
		"fixed sample size for two proportions (pooled H0 variance; n1 treatment)":                                                                        sizeRates,
		"non-inferiority sample size, difference in means, margin 0.1":                                                                                    sizeNonInferiorMeans,
		"non-inferiority sample size, difference in rates, margin 0.02 (Farrington-Manning)":                                                              sizeNonInferiorRates,
		"noncentral-t power / sample size":                                                                                                                studentPower,
		"sample size of group 1 for 80% power (t: noncentral t; z: normal); n2 = n1*ratio":                                                                sizeGroup1,
		"power and MDE at a given n":                                                                                                                      powerAndMDE,
		"sample size and power for two proportions (pooled variance under H0); Cohen h effect size":                                                       sizeProportions,
		"power at the current n and extra users needed for 80% power at target relative MDE":                                                              powerMidway,
		"sequential sample-size multiplier, last-point rule (single look at the end against the CS threshold): k such that Phi(th sqrt k - B(k)) = power": lastPoint,
	}
}

func spendingOf(in inputs) design.Spending {
	gamma := 0.0
	if in.has("gamma") {
		gamma = in.num("gamma")
	}
	switch name := in.text("spending"); name {
	case "asOF":
		return design.OBrienFleming()
	case "asP":
		return design.Pocock()
	case "asKD":
		return design.PowerFamily(gamma)
	case "asHSD":
		return design.HwangShihDeCani(gamma)
	default:
		panic("spending " + name)
	}
}

func sidesOf(in inputs, otherwise design.Sides) design.Sides {
	if in.has("sided") {
		return design.Sides(in.num("sided"))
	}
	return otherwise
}

// spendingBounds: the file has the boundaries of up to three packages, of which one
// computes on a coarse grid.
func spendingBounds(in inputs) map[string]any {
	d, err := design.New(spendingOf(in), in.num("alpha"), sidesOf(in, design.TwoSided), in.nums("information_rates"))
	if err != nil {
		panic(err)
	}
	var levels []float64
	for _, z := range d.Z {
		levels = append(levels, math.Erfc(z/math.Sqrt2)/2)
	}
	return map[string]any{
		"critical_values": d.Z, "stage_levels_one_sided": levels, "alpha_spent": d.Spent,
		"gsdesign_critical_values": d.Z,
		"ldbounds_critical_values": yardstick.LanDeMets(d.Times, d.Spent, d.Sides == design.TwoSided),
	}
}

func classicalBounds(in inputs) map[string]any {
	shape := map[string]float64{"OF": design.ShapeOBrienFleming, "P": design.ShapePocock}[in.text("type")]
	d, err := design.Classical(shape, in.num("alpha"), sidesOf(in, design.TwoSided), int(in.num("k")))
	if err != nil {
		panic(err)
	}
	return map[string]any{"critical_values": d.Z}
}

func equalDesign(in inputs, sides design.Sides) design.Design {
	d, err := design.New(spendingOf(in), in.num("alpha"), sides, design.Equal(int(in.num("k"))))
	if err != nil {
		panic(err)
	}
	return d
}

// designCharacter: expected sizes are relative to that of one look, which is 1/Inflation of
// the maximum; "h01" is half the effect.
func designCharacter(in inputs) map[string]any {
	d := equalDesign(in, sidesOf(in, design.OneSided))
	power := 1 - in.num("beta")
	drift, inflation := d.Drift(power), d.Inflation(power)
	full := d.At(drift)
	var cumulative []float64
	sum := 0.0
	for _, p := range full.Reject {
		sum += p
		cumulative = append(cumulative, sum)
	}
	return map[string]any{
		"inflation_factor": inflation, "gsdesign_inflation": inflation, "shift": drift * drift,
		"asn_h1": full.Expected * inflation, "asn_h01": d.At(drift/2).Expected * inflation, "asn_h0": d.At(0).Expected * inflation,
		"power": cumulative, "reject_prob": full.Reject,
	}
}

func designPower(in inputs) map[string]any {
	d := equalDesign(in, sidesOf(in, design.TwoSided))
	n := in.num("n_max_total")
	c := d.At(in.num("delta") / in.num("sd") * math.Sqrt(n/4))
	return map[string]any{"power": c.Power, "expected_n": c.Expected * n, "reject_per_stage": c.Reject}
}

func testOf(in inputs, sides design.Sides, student bool) design.Test {
	return design.Test{Alpha: in.num("alpha"), Sides: sidesOf(in, sides), Student: student}
}

// ratioOf12 is n2/n1 of a case that may give n1/n2 as its allocation.
func controlsPerTreated(in inputs) float64 {
	if in.has("allocation") {
		return 1 / in.num("allocation")
	}
	return 1
}

func sizeMeans(in inputs) map[string]any {
	r := controlsPerTreated(in)
	z := testOf(in, design.TwoSided, false).Means(in.num("delta"), in.num("sd"), in.num("sd"), in.num("power"), r)
	t := testOf(in, design.TwoSided, true).Size(in.num("delta")/in.num("sd"), in.num("power"), r)
	return map[string]any{"n_total_z": z.Total(), "n_total_t": t * (1 + r)}
}

func sizeRates(in inputs) map[string]any {
	t := testOf(in, design.TwoSided, false)
	size := func(ratio float64) float64 {
		return t.Proportions(in.num("p1"), in.num("p2"), in.num("power"), ratio).Total()
	}
	return map[string]any{"n_total": size(controlsPerTreated(in)), "n_total_1to9": size(9)}
}

func sizeNonInferiorMeans(in inputs) map[string]any {
	t := testOf(in, design.OneSided, false)
	n := t.NonInferiorMeans(in.num("true_diff"), -in.num("margin"), in.num("sd"), in.num("sd"), in.num("power"), controlsPerTreated(in))
	return map[string]any{"n_total": n.Total()}
}

func sizeNonInferiorRates(in inputs) map[string]any {
	t := testOf(in, design.OneSided, false)
	n := t.NonInferiorProportions(in.num("p1"), in.num("p2"), -in.num("margin"), in.num("power"), controlsPerTreated(in))
	return map[string]any{"n_total": n.Total()}
}

// studentPower: sizes and proportions that are not inputs are in the names of the outputs and
// in the file's only case: 1000 per arm; 5000 and 500; 11 % against 10 % by Cohen's h.
func studentPower(in inputs) map[string]any {
	t := testOf(in, design.TwoSided, true)
	d, power := in.num("d"), in.num("power")
	normal := t
	normal.Student = false
	return map[string]any{
		"n_per_arm": t.Size(d, power, 1), "power_n1000": t.Power(d, 1000, 1000),
		"n1_5000_n2_500_power": t.Power(d, 5000, 500), "n_2p": normal.Size(design.CohenH(0.11, 0.10), power, 1),
	}
}

// alternative turns a smaller-than test round.
func alternative(in inputs, student bool) (t design.Test, d float64) {
	t, d = testOf(in, design.TwoSided, student), in.num("effect_size")
	if in.has("alternative") {
		switch in.text("alternative") {
		case "larger":
			t.Sides = design.OneSided
		case "smaller":
			t.Sides, d = design.OneSided, -d
		}
	}
	return t, d
}

func sizeGroup1(in inputs) map[string]any {
	size := func(student bool) float64 {
		t, d := alternative(in, student)
		return t.Size(d, in.num("power"), in.num("ratio_n2_over_n1"))
	}
	return map[string]any{"n1_t": size(true), "n1_z": size(false)}
}

func powerAndMDE(in inputs) map[string]any {
	n1 := in.num("n1")
	n2 := n1 * in.num("ratio_n2_over_n1")
	t, d := alternative(in, true)
	z, _ := alternative(in, false)
	return map[string]any{
		"power_t": t.Power(d, n1, n2), "power_z": z.Power(d, n1, n2),
		"mde_t_80": t.Detectable(n1, n2, 0.8), "mde_z_80": z.Detectable(n1, n2, 0.8),
	}
}

func sizeProportions(in inputs) map[string]any {
	t := design.Test{Alpha: in.num("alpha_two_sided"), Sides: design.TwoSided}
	p0, power := in.num("baseline"), in.num("power")
	p1, h := p0+in.num("diff"), design.CohenH(p0+in.num("diff"), p0)
	return map[string]any{
		"n_per_arm":      t.Proportions(p1, p0, power, 1).Treatment,
		"power_at_10000": t.ProportionsPower(p1, p0, design.Sizes{Treatment: in.num("nobs1"), Control: in.num("nobs1")}),
		"cohen_h":        h, "n_cohen_h": t.Size(h, power, 1),
	}
}

func powerMidway(in inputs) map[string]any {
	e, arms := estimateOf(in)
	alpha, n := in.num("alpha"), float64(arms.treatment.N+arms.control.N)
	critical := func(float64) float64 { return studentCritical(alpha/2, math.Inf(1)) }
	if in.flag("sequential") {
		rho2 := MixtureRho2(alpha, in.num("sequential_tuning_parameter"))
		critical = func(units float64) float64 { return MixtureRadius(rho2*units, alpha) }
	}
	m := design.Needed(in.num("target_mde"), e.StdError, n, in.num("target_power"), critical)
	return map[string]any{
		"power_now": m.Power, "power_at_double": m.Double, "scaling_factor": m.Factor, "additional_users": m.Units,
	}
}

// lastPoint is in units of the size of one look.
func lastPoint(in inputs) map[string]any {
	alpha, beta := in.num("alpha"), in.num("beta")
	rho2 := MixtureRho2(alpha, in.num("tuned_at"))
	m := design.Monitor{Sides: design.TwoSided, Boundary: func(n float64) float64 { return MixtureRadius(n*rho2, alpha) }}
	signal := studentCritical(alpha/2, math.Inf(1)) + studentCritical(beta, math.Inf(1))
	return map[string]any{"multiplier": m.LastPoint(signal, 1-beta)}
}
