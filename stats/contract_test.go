package stats

import (
	"testing"

	"github.com/assay-dev/assay/internal/contract"
)

// What the package promises of every exported function is held against arguments that
// nobody would give: internal/contract says what.

func area(functions map[string]any) contract.Area {
	return contract.Area{
		Dir: ".", Rules: contract.Rules{NoNaN: true}, Functions: functions,
		Words: []string{
			string(Bonferroni), string(Sidak), string(Holm), string(HolmSidak), string(Hochberg), string(Hommel),
			string(BenjaminiHochberg), string(BenjaminiYekutieli), string(Classic), string(HC0), string(HC1), string(HC2), string(HC3),
		},
	}
}

// sumsArea are the functions that make moments of sums, and adjust them.
func sumsArea() contract.Area {
	return area(map[string]any{
		"FromSums": FromSums, "JointFromSums": JointFromSums, "Moments.Merge": Moments.Merge, "Moments.Variance": Moments.Variance,
		"Joint.Linearise": Joint.Linearise, "Joint.Merge": square2(Joint.Merge), "Joint.Ratio": Joint.Ratio, "Joint.Ratios": Joint.Ratios,
		"Adjust": square2(Adjust), "AdjustRatio": square2(AdjustRatio), "LinEffect": square2(LinEffect), "DaySlope": DaySlope,
	})
}

// square2 makes both arms fit together when told so: lists of random lengths hardly ever do.
func square2[R any](f func(t, c Joint) R) func(t, c Joint, fit bool) R {
	return func(t, c Joint, fit bool) R {
		if fit {
			t, c = square(t, 4), square(c, 4)
		}
		return f(t, c)
	}
}

// square cuts and fills the lists so that there are k means and k² products.
func square(j Joint, k int) Joint {
	out := flat(j.N, j.NonZero, k, 1)
	copy(out.Mean, j.Mean)
	for i, row := range j.Product {
		if i < k {
			copy(out.Product[i], row)
		}
	}
	for i := range k {
		for l := range i {
			out.Product[i][l] = out.Product[l][i]
		}
	}
	return out
}

// rowsArea are the functions of rows, quantiles and segments.
func rowsArea() contract.Area {
	return area(map[string]any{
		"Regress": Regress, "RegressEffect": RegressEffect,
		"Regression.Coefficient": func(y []float64, treated []bool, covariates [][]float64, slopes Interact, i int, errors Errors, fit bool) Estimate {
			for k := range covariates {
				if fit {
					covariates[k] = append(covariates[k], y...)[:len(y)]
				}
			}
			if fit {
				treated = append(treated, make([]bool, len(y))...)[:len(y)]
			}
			return RegressEffect(y, treated, covariates, slopes).Coefficient(i&3, errors)
		},
		"QuantileRanks": QuantileRanks, "ExactQuantileRanks": ExactQuantileRanks,
		"Quantile.Estimate": Quantile.Estimate, "Quantile.DesignEffect": Quantile.DesignEffect,
		"ShiftAt": ShiftAt, "EffectSlope": EffectSlope, "Heterogeneous": Heterogeneous, "Tau2REML": Tau2REML,
		"CombineRuns": CombineRuns,
		"OptimalG":    OptimalG, "Estimate.AnytimeStudent": Estimate.AnytimeStudent,
		"StudentMixtureLogE": StudentMixtureLogE, "StudentMixtureRadius": StudentMixtureRadius,
	})
}

// pairsArea are the functions of a pair of arms and of estimates.
func pairsArea() contract.Area {
	return area(map[string]any{
		"Combine": Combine, "Welch": Welch, "WelchDelta": WelchDelta,
		"Arm.Estimate":      func(s []Stratum) Estimate { return Combine(s).Treatment.Estimate() },
		"Pair.Difference":   func(s []Stratum) float64 { return Combine(s).Difference() },
		"Pair.Fixed":        func(s []Stratum, alpha float64) Result { return Combine(s).Fixed(alpha) },
		"Pair.Sequential":   func(s []Stratum, p Plan) Result { return Combine(s).Sequential(p) },
		"Pair.SequentialAt": func(s []Stratum, p Plan, level float64) Result { return Combine(s).SequentialAt(p, level) },
		"Pair.TestHarm": func(s []Stratum, m Margin, d bool, p Plan) Decision {
			return Combine(s).TestHarm(m, direction(d), p)
		},
		"Pair.TestNonInferior": func(s []Stratum, m Margin, d bool, p Plan) Decision {
			return Combine(s).TestNonInferior(m, direction(d), p)
		},
		"Pair.Gate":          func(s []Stratum, share float64, binary bool) GateResult { return Combine(s).Gate(share, binary) },
		"Result.Implausible": Result.Implausible,
		"FiellerLift":        FiellerLift, "FiellerG": FiellerG,
		"Estimate.Student": Estimate.Student, "Estimate.AlwaysValid": Estimate.AlwaysValid, "Estimate.StudentAbove": Estimate.StudentAbove,
		"Estimate.AlwaysValidAbove": Estimate.AlwaysValidAbove, "Estimate.Negated": Estimate.Negated, "Estimate.Minus": Estimate.Minus,
		"Estimate.Posterior": Estimate.Posterior, "Posterior.Better": Posterior.Better, "Posterior.Credible": Posterior.Credible,
		"Posterior.Risk": Posterior.Risk, "Interval.Contains": Interval.Contains,
	})
}

func direction(increase bool) Direction {
	if increase {
		return IncreaseIsGood
	}
	return DecreaseIsGood
}

// countsArea are the functions of counts, shares, mixtures and families.
func countsArea() contract.Area {
	return area(map[string]any{
		"CompareCounts": CompareCounts, "SampleRatio": SampleRatio, "LogMultinomialBF": LogMultinomialBF, "SRMThreshold": SRMThreshold, "SplitExactP": SplitExactP, "BinomialAbove": BinomialAbove, "SRM.Trivial": SRM.Trivial,
		"TestCountHarm": func(phases []CountPhase, m Margin, d bool, p CountPlan) CountDecision {
			m.Relative = true
			return TestCountHarm(phases, m, direction(d), p)
		},
		"TestCountNonInferior": func(phases []CountPhase, m Margin, d bool, p CountPlan) CountDecision {
			m.Relative = true
			return TestCountNonInferior(phases, m, direction(d), p)
		},
		"Share.Wilson": Share.Wilson, "Share.Sequence": Share.Sequence, "Share.Exceeds": Share.Exceeds, "NewcombeDifference": NewcombeDifference,
		"ScoreDifference": ScoreDifference, "ScoreRatio": ScoreRatio, "DifferenceScore": DifferenceScore, "RatioScore": RatioScore,
		"MixtureLogE": MixtureLogE, "MixtureP": MixtureP, "MixturePOneSided": MixturePOneSided, "MixtureRadius": MixtureRadius,
		"MixtureRadiusOneSided": MixtureRadiusOneSided, "MixtureRho2": MixtureRho2, "OptimalRho2": OptimalRho2,
		"GrowthP": GrowthP, "GrowthRadius": GrowthRadius,
		"Correction.Adjust": Correction.Adjust, "Correction.Agrees": Correction.Agrees, "EBH": EBH,
		"Family.Judge": Family.Judge, "Judged.Interval": Judged.Interval, "Preferential": Preferential,
	})
}

func FuzzSums(f *testing.F)     { sumsArea().Fuzz(f) }
func FuzzRows(f *testing.F)     { rowsArea().Fuzz(f) }
func FuzzPairs(f *testing.F)    { pairsArea().Fuzz(f) }
func FuzzFamilies(f *testing.F) { countsArea().Fuzz(f) }

func TestEveryFunctionIsFuzzed(t *testing.T) {
	missing, err := contract.Missing(sumsArea(), rowsArea(), pairsArea(), countsArea())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range missing {
		t.Error(m)
	}
}

// TestDocumentation: every function that computes a statistic says where it comes from
// and what becomes of arguments that have no answer.
func TestDocumentation(t *testing.T) {
	contract.TestDocumentation(t, ".", []string{
		"Correction.Agrees", "Estimate.Minus", "Estimate.Negated", "Interval.Contains", "Pair.Gate",
	})
}
