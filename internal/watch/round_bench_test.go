package watch

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// BenchmarkRound is one round of the guard over 1,000 experiments of ten guardrails
// and two goals each, without what its parts take: reading the ledger, storing looks.
// New units have come in to every experiment since the last round.
func BenchmarkRound(b *testing.B) {
	const experiments = 1000
	l := newBusyLedger(experiments)
	config := DefaultConfig()
	config.FullEvery = 24 * time.Hour // once a minute is not what a round costs
	w, err := New(config, Parts{Versions: l, Ledger: l, Journal: l, Looks: l, Switch: l, Now: l.clock})
	if err != nil {
		b.Fatal(err)
	}
	w.round(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		l.now = l.now.Add(time.Second)
		w.round(b.Context())
	}
	if w.failures > 0 || l.stored < experiments*b.N {
		b.Fatalf("%d rounds failed, %d looks were stored", w.failures, l.stored)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/(10*experiments), "µs/guardrail")
}

// busyLedger holds experiments without effects in which something happens every second.
type busyLedger struct {
	*guard
	now    time.Time
	cells  []results.Cell
	stored int
}

func newBusyLedger(experiments int) *busyLedger {
	l := &busyLedger{now: time.Now()}
	var all []experiment.Experiment
	for i := range experiments {
		e := busy(fmt.Sprintf("experiment-%04d", i), l.now)
		all = append(all, e)
		for v, variant := range []string{"control", "treatment"} {
			c := results.Cell{Experiment: e.Key, Iteration: 1, Phase: 1, Variant: variant, Newest: l.now.Add(24 * time.Hour)}
			n := int64(5000 + i%100 + 7*v)
			c.Metric, c.Open = ingest.Units, results.Sums{N: n}
			l.cells = append(l.cells, c)
			for k := range e.Iterations[0].Metrics {
				c.Metric = e.Iterations[0].Metrics[k].Name
				c.Open, c.Matured = counted(n, 1), counted(n*9/10, 1)
				l.cells = append(l.cells, c)
			}
		}
	}
	l.guard = &guard{world: newWorld(all...)}
	return l
}

func counted(n, times int64) results.Sums {
	some := n / 10
	return results.Sums{
		N: n, NonZero: some, Sum: big.NewInt(some * times * 25_00), SumSquares: big.NewInt(some * times * 2 * 25_00 * 25_00),
		SumDenominator: big.NewInt(some), SumSquaresDenominator: big.NewInt(some), SumProduct: big.NewInt(some * 25_00),
	}
}

// busy is an experiment of ten guardrails and two goals.
func busy(key string, now time.Time) experiment.Experiment {
	e := checkout()
	e.Key, e.Goals, e.Guardrails = key, []string{"m10", "m11"}, nil
	it := e.Iterations[0]
	it.Start, it.Metrics, it.KillGuardrails = now.Add(-time.Hour), nil, nil
	for k := range 12 {
		m := experiment.Metric{Name: fmt.Sprintf("m%02d", k), Event: "event", Kind: experiment.Mean, Decimals: 2, Direction: experiment.Decrease}
		if k%5 == 4 {
			m.Kind = experiment.Ratio
			m.Numerator = &experiment.Part{Event: "event", Aggregation: experiment.AggregateSum, Decimals: 2}
			m.Denominator = &experiment.Part{Event: "event", Aggregation: experiment.AggregateCount}
		}
		it.Metrics = append(it.Metrics, m)
		if k < 10 {
			it.KillGuardrails = append(it.KillGuardrails, m.Name)
			e.Guardrails = append(e.Guardrails, experiment.Guardrail{Metric: m.Name, Margin: .1, Relative: k%2 == 0, Mode: experiment.Kill})
		}
	}
	it.KillRules = 10
	e.Iterations = []experiment.Iteration{it}
	return e
}

func (l *busyLedger) clock() time.Time { return l.now }

func (l *busyLedger) Statuses(context.Context) ([]results.ShardStatus, error) {
	return []results.ShardStatus{{Shard: 0, Seq: uint64(l.now.Unix()), Freshness: l.now, State: "ok", At: l.now}}, nil
}

func (l *busyLedger) Moments(context.Context, []Query) (results.Moments, error) {
	return results.Moments{Vector: map[uint16]uint64{0: uint64(l.now.Unix())}, Config: map[uint16]uint32{0: 1}, Cells: l.cells}, nil
}

func (l *busyLedger) Store(_ context.Context, looks []*Look) error {
	l.stored += len(looks)
	return nil
}
