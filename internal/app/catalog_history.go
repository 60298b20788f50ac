package app

import (
	"context"
	"math"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
)

// History is what the stored looks of an iteration said, over time.
func (c *Catalog) History(ctx context.Context, h catalog.Stretch) ([]catalog.Series, error) {
	f, err := c.stretch(ctx, h)
	if err != nil {
		return nil, err
	}
	points, err := c.stack.DB.Effects(ctx, f, h.Metric, h.Arm)
	if err != nil {
		return nil, err
	}
	out := []catalog.Series{}
	for _, p := range points {
		if n := len(out); n == 0 || out[n-1].Metric != p.Metric || out[n-1].Arm != p.Arm {
			out = append(out, catalog.Series{Metric: p.Metric, Arm: p.Arm})
		}
		last := &out[len(out)-1]
		last.Points = append(last.Points, catalog.Point{
			At: p.At, Look: p.Look, Open: measured(p.Units[:2], p.Numbers[:10]), Matured: measured(p.Units[2:], p.Numbers[10:]),
		})
	}
	return out, nil
}

func measured(units []int64, numbers []float64) catalog.Measured {
	span := func(n []float64) catalog.Span {
		number := func(i int) results.Number { return results.Number(n[i]) }
		return catalog.Span{
			Estimate: number(0), Fixed: results.Interval{Low: number(1), High: number(2)}, Sequential: results.Interval{Low: number(3), High: number(4)},
		}
	}
	return catalog.Measured{Units: catalog.Units{Treatment: units[0], Control: units[1]}, Absolute: span(numbers[:5]), Relative: span(numbers[5:])}
}

// Splits are the units and the sample-ratio tests of an iteration's phases, over time.
func (c *Catalog) Splits(ctx context.Context, h catalog.Stretch) ([]catalog.SplitPoint, error) {
	f, err := c.stretch(ctx, h)
	if err != nil {
		return nil, err
	}
	points, err := c.stack.DB.Splits(ctx, f)
	if err != nil {
		return nil, err
	}
	out := make([]catalog.SplitPoint, len(points))
	for i, p := range points {
		units := make(map[string]int64, len(p.Arms))
		for j, arm := range p.Arms {
			units[arm] = p.Units[j]
		}
		out[i] = catalog.SplitPoint{At: p.At, Look: p.Look, Phase: p.Phase, Units: units, P: results.Number(p.P)}
	}
	return out, nil
}

// stretch chooses looks so that a series has no more points than asked for.
func (c *Catalog) stretch(ctx context.Context, h catalog.Stretch) (clickhouse.LookFilter, error) {
	_, it, err := c.find(ctx, h.Experiment, h.Iteration)
	if err != nil {
		return clickhouse.LookFilter{}, err
	}
	points := h.Points
	if points <= 0 {
		points = historyPoints
	}
	from, to := later(h.From, it.Start), c.now().UTC()
	if !h.To.IsZero() && h.To.Before(to) {
		to = h.To
	}
	every := time.Duration(math.Ceil(float64(to.Sub(from)) / float64(points)))
	return clickhouse.LookFilter{
		Experiment: h.Experiment, Iteration: it.Number, Kind: clickhouse.FullLook, From: h.From, To: h.To,
		Every: max(every, 0).Round(time.Millisecond),
	}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
