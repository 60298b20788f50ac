package yardstick

import (
	"testing"

	"github.com/assay-dev/assay/internal/contract"
)

func sequenceArea() contract.Area {
	return contract.Area{Dir: ".", Functions: map[string]any{
		"TunedRho": TunedRho, "NewBetaBinomial": NewBetaBinomial, "NewGammaExponential": NewGammaExponential, "NewGammaPoisson": NewGammaPoisson,
		"BetaBinomial.LogE": BetaBinomial.LogE, "BetaBinomial.Boundary": BetaBinomial.Boundary,
		"GammaExponential.LogE": GammaExponential.LogE, "GammaExponential.Boundary": GammaExponential.Boundary,
		"GammaPoisson.LogE": GammaPoisson.LogE, "GammaPoisson.Boundary": GammaPoisson.Boundary,
		"Stitching.Boundary": Stitching.Boundary, "DoubleStitching.Boundary": DoubleStitching.Boundary, "EmpiricalBand": EmpiricalBand,
		"Betting.Wealth": Betting.Wealth,
		"Betting.Sequence": func(b Betting, x []float64, cells int) []Bounds {
			if cells <= mostCells {
				cells %= 100
			}
			return b.Sequence(x, cells)
		},
		"PredictableHoeffding": PredictableHoeffding, "PredictableBernstein": PredictableBernstein, "ConjugateBernstein": ConjugateBernstein,
		"QuantileTest.PValue": QuantileTest.PValue, "QuantileTest.Sequence": QuantileTest.Sequence, "SafeTest.LogE": SafeTest.LogE,
		"SPRT.Thresholds": SPRT.Thresholds, "SPRT.NormalASN": SPRT.NormalASN, "SPRT.BernoulliASN": SPRT.BernoulliASN,
		"MSPRTVariance": MSPRTVariance, "MSPRTBernoulli": repeated(MSPRTBernoulli), "StatsigCritical": StatsigCritical, "LanDeMets": LanDeMets,
		"PageHinkley.Add": func(p PageHinkley, x []float64) bool {
			changed := false
			for range 20 {
				for _, v := range x {
					changed = p.Add(v)
				}
			}
			return changed
		},
		"Adwin.Add": func(delta float64, x []float64) bool {
			a := filled(delta, x)
			return a.Add(1)
		},
		"Adwin.Mean":  func(delta float64, x []float64) float64 { return filled(delta, x).Mean() },
		"Adwin.Width": func(delta float64, x []float64) int { return filled(delta, x).Width() },
	}}
}

// repeated passes the burn-in.
func repeated(f func(x, y []float64, tau, theta float64) []float64) func(x, y []float64, tau, theta float64) []float64 {
	return func(x, y []float64, tau, theta float64) []float64 {
		for range 6 {
			x, y = append(x, x...), append(y, y...)
		}
		return f(x, y, tau, theta)
	}
}

func filled(delta float64, x []float64) *Adwin {
	a := &Adwin{Delta: delta}
	for range 40 {
		for _, v := range x {
			a.Add(v)
		}
	}
	return a
}

func oneLookArea() contract.Area {
	return contract.Area{Dir: ".", Functions: map[string]any{
		"Share.Wald": Share.Wald, "Share.AgrestiCoull": Share.AgrestiCoull, "Share.ClopperPearson": Share.ClopperPearson,
		"Share.Jeffreys": Share.Jeffreys, "Share.BinomialP": Share.BinomialP, "Rates": Rates,
		"PooledZ": PooledZ, "AgrestiCaffo": AgrestiCaffo, "RatioLog": RatioLog, "OddsRatioLogit": OddsRatioLogit, "OddsRatioScore": OddsRatioScore,
		"PooledSlope": func(t, c Sums, alpha float64, fit bool) Test {
			if fit {
				t, c = fitted(t), fitted(c)
			}
			return PooledSlope(t, c, alpha)
		},
		"PostStratified": PostStratified,
	}}
}

// fitted has two covariates.
func fitted(s Sums) Sums {
	pad := func(x []float64) []float64 { return append(append([]float64(nil), x...), 1, 2)[:2] }
	s.X, s.XY = pad(s.X), pad(s.XY)
	s.XX = append(append([][]float64(nil), s.XX...), []float64{3, 1}, []float64{1, 4})[:2]
	for i := range s.XX {
		s.XX[i] = pad(s.XX[i])
	}
	return s
}

func FuzzSequences(f *testing.F) { sequenceArea().Fuzz(f) }
func FuzzOneLook(f *testing.F)   { oneLookArea().Fuzz(f) }

func TestEveryFunctionIsFuzzed(t *testing.T) {
	missing, err := contract.Missing(sequenceArea(), oneLookArea())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range missing {
		t.Error(m)
	}
}

// TestDocumentation: every function says where it comes from and what becomes of
// arguments that have no answer.
func TestDocumentation(t *testing.T) {
	contract.TestDocumentation(t, ".", nil)
}
