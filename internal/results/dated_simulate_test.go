package results

import (
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats/design"
)

var datedReplicates = flag.Int("dated.replicates", 4000, "simulated experiments of each scenario with dated looks")

// Rates of five dated looks through the code that ships, from integer sums to the
// verdict: 5 % without an effect, and with one of 0.2 deviations at 1,000 units the
// power and the mean number of units that rpact 3.3.4 computes (0.878156, 757.963).
func TestDatedLooksKeepTheirRates(t *testing.T) {
	for _, tt := range []struct {
		name         string
		delta        float64
		found, stops float64
	}{
		{"no effect", 0, .05, 0},
		{"rpact's five looks", .2, .878155680749269, 757.96306239991},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newDatedWorld()
			found, units := 0.0, 0.0
			for range *datedReplicates {
				g := w.run(tt.delta)
				if units += float64(g.Looks[g.StoppedAt-1].Units); g.Verdict == DatedCrossed {
					found++
				}
			}
			n := float64(*datedReplicates)
			found, units = found/n, units/n
			t.Logf("found %.4f (rpact %.4f), %.1f units on average (rpact %.1f), %v replicates", found, tt.found, units, tt.stops, n)
			if bound := .005 + 3*math.Sqrt(tt.found*(1-tt.found)/n); math.Abs(found-tt.found) > bound {
				t.Errorf("found %.4f, want %.4f ± %.4f", found, tt.found, bound)
			}
			if tt.stops > 0 && math.Abs(units/tt.stops-1) > .02 {
				t.Errorf("%.1f units on average, want %.1f", units, tt.stops)
			}
		})
	}
}

// datedWorld runs experiments of 5 × 200 units.
type datedWorld struct {
	r *rand.Rand
	v experiment.Version
	b bounds
}

func newDatedWorld() *datedWorld {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	e := experiment.Experiment{
		Key: "x", UnitKind: "user", Control: "c", Variants: []experiment.Variant{{Key: "c", Share: .5}, {Key: "t", Share: .5}},
		Alpha: .05, AlphaKill: .05, PlannedUnits: 1000, Goals: []string{"m"}, Looks: experiment.Looks{Design: experiment.OBrienFleming},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: start, EnrolUntil: start.AddDate(0, 0, 9), End: start.AddDate(0, 0, 9),
			Phases:  []experiment.Phase{{Number: 1, From: start, Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics: []experiment.Metric{{Name: "m", Event: "m", Kind: experiment.Mean, Direction: experiment.Increase, Decimals: 6}},
		}},
	}
	for day := 1; day <= 5; day++ {
		e.Looks.At = append(e.Looks.At, start.AddDate(0, 0, day))
	}
	return &datedWorld{r: rand.New(rand.NewPCG(11, 7)), v: experiment.Version{Number: 1, Experiments: []experiment.Experiment{e}},
		b: bounds{spending: spendingOf(e.Looks), known: map[string]design.Design{}}}
}

// run is one experiment, judged as JudgeDates does; boundaries are kept between runs.
func (w *datedWorld) run(delta float64) DatedGoal {
	e := &w.v.Experiments[0]
	sums := [2]Sums{NewSums(), NewSums()}
	var past []*Document
	for _, at := range e.Looks.At {
		w.draw(&sums[0], 0)
		w.draw(&sums[1], delta)
		var cells []Cell
		for i, arm := range []string{"c", "t"} {
			s := NewSums()
			s.Add(sums[i])
			cells = append(cells, Cell{Experiment: "x", Iteration: 1, Phase: 1, Variant: arm, Metric: "m", Open: s, Matured: s})
		}
		d := Compute(&w.v, e, 1, Moments{Vector: map[uint16]uint64{0: 1}, Config: map[uint16]uint32{0: 1}, Cells: cells},
			[]ShardStatus{{Seq: 1, Freshness: at, State: "ok"}}, at, Options{Kind: KindFull})
		past = append(past, &d)
	}
	g := DatedGoal{Metric: "m", Arm: "t", Alpha: e.Alpha}
	g.judge(&Dated{Dates: e.Looks.At, PlannedUnits: e.PlannedUnits}, past, &w.b)
	return g
}

// draw adds a hundred units.
func (w *datedWorld) draw(s *Sums, mean float64) {
	for range 100 {
		y := big.NewInt(int64(math.Round(1e6 * (mean + w.r.NormFloat64()))))
		s.Add(Sums{N: 1, NonZero: 1, Sum: y, SumSquares: new(big.Int).Mul(y, y)})
	}
}
