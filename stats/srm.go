package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// SRMConcentration is the Dirichlet prior's weight in pseudo-units: it detects
// deviations of about half a percentage point fastest.
const SRMConcentration = 10_000

// SRM is the sample-ratio test of one phase: do the arms have the intended
// shares? A broken split invalidates every other number of the phase.
type SRM struct {
	Counts     []int64
	Shares     []float64 // normalised to sum to one
	LogBF      float64   // log Bayes factor of "the shares are wrong" against "they are as intended"
	P          float64   // min(1, 1/BF): valid at every look
	ChiSquare  float64   // Σ(observed−expected)²/expected, for display
	ChiSquareP float64   // valid at one look only; peeking at it alarms too often
	// Missing is the least part of an arm's units whose loss explains the counts,
	// 1 − min(count/share)/max(count/share): how much is at stake, while P says how
	// sure it is.
	Missing  float64
	Leaked   int64 // units in arms that have no share
	Warnings []Warning
}

// SRMTrivial is the part of an arm's units that may be missing before it matters. Were
// those units another standard deviation away from the rest, the arm's mean would move
// by 0.002 standard deviations, which takes four million units to be seen.
const SRMTrivial = 0.002

// Trivial tells whether the split is shown to be wrong (Lindon & Malek 2022) by less
// than matters: with enough units every split is. It is false without units.
func (s SRM) Trivial(threshold float64) bool { return s.P < threshold && s.Missing <= SRMTrivial }

// SampleRatio tests counts against intended shares (any positive scale).
//
// The Bayes factor compares a Dirichlet(c·shares) mixture of multinomials with
// the intended one (Lindon & Malek 2022); 1/BF is a p-value at every look. An
// arm whose share is zero takes no part; units seen there are a warning, since
// caches make stragglers. Without a unit, or with shares that are not shares,
// P and ChiSquareP are 1.
func SampleRatio(counts []int64, shares []float64) SRM {
	s := SRM{Counts: counts, Shares: make([]float64, len(shares)), P: 1, ChiSquareP: 1}
	total, ok := s.normalise(counts, shares)
	if !ok || total == 0 {
		return s
	}
	prior := make([]float64, len(s.Shares))
	for i, share := range s.Shares {
		prior[i] = SRMConcentration * share
	}
	s.LogBF = LogMultinomialBF(counts, s.Shares, prior)
	s.P = math.Min(1, math.Exp(-s.LogBF))
	s.chiSquare(float64(total))
	s.missing()
	return s
}

// normalise fills in the shares and counts the units of the arms that have one.
func (s *SRM) normalise(counts []int64, shares []float64) (units int64, ok bool) {
	var sum float64
	valid := len(counts) == len(shares)
	for i, share := range shares {
		valid = valid && share >= 0 && !math.IsInf(share, 1) && counts[i] >= 0 && counts[i] <= 1<<53
		sum += share
	}
	if !valid || !(sum > 0) || math.IsInf(sum, 1) {
		s.Warnings = append(s.Warnings, Warning{InvalidPlan, "the sample-ratio test needs one count and one share per arm, none negative and no count beyond 2⁵³"})
		return 0, false
	}
	for i, share := range shares {
		s.Shares[i] = share / sum
		if s.Shares[i] > 0 {
			units += counts[i]
		} else if counts[i] > 0 {
			s.Leaked += counts[i]
			s.Warnings = append(s.Warnings, Warning{UnplannedArm, fmt.Sprintf(
				"%d units in arm %d, which has no share", counts[i], i+1)})
		}
	}
	if units == 0 {
		s.Warnings = append(s.Warnings, Warning{NoBasis, "no units yet: the split cannot be judged"})
	}
	return units, true
}

// chiSquare is Pearson's test over the arms that have a share.
func (s *SRM) chiSquare(total float64) {
	arms, least := 0, math.Inf(1)
	for i, share := range s.Shares {
		if share == 0 {
			continue
		}
		arms++
		expected := total * share
		least = math.Min(least, expected)
		s.ChiSquare += (float64(s.Counts[i]) - expected) * (float64(s.Counts[i]) - expected) / expected
	}
	if arms < 2 {
		return
	}
	s.ChiSquareP = chiSquareUpper(s.ChiSquare, arms-1)
	if least < 5 {
		s.Warnings = append(s.Warnings, Warning{SmallExpected, fmt.Sprintf(
			"an arm expects %.1f units, the chi-square needs 5", least)})
	}
}

// missing compares what each arm's units say of the total.
func (s *SRM) missing() {
	least, most := math.Inf(1), 0.0
	for i, share := range s.Shares {
		if share > 0 {
			least, most = math.Min(least, float64(s.Counts[i])/share), math.Max(most, float64(s.Counts[i])/share)
		}
	}
	s.Missing = 1 - least/most
}

// LogMultinomialBF is the log Bayes factor of multinomials mixed over a
// Dirichlet(prior) against the one with the given shares,
// ln[Γ(Σα)·ΠΓ(α+n)/(Γ(Σα+Σn)·ΠΓ(α))] − Σn·ln share, over the arms with a
// positive share (Lindon & Malek 2022). The shares sum to one.
//
// NaN for lists of different lengths and numbers that are none; 0 without units.
func LogMultinomialBF(counts []int64, shares, prior []float64) float64 {
	if len(counts) != len(shares) || len(prior) != len(shares) {
		return math.NaN()
	}
	var units, weight float64
	for i, share := range shares {
		if share > 0 {
			units, weight = units+float64(counts[i]), weight+prior[i]
		}
	}
	// Stirling's series of every gamma function, with what is large in all of them
	// taken out before it is added up: at 10¹² units the terms are 10¹³ and the sum is 10.
	total := math.Log1p(units / weight)
	sum := total/2 + stirlingRest(weight) - stirlingRest(weight+units)
	for i, share := range shares {
		if share == 0 {
			continue
		}
		n, x := float64(counts[i]), prior[i]
		sum += n*math.Log1p(math.FMA(-share, weight, x)/(share*weight)) - total/2 +
			(x+n-0.5)*logExcess(n, x, units, weight, total) + stirlingRest(x+n) - stirlingRest(x)
	}
	return sum
}

// logExcess is ln((x+n)/x) − ln((weight+units)/weight), where the latter is total: by how
// much an arm has more than its part.
func logExcess(n, x, units, weight, total float64) float64 {
	planned := x * units
	excess := (math.FMA(n, weight, -planned) - math.FMA(x, units, -planned)) / (x * (weight + units))
	if math.Abs(excess) < 0.5 {
		return math.Log1p(excess)
	}
	return math.Log(x+n) - math.Log(x) - total
}

// stirlingRest is ln Γ(y) less the main part of Stirling's series, (y−½)·ln y − y + ½·ln 2π.
func stirlingRest(y float64) float64 {
	if y > 128 {
		return (1 - (1-2/(7*y*y))/(30*y*y)) / (12 * y)
	}
	log, _ := math.Lgamma(y)
	return log - (y-0.5)*math.Log(y) + y - math.Log(2*math.Pi)/2
}

// chiSquareUpper is the upper tail of the chi-square distribution.
func chiSquareUpper(x float64, dof int) float64 {
	switch {
	case !(x >= 0) || dof < 1:
		return 1
	case math.IsInf(x, 1):
		return 0
	}
	return mathext.GammaIncRegComp(float64(dof)/2, x/2)
}

// SRMThreshold is the p below which phase 1, 2, … of an iteration raises the
// sample-ratio alarm: 0.01·2^−phase, so that all phases together spend 0.01.
// A phase below 1 counts as the first; without end the thresholds tend to 0. It is a
// union bound (Bonferroni 1936).
func SRMThreshold(phase int) float64 { return 0.01 * math.Pow(2, -float64(max(phase, 1))) }
