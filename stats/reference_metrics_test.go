package stats

import "math"

// pairOfArms is what a metric type makes of a case's two arms. The baselines
// are the unadjusted means.
type pairOfArms struct {
	treatment, control   Moments
	baselineT, baselineC float64
	theta                any // of an adjusted metric, else nil
	// relative is the lift by the delta method.
	relative Estimate
}

// estimateOf is the effect that a case of the first reference asks for.
func estimateOf(in inputs) (Estimate, pairOfArms) {
	a := armsOf(in)
	if in.text("difference_type") == "relative" {
		return a.relative, a
	}
	return Welch(a.treatment, a.control), a
}

func armsOf(in inputs) pairOfArms {
	t, c := in.sub("treatment"), in.sub("control")
	switch metric := in.text("metric_type"); metric {
	case "mean":
		return plainArms(meanArm(t), meanArm(c))
	case "proportion":
		return plainArms(share(t.num("s"), t.num("n")), share(c.num("s"), c.num("n")))
	case "ratio":
		pick := func(side string) bool { return in.has(side) && in.text(side) == "proportion" }
		binary := []bool{pick("numerator_type"), pick("denominator_type")}
		return plainArms(ratioArm(t, binary).Ratio(), ratioArm(c, binary).Ratio())
	case "quantile", "quantile_clustered":
		return plainArms(quantileArm(t, metric), quantileArm(c, metric))
	case "cuped_mean", "cuped_proportion":
		return adjustedArms(covariateArm(t), covariateArm(c), meanOf, metric == "cuped_proportion")
	case "cuped_ratio":
		return adjustedArms(covariateRatioArm(t), covariateRatioArm(c), ratioOf, false)
	default:
		panic("metric type " + metric)
	}
}

func plainArms(t, c Moments) pairOfArms {
	return pairOfArms{treatment: t, control: c, baselineT: t.Mean, baselineC: c.Mean, relative: WelchDelta(t, c)}
}

func meanArm(in inputs) Moments {
	n := in.num("n")
	mean := in.num("s") / n
	return Moments{N: int64(n), Mean: mean, M2: in.num("ss") - in.num("s")*mean}
}

// jointOf makes a Joint of sums and sums of products.
func jointOf(n float64, sums []float64, products [][]float64) Joint {
	j := Joint{N: int64(n)}
	for i, s := range sums {
		j.Mean = append(j.Mean, s/n)
		row := make([]float64, len(sums))
		for k := range sums {
			row[k] = products[i][k] - s*sums[k]/n
		}
		j.Product = append(j.Product, row)
	}
	return j
}

// binaryProducts drops the n/(n−1) of pairs of binary columns, as the reference does.
func (j Joint) binaryProducts(binary []bool) Joint {
	for i := range binary {
		for k := range binary {
			if binary[i] && binary[k] {
				j.Product[i][k] *= float64(j.N-1) / float64(j.N)
			}
		}
	}
	return j
}

func ratioArm(in inputs, binary []bool) Joint {
	square := func(part string) float64 {
		if in.has(part + "ss") {
			return in.num(part + "ss")
		}
		return in.num(part + "s") // zeros and ones
	}
	return jointOf(in.num("n"), []float64{in.num("ms"), in.num("ds")},
		[][]float64{{square("m"), in.num("md")}, {in.num("md"), square("d")}}).binaryProducts(binary)
}

// quantileArm: bounds at n_star observations, rescaled to n; clustered ones by
// the design effect of the indicator (Deng, Knoblich & Lu 2018).
func quantileArm(in inputs, metric string) Moments {
	n, nu := in.num("n"), in.num("nu")
	z := studentCritical(0.025, math.Inf(1))
	half := (in.num("quantile_upper") - in.num("quantile_lower")) / (2 * z)
	variance := half * half * in.num("n_star") / n * (n - 1)
	if metric == "quantile_clustered" {
		below := jointOf(in.num("n_clusters"), []float64{in.num("main_sum"), in.num("denominator_sum")},
			[][]float64{
				{in.num("main_sum_squares"), in.num("main_denominator_sum_product")},
				{in.num("main_denominator_sum_product"), in.num("denominator_sum_squares")},
			}).Ratio()
		variance *= below.squaredError() / (nu * (1 - nu) / n)
	}
	return Moments{N: int64(n), Mean: in.num("quantile_hat"), M2: variance * (n - 1)}
}

// covariateArm has the outcome in column 0 and its covariate in column 1.
func covariateArm(in inputs) Joint {
	return jointOf(in.num("n"), []float64{in.num("ys"), in.num("xs")},
		[][]float64{{in.num("yss"), in.num("xy")}, {in.num("xy"), in.num("xss")}})
}

// covariateRatioArm: numerator, denominator, then the same before the experiment.
func covariateRatioArm(in inputs) Joint {
	names := [][]string{
		{"mYY", "mYdY", "mYmX", "mYdX"},
		{"mYdY", "dYY", "mXdY", "dYdX"},
		{"mYmX", "mXdY", "mXX", "mXdX"},
		{"mYdX", "dYdX", "mXdX", "dXX"},
	}
	products := make([][]float64, 4)
	for i, row := range names {
		for _, name := range row {
			products[i] = append(products[i], in.num(name))
		}
	}
	return jointOf(in.num("n"), []float64{in.num("mY"), in.num("dY"), in.num("mX"), in.num("dX")}, products)
}

// meanOf and ratioOf are the outcome of a Joint's first columns: value and gradient.
func meanOf(mean []float64) (float64, []float64) { return mean[0], []float64{1} }

func ratioOf(mean []float64) (float64, []float64) {
	r := mean[0] / mean[1]
	return r, []float64{1 / mean[1], -r / mean[1]}
}

// adjustedArms subtracts θ times the covariate, which is the outcome's function
// of the second half of the columns. θ is the slope of both arms together.
func adjustedArms(t, c Joint, outcome func([]float64) (float64, []float64), binary bool) pairOfArms {
	half := len(t.Mean) / 2
	covariance := func(j Joint, a, b []float64) float64 {
		return cross(j, a, b) / float64(j.N-1)
	}
	type split struct {
		y, x   float64
		gy, gx []float64
	}
	parts := func(j Joint) split {
		y, gy := outcome(j.Mean[:half])
		x, gx := outcome(j.Mean[half:])
		return split{y, x, pad(gy, 0, 2*half), pad(gx, half, 2*half)}
	}
	pt, pc := parts(t), parts(c)
	var theta float64
	if half == 1 {
		both := mergeJoint(t, c)
		p := parts(both)
		theta = covariance(both, p.gy, p.gx) / covariance(both, p.gx, p.gx)
	} else {
		theta = (covariance(t, pt.gy, pt.gx) + covariance(c, pc.gy, pc.gx)) /
			(covariance(t, pt.gx, pt.gx) + covariance(c, pc.gx, pc.gx))
	}
	if binary {
		t, c = t.binaryProducts([]bool{true, true}), c.binaryProducts([]bool{true, true})
	}
	adjusted := func(j Joint, p split, scale float64) Moments {
		gradient := make([]float64, 2*half)
		for i := range gradient {
			gradient[i] = scale*p.gy[i] - theta*p.gx[i]
		}
		return j.Linearise(p.y-theta*p.x, gradient)
	}
	out := pairOfArms{treatment: adjusted(t, pt, 1), control: adjusted(c, pc, 1), baselineT: pt.y, baselineC: pc.y, theta: theta}
	// Relative to the unadjusted control mean, whose noise scales the outcome's part.
	absolute := Welch(out.treatment, out.control)
	scale := pt.y / pc.y
	if half == 2 {
		scale = 1 + absolute.Value/pc.y
	}
	vC := adjusted(c, pc, scale).squaredError()
	out.relative = Estimate{
		Value:    absolute.Value / math.Abs(pc.y),
		StdError: math.Sqrt(out.treatment.squaredError()+vC) / math.Abs(pc.y),
		DoF:      absolute.DoF,
	}
	return out
}

func pad(g []float64, from, length int) []float64 {
	out := make([]float64, length)
	copy(out[from:], g)
	return out
}

func cross(j Joint, a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		for k := range b {
			sum += a[i] * b[k] * j.Product[i][k]
		}
	}
	return sum
}

// mergeJoint is Chan's formula for two columns or more.
func mergeJoint(a, b Joint) Joint {
	n := a.N + b.N
	share := float64(b.N) / float64(n)
	out := Joint{N: n}
	for i := range a.Mean {
		di := b.Mean[i] - a.Mean[i]
		out.Mean = append(out.Mean, a.Mean[i]+di*share)
		var row []float64
		for k := range a.Mean {
			row = append(row, a.Product[i][k]+b.Product[i][k]+di*(b.Mean[k]-a.Mean[k])*float64(a.N)*share)
		}
		out.Product = append(out.Product, row)
	}
	return out
}
