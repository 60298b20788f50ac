package stats

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
)

// runs is the number of simulated experiments of a scenario.
func runs(quick int) int {
	if *replicates > 0 {
		return *replicates
	}
	return quick
}

// phase is a stretch of a simulated experiment.
type phase struct {
	units int     // entering in it, both arms
	share float64 // of the treatment
}

// scenario is a metric and the way units enter.
type scenario struct {
	name   string
	phases []phase
	plan   Plan
	binary bool
	every  int // units between looks; 0 spaces 200 looks evenly on the log scale
	// draw adds n units of an arm in phase k.
	draw func(r *rand.Rand, treatment bool, k, n int) Moments
	// truth is the effect per arm, for coverage: absolute and relative.
	absolute, relative float64
}

// rule is a way to be wrong: it looks at a pair and says whether it errs.
type rule struct {
	name string
	errs func(s scenario, p Pair) bool
}

const looksPerRun = 200

// looks are the numbers of units after which an experiment is judged, from 100 on.
func looks(total, every int) []int {
	var out []int
	if every > 0 {
		for n := 100; n <= total; n += every {
			out = append(out, n)
		}
		return out
	}
	for i := range looksPerRun {
		n := int(100 * math.Pow(float64(total)/100, float64(i)/(looksPerRun-1)))
		if len(out) == 0 || n > out[len(out)-1] {
			out = append(out, n)
		}
	}
	return out
}

// everErrs counts, per rule, the experiments in which the rule erred at any look.
func (s scenario) everErrs(seed uint64, n int, rules []rule) []int {
	counts := make([]int, len(rules))
	for i := range n {
		for k, erred := range s.run(rand.New(rand.NewPCG(seed, uint64(i))), rules) {
			if erred {
				counts[k]++
			}
		}
	}
	return counts
}

// run is one experiment.
func (s scenario) run(r *rand.Rand, rules []rule) []bool {
	total := 0
	for _, p := range s.phases {
		total += p.units
	}
	strata := make([]Stratum, 0, len(s.phases))
	erred := make([]bool, len(rules))
	k, left, seen := -1, 0, 0
	for _, look := range looks(total, s.every) {
		for seen < look {
			if left == 0 {
				k++
				left = s.phases[k].units
				strata = append(strata, Stratum{Name: fmt.Sprint(k)})
			}
			n := min(left, look-seen)
			nT := binomial(r, n, s.phases[k].share)
			strata[k].Treatment = strata[k].Treatment.Merge(s.draw(r, true, k, nT))
			strata[k].Control = strata[k].Control.Merge(s.draw(r, false, k, n-nT))
			left, seen = left-n, seen+n
		}
		pair := Combine(strata)
		for i, rule := range rules {
			erred[i] = erred[i] || rule.errs(s, pair)
		}
	}
	return erred
}

// binomial is exact: by counting bits at one half, by skipping between
// successes elsewhere.
func binomial(r *rand.Rand, n int, p float64) int {
	switch {
	case p > 0.5:
		return n - binomial(r, n, 1-p)
	case p == 0.5:
		count := 0
		for ; n >= 64; n -= 64 {
			count += bits.OnesCount64(r.Uint64())
		}
		return count + bits.OnesCount64(r.Uint64()&(1<<n-1))
	}
	count, denominator := 0, math.Log1p(-p)
	for at := 0.0; ; count++ {
		at += math.Floor(math.Log(1-r.Float64())/denominator) + 1
		if at > float64(n) {
			return count
		}
	}
}

// normal units have variance one and a mean per arm and phase.
func normal(mean func(treatment bool, k int) float64) func(*rand.Rand, bool, int, int) Moments {
	return func(r *rand.Rand, treatment bool, k, n int) Moments {
		mu := mean(treatment, k)
		var sum, squares float64
		for range n {
			x := r.NormFloat64()
			sum, squares = sum+x, squares+x*x
		}
		if n == 0 {
			return Moments{}
		}
		return Moments{N: int64(n), NonZero: int64(n), Mean: mu + sum/float64(n), M2: squares - sum*sum/float64(n)}
	}
}

// binary units convert with a probability per arm and phase.
func binary(rate func(treatment bool, k int) float64) func(*rand.Rand, bool, int, int) Moments {
	return func(r *rand.Rand, treatment bool, k, n int) Moments {
		if n == 0 {
			return Moments{}
		}
		x := binomial(r, n, rate(treatment, k))
		p := float64(x) / float64(n)
		return Moments{N: int64(n), NonZero: int64(x), Mean: p, M2: p * (1 - p) * float64(n)}
	}
}

// revenue: 5 % buy, for a lognormal amount with σ 1.5, capped at its quantile
// of the given normal score (+Inf: no cap).
func revenue(score float64) func(*rand.Rand, bool, int, int) Moments {
	return func(r *rand.Rand, _ bool, _, n int) Moments {
		if n == 0 {
			return Moments{}
		}
		buyers := binomial(r, n, 0.05)
		var sum, squares float64
		for range buyers {
			x := math.Exp(1.5 * math.Min(r.NormFloat64(), score))
			sum, squares = sum+x, squares+x*x
		}
		return Moments{
			N: int64(n), NonZero: int64(buyers), Mean: sum / float64(n),
			M2: squares - sum*sum/float64(n),
		}
	}
}

func armRates(treatment, control float64) func(bool, int) float64 {
	return func(t bool, _ int) float64 {
		if t {
			return treatment
		}
		return control
	}
}

func rate(count, n int) float64 { return float64(count) / float64(n) }

func standardError(count, n int) float64 {
	p := rate(count, n)
	return math.Sqrt(p * (1 - p) / float64(n))
}
