package planning

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// everyKind is an experiment with a metric of each kind, and a look at it two days after
// its start: 200 units in each arm, half with 2 and half with 4 (a deviation of 1.0025), one
// in two with an event.
func everyKind() (*experiment.Experiment, *results.Document) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	two := start.Add(48 * time.Hour)
	window := experiment.Duration(24 * time.Hour)
	e := experiment.Experiment{
		Key: "kinds", UnitKind: "user", Control: "c", Crossovers: experiment.Exclude, Alpha: .05, PlannedUnits: 5000, Window: window,
		Variants: []experiment.Variant{{Key: "c", Share: .5}, {Key: "t", Share: .5}},
		Iterations: []experiment.Iteration{{Number: 1, Start: start, EnrolUntil: start.Add(240 * time.Hour), End: start.Add(264 * time.Hour),
			Phases: []experiment.Phase{{Number: 1, From: start, Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics: []experiment.Metric{
				{Name: "mean", Event: "a", Kind: experiment.Mean}, {Name: "sum", Event: "a", Kind: experiment.Sum},
				{Name: "count", Event: "a", Kind: experiment.Count}, {Name: "capped", Event: "a", Kind: experiment.Mean, Cap: &experiment.Cap{At: "5"}},
				{Name: "proportion", Event: "a", Kind: experiment.Proportion}, {Name: "retention", Event: "a", Kind: experiment.Retention, To: window},
				{Name: "ratio", Kind: experiment.Ratio, Numerator: &experiment.Part{}, Denominator: &experiment.Part{}},
				{Name: "quantile", Event: "a", Kind: experiment.Quantile, Quantile: .9},
			}}},
	}
	m := results.Moments{Vector: map[uint16]uint64{0: 1}, Config: map[uint16]uint32{0: 1}}
	for _, v := range e.Variants {
		add := func(metric string, s results.Sums) {
			m.Cells = append(m.Cells, results.Cell{Experiment: "kinds", Iteration: 1, Phase: 1, Variant: v.Key, Metric: metric, Open: s, Matured: s, Newest: two})
		}
		add(ingest.Units, results.Sums{N: 200})
		for i := range e.Iterations[0].Metrics {
			switch x := &e.Iterations[0].Metrics[i]; {
			case x.Kind.Binary():
				add(x.Name, results.Sums{N: 200, NonZero: 100, Sum: big.NewInt(100), SumSquares: big.NewInt(100)})
			case x.Kind == experiment.Ratio: // each unit has 2 below the line
				add(x.Name, results.Sums{N: 200, NonZero: 200, Sum: big.NewInt(600), SumSquares: big.NewInt(2000),
					SumDenominator: big.NewInt(400), SumSquaresDenominator: big.NewInt(800), SumProduct: big.NewInt(1200)})
			case x.Kind.Fast():
				add(x.Name, results.Sums{N: 200, NonZero: 200, Sum: big.NewInt(600), SumSquares: big.NewInt(2000)})
			}
		}
	}
	version := experiment.Version{Number: 1, Experiments: []experiment.Experiment{e}}
	status := []results.ShardStatus{{Shard: 0, Seq: 1, Freshness: two, State: "ok"}}
	d := results.Compute(&version, &e, 1, m, status, two.Add(time.Hour), results.Options{})
	return &e, &d
}

// TestPlanOfEveryKind: the variance of each kind is that of the ledger's own moments, and
// with it come sizes, a rate and days.
func TestPlanOfEveryKind(t *testing.T) {
	e, d := everyKind()
	it := &e.Iterations[0]
	deviation := math.Sqrt(200. / 199)
	arm := results.Arm{Units: 200, Mean: 3}
	d.Slow = &results.Slow{Comparisons: []results.SlowComparison{{Metric: "quantile", Arm: "t", Kind: "quantile", Matured: true,
		Estimate: results.Estimate{Treatment: arm, Control: arm, Absolute: results.Effect{StdError: .1}}}}}
	want := map[string]struct {
		mean, sd float64
		basis    string
	}{
		"mean": {3, deviation, "matured units"}, "sum": {3, deviation, "matured units"}, "count": {3, deviation, "matured units"},
		"capped":     {3, deviation, "matured units"},
		"proportion": {.5, deviation / 2, "matured units"}, "retention": {.5, deviation / 2, "matured units"},
		"ratio":    {1.5, deviation / 2, "matured units"},              // (y − 1.5·2)/2
		"quantile": {3, .1 * math.Sqrt(100), "stored events, matured"}, // √(200·200/400) units' worth of its error
	}
	all := FromLook(e, it, d, 0)
	if len(all) != len(want) {
		t.Fatalf("%d comparisons of %d kinds", len(all), len(want))
	}
	for _, c := range all {
		w := want[c.Metric]
		if math.Abs(c.Mean-w.mean) > 1e-9 || math.Abs(c.SD-w.sd) > 1e-9 || !strings.HasPrefix(c.Basis, w.basis) {
			t.Errorf("%s: mean %v and deviation %v of %s, want %+v", c.Metric, c.Mean, c.SD, c.Basis, w)
		}
		if c.Units != 400 || math.Abs(c.PerDay-200) > 1e-9 || c.Window != 1 || c.Share != .5 {
			t.Errorf("%s: %+v", c.Metric, c)
		}
		if slices.Contains([]string{"retention", "ratio", "quantile"}, c.Metric) { // the others have their numbers
			sized(t, c)
		}
	}
	if got := FromLook(e, it, d, 1000)[0].PerDay; got != 1000 {
		t.Errorf("%v new units a day, want those that were told", got)
	}
}

// sized holds the size of one look against the formula, and wants the rest to be known.
func sized(t *testing.T, c Comparison) {
	t.Helper()
	a := Plan(c, Question{Lift: .05, Power: .8, Looks: 5})
	effect := .05 * c.Mean
	size := 4 * 7.848880 * c.SD * c.SD / (effect * effect)
	if c.Binary {
		size = 2 * math.Pow(1.959964*math.Sqrt(2*.5125*.4875)+.841621*math.Sqrt(.525*.475+.25), 2) / (effect * effect)
	}
	if got := a.Fixed.Size.Float(); math.Abs(got/size-1) > 2e-5 {
		t.Errorf("%s: %v units, want %v", c.Metric, got, size)
	}
	if !(a.Fixed.Days.Known() && a.Group.Size > a.Fixed.Size && a.Sequential.Size > a.Group.Size && a.Sequential.ExpectedDays.Known()) {
		t.Errorf("%s: %+v", c.Metric, a)
	}
}

// TestMissingIsSaid: a metric that cannot be planned is named with what would help.
func TestMissingIsSaid(t *testing.T) {
	e, d := everyKind()
	it := &e.Iterations[0]
	missing := MissingOf(it, FromLook(e, it, d, 0), true)
	if len(missing) != 1 || missing[0].Metric != "quantile" || !strings.Contains(missing[0].Why, "analyze --slow") {
		t.Errorf("%+v", missing)
	}
	given := FromFile(e, map[string]Given{"mean": {Mean: 20, SD: 50}, "proportion": {Mean: .04}}, 12_000)
	if len(given) != 2 || given[0].SD != 50 || given[0].PerDay != 12_000 || !given[1].Binary || given[1].Mean != .04 {
		t.Errorf("%+v", given)
	}
	if missing := MissingOf(it, given, false); len(missing) != 6 || !strings.Contains(missing[0].Why, "given") {
		t.Errorf("%+v", missing)
	}
	if none := MissingOf(it, nil, true); len(none) != 8 || !strings.Contains(none[0].Why, "nothing was counted") {
		t.Errorf("%+v", none)
	}
}
