package results_test

import (
	"math/big"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// ramp is an experiment that goes from 1 % to 50 % after an hour.
func ramp() (*experiment.Version, *experiment.Experiment) {
	start := noon()
	v := &experiment.Version{Number: 7, Experiments: []experiment.Experiment{{
		Key: "ramp", UnitKind: "user", Control: "control", Crossovers: experiment.Exclude,
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}},
		Window:   experiment.Duration(10 * time.Minute), Alpha: .05, AlphaKill: .05, PlannedUnits: 20000,
		Goals:      []string{"spend"},
		Guardrails: []experiment.Guardrail{{Metric: "errors", Margin: 0, Mode: experiment.Kill}},
		Iterations: []experiment.Iteration{
			{Number: 1, Start: start.Add(-48 * time.Hour), End: start.Add(-24 * time.Hour), AlphaKill: .02, KillRules: 1},
			{
				Number: 2, Start: start, EnrolUntil: start.Add(24 * time.Hour), End: start.Add(25 * time.Hour),
				Phases: []experiment.Phase{
					{Number: 1, From: start, Shares: []float64{.99, .01}, Traffic: 1},
					{Number: 2, From: start.Add(time.Hour), Shares: []float64{.5, .5}, Traffic: 1, Settle: experiment.Duration(10 * time.Minute)},
				},
				Metrics: []experiment.Metric{
					{Name: "errors", Event: "error", Kind: experiment.Proportion, Direction: experiment.Decrease},
					{Name: "spend", Event: "purchase", Kind: experiment.Sum, Direction: experiment.Increase, Decimals: 2, Window: experiment.Duration(3 * time.Hour)},
				},
				AlphaKill: .05, KillRules: 1, KillGuardrails: []string{"errors"},
			},
		},
	}}}
	return v, &v.Experiments[0]
}

// cell is one of the ramp's, with equal open and matured sums.
func cell(metric, variant string, phase uint16, n, nonZero, sum, squares int64) results.Cell {
	s := results.Sums{N: n, NonZero: nonZero, Sum: big.NewInt(sum), SumSquares: big.NewInt(squares)}
	return results.Cell{
		Experiment: "ramp", Iteration: 2, Phase: phase, Variant: variant, Metric: metric,
		Open: s, Matured: s, Newest: noon().Add(2 * time.Hour),
	}
}

func units(variant string, phase uint16, n int64) results.Cell {
	return cell(ingest.Units, variant, phase, n, 0, 0, 0)
}

// binary is the cell of a proportion.
func binary(metric, variant string, phase uint16, n, nonZero int64) results.Cell {
	return cell(metric, variant, phase, n, nonZero, nonZero, nonZero)
}

func moments(cells ...results.Cell) results.Moments {
	return results.Moments{Vector: map[uint16]uint64{0: 10, 1: 20}, Config: map[uint16]uint32{0: 7, 1: 7}, Cells: cells}
}

func statuses() []results.ShardStatus {
	return []results.ShardStatus{
		{Shard: 0, Seq: 10, Freshness: noon().Add(2 * time.Hour), State: "ok"},
		{Shard: 1, Seq: 19, Freshness: noon().Add(2*time.Hour - 3*time.Second), State: "ok"},
	}
}
