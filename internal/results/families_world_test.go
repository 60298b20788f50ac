package results_test

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// familyWorld is an experiment whose comparisons lie on both sides of what is found, to
// be looked at under other corrections, names and orders. Arm 0 is the control.
type familyWorld struct {
	alpha          float64
	kinds          []experiment.Kind // of the metrics
	goals          int               // the first of them
	arms, phases   int
	shares         [][]float64 // by phase
	goalsBy, segBy experiment.Adjustment
	primary        float64 // share of the first goal; 0: none
	sums           map[cellPlace]results.Sums
}

// cellPlace is a cell of the world; value 0 is all units, the others are segments.
type cellPlace struct{ metric, arm, phase, value int }

var segmentValues = []string{"", "DE", "FR", "(none)"}

func drawFamilyWorld(t *rapid.T) familyWorld {
	w := familyWorld{
		alpha:  rapid.SampledFrom([]float64{0.01, 0.05, 0.2}).Draw(t, "alpha"),
		arms:   rapid.IntRange(2, 4).Draw(t, "arms"),
		phases: rapid.IntRange(1, 2).Draw(t, "phases"),
		sums:   map[cellPlace]results.Sums{},
	}
	kind := rapid.SampledFrom([]experiment.Kind{experiment.Mean, experiment.Proportion, experiment.Ratio})
	w.kinds = rapid.SliceOfN(kind, 1, 5).Draw(t, "kinds")
	w.goals = rapid.IntRange(1, len(w.kinds)).Draw(t, "goals")
	correction := rapid.SampledFrom([]experiment.Adjustment{
		experiment.Unadjusted, experiment.Bonferroni, experiment.Holm, experiment.BenjaminiHochberg, experiment.BenjaminiYekutieli})
	w.goalsBy, w.segBy = correction.Draw(t, "goals by"), correction.Draw(t, "segments by")
	if w.goalsBy == experiment.Bonferroni && rapid.Bool().Draw(t, "primary") {
		w.primary = rapid.Float64Range(0.05, 0.95).Draw(t, "share of the primary")
	}
	for range w.phases {
		shares := make([]float64, w.arms)
		for i := range shares {
			shares[i] = rapid.SampledFrom([]float64{0.1, 0.25}).Draw(t, "share")
		}
		w.shares = append(w.shares, shares)
	}
	for m := range w.kinds {
		for arm := range w.arms {
			for phase := range w.phases {
				for value := range segmentValues {
					z := 0.0
					if arm > 0 {
						z = rapid.Float64Range(-5, 5).Draw(t, "z")
					}
					units := 4 * rapid.Int64Range(10, 2000).Draw(t, "units/4")
					w.sums[cellPlace{m, arm, phase, value}] = drawnSums(w.kinds[m], units, z)
				}
			}
		}
	}
	return w
}

// drawnSums are those of units at a level z standard errors above the control's.
func drawnSums(kind experiment.Kind, units int64, z float64) results.Sums {
	s := results.Sums{N: units, NonZero: units}
	shift := z * math.Sqrt(2/float64(units))
	if kind == experiment.Proportion {
		s.NonZero = int64(float64(units) * math.Min(0.95, math.Max(0.02, 0.3+shift*math.Sqrt(0.3*0.7))))
		s.Sum, s.SumSquares = big.NewInt(s.NonZero), big.NewInt(s.NonZero)
		return s
	}
	// Half of the units at mean − 1000, half at mean + 1000; below the line 1 and 3 crossed.
	mean := int64(3000 + 1000*shift)
	s.Sum, s.SumSquares = big.NewInt(units*mean), big.NewInt(units*(mean*mean+1000*1000))
	if kind == experiment.Ratio {
		s.SumDenominator, s.SumSquaresDenominator, s.SumProduct = big.NewInt(2*units), big.NewInt(5*units), big.NewInt(2*units*mean)
	}
	return s
}

// shifted are the sums of the same units with every value raised by as much.
func shifted(s results.Sums, by int64) results.Sums {
	n := big.NewInt(s.N * by)
	square := new(big.Int).Add(s.SumSquares, new(big.Int).Mul(s.Sum, big.NewInt(2*by)))
	return results.Sums{N: s.N, NonZero: s.NonZero, Sum: new(big.Int).Add(s.Sum, n), SumSquares: square.Add(square, new(big.Int).Mul(n, big.NewInt(by)))}
}

// order is how the file lists metrics and arms, and what it calls them.
type order struct {
	metrics, arms []int
	name          func(what string, i int) string
}

func (w familyWorld) asDrawn() order {
	o := order{name: func(what string, i int) string { return fmt.Sprint(what, i) }}
	for m := range w.kinds {
		o.metrics = append(o.metrics, m)
	}
	for a := range w.arms {
		o.arms = append(o.arms, a)
	}
	return o
}

// experiment is the world's file.
func (w familyWorld) experiment(o order) experiment.Experiment {
	e := experiment.Experiment{
		Key: "families", UnitKind: "user", Control: o.name("arm", 0), Crossovers: experiment.Exclude, Alpha: w.alpha,
		Window: experiment.Duration(10 * time.Minute), PlannedUnits: 20000,
		Families:   experiment.Families{Goals: w.goalsBy, Segments: w.segBy},
		Dimensions: []experiment.Dimension{{Attribute: "country", Values: segmentValues[1:3]}},
	}
	if w.primary > 0 {
		e.Families.Primary, e.Families.PrimaryShare = o.name("metric", 0), w.primary
	}
	it := experiment.Iteration{Number: 1, Start: noon(), EnrolUntil: noon().Add(24 * time.Hour), End: noon().Add(25 * time.Hour), KillRules: 2, AlphaKill: 0.05}
	for _, m := range o.metrics {
		metric := experiment.Metric{Name: o.name("metric", m), Event: "a", Kind: w.kinds[m], Direction: experiment.Increase}
		if metric.Kind == experiment.Ratio {
			metric.Numerator, metric.Denominator = &experiment.Part{}, &experiment.Part{}
		}
		it.Metrics = append(it.Metrics, metric)
		if m < w.goals {
			e.Goals = append(e.Goals, metric.Name)
		}
	}
	for _, a := range o.arms {
		e.Variants = append(e.Variants, experiment.Variant{Key: o.name("arm", a), Share: w.shares[0][a]})
	}
	for p, shares := range w.shares {
		phase := experiment.Phase{Number: uint16(p + 1), From: noon().Add(time.Duration(p) * time.Hour), Traffic: 1}
		for _, a := range o.arms {
			phase.Shares = append(phase.Shares, shares[a])
		}
		it.Phases = append(it.Phases, phase)
	}
	e.Iterations = []experiment.Iteration{it}
	return e
}

// look computes the world's document.
func (w familyWorld) look(o order) results.Document {
	e := w.experiment(o)
	var cells []results.Cell
	for at, s := range w.sums {
		c := results.Cell{Experiment: e.Key, Iteration: 1, Phase: uint16(at.phase + 1), Variant: o.name("arm", at.arm),
			Metric: o.name("metric", at.metric), Value: segmentValues[at.value], Open: s, Matured: s, Newest: noon()}
		if at.value > 0 {
			c.Dimension = "country"
		}
		cells = append(cells, c)
	}
	v := experiment.Version{Number: 7, Experiments: []experiment.Experiment{e}}
	return results.Compute(&v, &e, 1, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
}

// member is one test of a family: the plain effect and what the family says.
type member struct {
	plain    results.Effect
	relative results.Effect
	*results.Adjusted
}

// members are the tests of a look by where they stand: those of goals, and of segments.
func (w familyWorld) members(o order) (goals, segments map[cellPlace]member) {
	goals, segments = map[cellPlace]member{}, map[cellPlace]member{}
	d := w.look(o)
	for m := range w.kinds {
		for a := 1; a < w.arms; a++ {
			for _, c := range d.Comparisons {
				if c.Metric != o.name("metric", m) || c.Arm != o.name("arm", a) {
					continue
				}
				goals[cellPlace{metric: m, arm: a}] = member{c.Matured.Absolute, c.Matured.Relative, c.Adjusted}
				for _, s := range c.Segments[0].Segments {
					at := cellPlace{metric: m, arm: a}
					for at.value = 1; segmentValues[at.value] != s.Value; at.value++ {
					}
					segments[at] = member{s.Absolute, s.Relative, s.Adjusted}
				}
			}
		}
	}
	return goals, segments
}
