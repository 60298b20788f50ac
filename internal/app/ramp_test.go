package app

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestRampOfReturningUnits: a ramp from 1 % to 50 % while everybody buys three
// times as much later, and without any effect. Half of the units come back in
// the second phase, the active ones more often, and see whatever variant the new
// split gives them. Through the join and the statistics nothing may show up,
// although the pooled means differ as much as the trend.
func TestRampOfReturningUnits(t *testing.T) {
	const replicates = 60
	missed, fooled, moved := 0, 0, int64(0)
	for seed := range uint64(replicates) {
		d, pooled := rampWorld(t, seed)
		i := d.Comparisons[0].Open.Absolute.Sequential
		if i.Low > 0 || i.High < 0 {
			missed++
		}
		if math.Abs(pooled) > 4 {
			fooled++
		}
		moved += d.Aside.Moved
	}
	if bound := replicates * (0.05 + 3*math.Sqrt(0.05*0.95/replicates)); float64(missed) > bound {
		t.Errorf("%d of %d intervals leave out zero, at most %.1f may", missed, replicates, bound)
	}
	if fooled < replicates*9/10 || moved < 1000*replicates {
		t.Errorf("the world is too easy: pooling misleads in %d of %d, %d exposures moved", fooled, replicates, moved)
	}
}

// TestRampCoverage: no effect, and a trend: everybody buys three times as much at the last
// step as at the first. The intervals of the ramp that assay carries out itself (the
// traffic grows, the split stays) and of one in which the treatment's share grows (as
// some flag systems do it) hold zero as often as they say; pooling the second never does.
//
// ASSAY_RAMP_REPLICATES=2000 go test ./internal/app -run TestRampCoverage -v measures it.
func TestRampCoverage(t *testing.T) {
	replicates, _ := strconv.Atoi(cmp.Or(os.Getenv("ASSAY_RAMP_REPLICATES"), "40"))
	for name, worldOf := range map[string]func(*testing.T, uint64) (results.Document, float64){"traffic grows": trafficWorld, "the treatment's share grows": rampWorld} {
		var fixed, always, pooled int
		for seed := range uint64(replicates) {
			d, z := worldOf(t, seed+1000)
			i := d.Comparisons[0].Open.Absolute
			holds := func(low, high results.Number) int {
				if low.Float() <= 0 && high.Float() >= 0 {
					return 1
				}
				return 0
			}
			fixed += holds(i.Fixed.Low, i.Fixed.High)
			always += holds(i.Sequential.Low, i.Sequential.High)
			if math.Abs(z) <= 1.96 {
				pooled++
			}
		}
		share := func(n int) string {
			p := float64(n) / float64(replicates)
			return fmt.Sprintf("%.4f ± %.4f", p, math.Sqrt(max(p*(1-p), .25/float64(replicates))/float64(replicates)))
		}
		t.Logf("%s, %d replicates: interval for one look %s, for every look %s, pooled %s", name, replicates, share(fixed), share(always), share(pooled))
		least := float64(replicates)*.95 - 3.5*math.Sqrt(float64(replicates)*.95*.05)
		if float64(fixed) < least || float64(always) < least {
			t.Errorf("%s: %d and %d of %d intervals hold zero, at least %.0f should", name, fixed, always, replicates, least)
		}
		if name != "traffic grows" && pooled > replicates/10 {
			t.Errorf("pooling misleads in %d of %d only: the world is too easy", replicates-pooled, replicates)
		}
	}
}

// trafficWorld joins the log of a ramp as it is carried out here: 1 %, 10 % and 50 % of
// 10,000 eligible units a day take part, split in halves throughout.
func trafficWorld(t *testing.T, seed uint64) (results.Document, float64) {
	t.Helper()
	v := trafficVersion(t)
	it := v.Experiments[0].Latest()
	random := rand.New(rand.NewPCG(seed, 2))
	j := ingest.NewJoiner([]string{"exposures", "outcomes"}, v)
	var offsets [2]int64
	add := func(topic int, e ingest.Event) {
		e.Place = ingest.Place{Topic: uint8(topic), Offset: offsets[topic]}
		offsets[topic]++
		j.Add(&e)
	}
	unit := uint64(0)
	for step, p := range it.Phases {
		for range int(10_000 * p.Traffic) {
			unit++
			at := p.From.UnixMilli() + p.Settle.Std().Milliseconds() + random.Int64N(80_000_000)
			e := ingest.Event{Type: ingest.Exposure, T: at, Unit: ingest.Unit{Hi: unit, Lo: 1}, UnitKind: "user", Experiment: "ramp", Variant: []string{"control", "treatment"}[random.IntN(2)]}
			add(0, e)
			for k := range 3 {
				if random.Float64() < 0.1*float64(1+step) {
					add(1, ingest.Event{Type: ingest.Outcome, T: at + int64(k+1)*1000, Unit: e.Unit, UnitKind: "user", Name: "buy"})
				}
			}
		}
	}
	cells, pooled := rampCells(j.Take())
	m := results.Moments{Vector: map[uint16]uint64{0: 1}, Config: map[uint16]uint32{0: v.Number}, Cells: cells}
	now := it.Start.Add(80 * time.Hour)
	status := []results.ShardStatus{{Seq: 1, Config: v.Number, Freshness: now, State: "ok", At: now}}
	return results.Compute(v, &v.Experiments[0], 1, m, status, now, results.Options{}), pooled
}

// trafficVersion is the version after two steps were carried out.
func trafficVersion(t *testing.T) *experiment.Version {
	t.Helper()
	v := rampVersion()
	it := v.Experiments[0].Latest()
	it.EnrolUntil, it.End = it.Start.Add(72*time.Hour), it.Start.Add(120*time.Hour)
	it.Ramp = &experiment.Ramp{OnBreach: experiment.HoldOnBreach, Steps: []experiment.RampStep{{Traffic: .01}, {Traffic: .1}, {Traffic: .5}}}
	it.Phases = []experiment.Phase{{Number: 1, From: it.Start, Shares: []float64{.5, .5}, Traffic: .01, Step: 1}}
	for step := 2; step <= 3; step++ {
		at := it.Start.Add(time.Duration(step-1) * 24 * time.Hour)
		next, err := v.BeginStep("ramp", step, it.Ramp.Steps[step-1].Traffic, at, uint64(step), "", "guard", at)
		if err != nil {
			t.Fatal(err)
		}
		v = next
	}
	return v
}

// rampWorld joins one made-up log, and gives the z of the pooled difference.
func rampWorld(t *testing.T, seed uint64) (results.Document, float64) {
	t.Helper()
	v := rampVersion()
	start := v.Experiments[0].Iterations[0].Start.UnixMilli()
	random := rand.New(rand.NewPCG(seed, 1))
	j := ingest.NewJoiner([]string{"exposures", "outcomes"}, v)
	var offsets [2]int64
	visit := func(unit uint64, phase int, activity float64) {
		at := start + int64(phase)*86_400_000 + random.Int64N(80_000_000)
		variant := "control"
		if random.Float64() < []float64{0.01, 0.5}[phase] {
			variant = "treatment"
		}
		e := ingest.Event{Type: ingest.Exposure, T: at, Unit: ingest.Unit{Hi: unit, Lo: 1}, UnitKind: "user", Experiment: "ramp", Variant: variant}
		buys := 0
		for range 3 {
			if random.Float64() < activity*(1+2*float64(phase))/3 {
				buys++
			}
		}
		for k := range 1 + buys {
			if k > 0 {
				e = ingest.Event{Type: ingest.Outcome, T: at + int64(k)*1000, Unit: e.Unit, UnitKind: "user", Name: "buy"}
			}
			topic := min(k, 1)
			e.Place = ingest.Place{Topic: uint8(topic), Offset: offsets[topic]}
			offsets[topic]++
			j.Add(&e)
		}
	}
	for unit := range uint64(6000) {
		activity := 0.1 + 0.6*random.Float64()
		phase := int(unit % 2)
		visit(unit, phase, activity)
		if phase == 0 && random.Float64() < 1.25*activity { // half of them, the active ones rather
			visit(unit, 1, activity)
			if random.Float64() < activity {
				visit(unit, 1, activity)
			}
		}
	}
	cells, pooled := rampCells(j.Take())
	m := results.Moments{Vector: map[uint16]uint64{0: 1}, Config: map[uint16]uint32{0: 1}, Cells: cells}
	now := time.UnixMilli(start).Add(60 * time.Hour)
	status := []results.ShardStatus{{Seq: 1, Config: 1, Freshness: now, State: "ok", At: now}}
	return results.Compute(v, &v.Experiments[0], 1, m, status, now, results.Options{}), pooled
}

// rampCells sums rows over slots, and gives the z of the difference of the means
// when phases are pooled as they must not be.
func rampCells(rows []ingest.Row) ([]results.Cell, float64) {
	sums := map[ingest.Cell]ingest.Delta{}
	arm := map[string]*[3]float64{"control": {}, "treatment": {}}
	for _, r := range rows {
		key := r.Cell
		key.Slot = 0
		s := sums[key]
		s.N, s.NonZero = s.N+r.N, s.NonZero+r.NonZero
		s.Sum, s.SumSquares = s.Sum.Add(r.Sum), s.SumSquares.Add(r.SumSquares)
		sums[key] = s
		if a := arm[r.Variant]; a != nil && r.Metric == "buys" {
			a[0], a[1], a[2] = a[0]+float64(r.N), a[1]+float64(r.Sum.Hi)*math.Exp2(64)+float64(r.Sum.Lo), a[2]+float64(r.SumSquares.Lo)
		}
	}
	var cells []results.Cell
	for c, s := range sums {
		cells = append(cells, results.Cell{
			Experiment: c.Experiment, Iteration: c.Iteration, Phase: c.Phase, Settling: c.Settling, Variant: c.Variant, Metric: c.Metric,
			Dimension: c.Dimension, Value: c.Value, Open: results.Sums{N: s.N, NonZero: s.NonZero, Sum: s.Sum.Big(), SumSquares: s.SumSquares.Big()},
		})
	}
	mean := func(a *[3]float64) (m, v float64) { m = a[1] / a[0]; return m, (a[2]/a[0] - m*m) / a[0] }
	mc, vc := mean(arm["control"])
	mt, vt := mean(arm["treatment"])
	return cells, (mt - mc) / math.Sqrt(vc+vt)
}

func rampVersion() *experiment.Version {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	hours := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	return &experiment.Version{Number: 1, AppliedAt: start, Experiments: []experiment.Experiment{{
		Key: "ramp", UnitKind: "user", Control: "control", Window: experiment.Duration(48 * time.Hour), Crossovers: experiment.Exclude,
		Variants: []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "treatment", Share: 0.5}}, PlannedUnits: 6000,
		Alpha: 0.05, AlphaKill: 0.05, Goals: []string{"buys"},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: start, EnrolUntil: hours(48), End: hours(96), AlphaKill: 0.05,
			Phases: []experiment.Phase{
				{Number: 1, From: start, Shares: []float64{0.99, 0.01}, Traffic: 1},
				{Number: 2, From: hours(24), Shares: []float64{0.5, 0.5}, Traffic: 1},
			},
			Metrics: []experiment.Metric{{Name: "buys", Event: "buy", Kind: experiment.Count, Direction: experiment.Increase}},
		}},
	}}}
}
