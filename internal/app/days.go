package app

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// ByDay compares an iteration's goals by the day of exposure, as the ledger stands.
func (s *Stack) ByDay(ctx context.Context, e *experiment.Experiment, number uint32) ([]results.Days, error) {
	it := numbered(e, number)
	if it == nil {
		return nil, nil
	}
	statuses, err := s.DB.Statuses(ctx) // before the slots: what has matured is in them
	if err != nil {
		return nil, fmt.Errorf("read the shards' statuses: %w", err)
	}
	slots, err := s.DB.Slots(ctx, e.Key, number)
	if err != nil {
		return nil, fmt.Errorf("read the slots of %s: %w", e.Key, err)
	}
	return results.ByDay(e, it, dayCells(slots), results.Maturity(e, it, statuses)), nil
}

// byDayAt does so for what a look stands for.
func (s *Stack) byDayAt(ctx context.Context, e *experiment.Experiment, d *results.Document) ([]results.Days, error) {
	it := numbered(e, d.Iteration)
	if it == nil {
		return nil, nil
	}
	slots, err := s.DB.SlotsAt(ctx, e.Key, d.Iteration, d.Vector)
	if err != nil {
		return nil, fmt.Errorf("read the slots of %s: %w", e.Key, err)
	}
	then := Past{At: d.At, vector: d.Vector, freshness: d.Freshness}
	return results.ByDay(e, it, dayCells(slots), results.Maturity(e, it, then.statuses())), nil
}

// numbered is the iteration with the number; nil without.
func numbered(e *experiment.Experiment, number uint32) *experiment.Iteration {
	for i := range e.Iterations {
		if e.Iterations[i].Number == number {
			return &e.Iterations[i]
		}
	}
	return nil
}

func dayCells(slots []clickhouse.SlotRow) []results.DayCell {
	var cells []results.DayCell
	for i := range slots {
		r := &slots[i]
		if r.Settling {
			continue
		}
		cells = append(cells, results.DayCell{Slot: r.Slot, Phase: r.Phase, Variant: r.Variant, Metric: r.Metric, Sums: results.Sums{
			N: r.N, NonZero: r.NonZero, Over: r.Over, Sum: r.Sum.Big(), SumSquares: r.SumSquares.Big(),
			SumDenominator: r.SumDenominator.Big(), SumSquaresDenominator: r.SumSquaresDenominator.Big(), SumProduct: r.SumProduct.Big(),
		}})
	}
	return cells
}
