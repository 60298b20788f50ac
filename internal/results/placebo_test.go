package results

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/experiment"
)

func placeboWorld(alpha float64) *experiment.Experiment {
	return &experiment.Experiment{
		Key: "cta", Control: "c", Alpha: alpha, PlannedUnits: 4000,
		Variants: []experiment.Variant{{Key: "c", Share: 0.5}, {Key: "t", Share: 0.5}},
		Iterations: []experiment.Iteration{{
			Number: 1, Phases: []experiment.Phase{{Number: 1, Shares: []float64{0.9, 0.1}}, {Number: 2, Shares: []float64{0.5, 0.5}}},
			Metrics: []experiment.Metric{
				{Name: "latency", Kind: experiment.Quantile, Quantile: 0.5},
				{Name: "pages", Kind: experiment.Ratio, Numerator: &experiment.Part{Decimals: 1}, Denominator: &experiment.Part{}},
				{Name: "spend", Kind: experiment.Sum, Decimals: 2},
			},
		}},
	}
}

// halves are the halves of the control as they grow.
type halves struct {
	it   *experiment.Iteration
	rows map[string]*SlowRow
}

func newHalves(it *experiment.Iteration) *halves { return &halves{it: it, rows: map[string]*SlowRow{}} }

// add counts a unit in the half that each bit names, as if it were so many units.
func (h *halves) add(phase uint16, half uint32, metric string, times int64, totals ...int64) {
	for k := range PlaceboSplits {
		variant := fmt.Sprintf("%d/%d", k, half>>k&1)
		key := fmt.Sprint(metric, phase, variant)
		r := h.rows[key]
		if r == nil {
			empty := foldedRow(metric, phase, variant, len(totals), nil)
			r, h.rows[key] = &empty, &empty
		}
		r.N += times
		if totals[0] != 0 {
			r.NonZero += times
		}
		for i, x := range totals {
			r.Sums[i].Add(r.Sums[i], big.NewInt(times*x))
			for j, y := range totals {
				r.Products[i][j].Add(r.Products[i][j], big.NewInt(times*x*y))
			}
		}
	}
}

func (h *halves) all() []SlowRow {
	var out []SlowRow
	for _, r := range h.rows {
		out = append(out, *r)
	}
	return out
}

// TestPlaceboCalibration: units as they come, judged after every five hundred. Over many
// iterations no more halvings than alpha ever raise an alarm, the intervals for one look
// hold 0 as often as they say, and hardly a metric is suspect. Where each unit comes
// five times, as devices of one person do, the metrics are.
func TestPlaceboCalibration(t *testing.T) {
	const worlds, looks, perLook, alpha = 30, 8, 500, 0.05
	for _, c := range []struct {
		name   string
		copies int64
	}{{"independent", 1}, {"five of a kind", 5}} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(c.copies)))
			ever, outside, judged, suspect := 0, 0, 0, 0
			for range worlds {
				e := placeboWorld(alpha)
				it := &e.Iterations[0]
				h := newHalves(it)
				var last *Placebo
				for look := range looks {
					phase := uint16(1 + look/4)
					for range perLook / int(c.copies) {
						half, visits := random.Uint32(), 1+random.Int64N(5)
						h.add(phase, half, "spend", c.copies, int64(random.ExpFloat64()*1000*float64(look%2+1)))
						h.add(phase, half, "pages", c.copies, visits*10+random.Int64N(20), visits)
					}
					p := ComputePlacebo(e, it, h.all(), last)
					last = &p
				}
				if last.Looks != looks || len(last.Metrics) != 2 {
					t.Fatalf("%d looks, %d metrics", last.Looks, len(last.Metrics))
				}
				for _, m := range last.Metrics {
					ever, outside, judged = ever+len(m.Ever), outside+m.Outside, judged+m.Judged
				}
				suspect += len(last.Suspect())
			}
			if judged != worlds*2*PlaceboSplits {
				t.Fatalf("%d halvings judged", judged)
			}
			everRate, outsideRate, suspectRate := float64(ever)/float64(judged), float64(outside)/float64(judged), float64(suspect)/(2*worlds)
			t.Logf("false alarms at any look %.4f, outside at the last %.4f, suspect %.3f", everRate, outsideRate, suspectRate)
			// The standard error of a rate of 5 % in 1,200 halvings is 0.0063.
			if c.copies == 1 {
				if everRate > alpha || outsideRate < 0.031 || outsideRate > 0.069 || suspectRate > 0.04 {
					t.Error("the promises are not kept")
				}
			} else if everRate < 0.2 || suspectRate < 0.5 {
				t.Error("dependent units are not found")
			}
		})
	}
}

// TestPlaceboKeepsAlarms: an alarm of an earlier look stays, of another iteration or
// another alpha it does not; p is that of the binomial.
func TestPlaceboKeepsAlarms(t *testing.T) {
	e := placeboWorld(0.05)
	it := &e.Iterations[0]
	random := rand.New(rand.NewPCG(3, 4))
	h := newHalves(it)
	for range 2000 {
		h.add(1, random.Uint32(), "spend", 1, random.Int64N(1000))
	}
	before := &Placebo{Experiment: "cta", Iteration: 1, Looks: 7, Alpha: 0.05, Splits: PlaceboSplits, Metrics: []PlaceboMetric{{Metric: "spend", Ever: []int{2, 5, 9, 11, 19}}}}
	now := ComputePlacebo(e, it, h.all(), before)
	spend := now.Metrics[slices.IndexFunc(now.Metrics, func(m PlaceboMetric) bool { return m.Metric == "spend" })]
	if diff := cmp.Diff([]int{2, 5, 9, 11, 19}, spend.Ever); diff != "" || now.Looks != 8 {
		t.Errorf("look %d: %s", now.Looks, diff)
	}
	// P(X ≥ 5) of 20 at 0.05 is 0.00257, below 0.01 shared by two metrics.
	if !spend.Suspect || spend.P < 0.00256 || spend.P > 0.00259 || spend.Level != 0.005 {
		t.Errorf("suspect %v, p %v, level %v", spend.Suspect, spend.P, spend.Level)
	}
	for name, other := range map[string]func(p *Placebo){
		"another iteration": func(p *Placebo) { p.Iteration = 2 },
		"another alpha":     func(p *Placebo) { p.Alpha = 0.1 },
	} {
		p := *before
		other(&p)
		if now := ComputePlacebo(e, it, h.all(), &p); now.Looks != 1 || len(now.Suspect()) > 0 {
			t.Errorf("%s: look %d, %d suspect", name, now.Looks, len(now.Suspect()))
		}
	}
	empty := ComputePlacebo(e, it, nil, nil)
	if empty.Judged() || len(empty.Suspect()) > 0 || empty.Metrics[0].Coverage.Known() {
		t.Errorf("without a unit: %+v", empty)
	}
}
