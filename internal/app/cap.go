package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// FixedCap says what a cap has become.
type FixedCap struct {
	Metric  string `json:"metric"`
	Cap     string `json:"cap"`   // in the metric's unit
	Units   int64  `json:"units"` // whose totals it was read from
	Version uint32 `json:"version"`
}

// FixCap makes a metric's percentile cap the number that it has over a closed
// stretch of stored events, as a version of its own.
func (s *Stack) FixCap(ctx context.Context, metric string, from, to time.Time, author string, now time.Time) (FixedCap, error) {
	if !from.Before(to) || to.After(now) {
		return FixedCap{}, WithHint(fmt.Errorf("%s to %s is no closed stretch of time", from.Format(time.RFC3339), to.Format(time.RFC3339)),
			"name two times that have passed, such as the month before the experiment")
	}
	for {
		v, err := s.DB.Version(ctx)
		if err != nil {
			return FixedCap{}, fmt.Errorf("read the configuration in force: %w", err)
		}
		i := slices.IndexFunc(v.Metrics, func(m experiment.Metric) bool { return m.Name == metric && m.CapOpen() })
		if i < 0 {
			_, err := v.FixCap(metric, "0", "", author, now) // says which of the two it is
			return FixedCap{}, err
		}
		out, err := s.fixCap(ctx, &v, &v.Metrics[i], from, to, author, now)
		if !errors.Is(err, clickhouse.ErrConflict) {
			return out, err
		}
	}
}

func (s *Stack) fixCap(ctx context.Context, v *experiment.Version, m *experiment.Metric, from, to time.Time, author string, now time.Time) (FixedCap, error) {
	positions, err := s.DB.Positions(ctx)
	if err != nil {
		return FixedCap{}, fmt.Errorf("read the shards' positions: %w", err)
	}
	got, err := s.DB.Cap(ctx, m, from, to, positions)
	if err != nil {
		return FixedCap{}, fmt.Errorf("read the percentile of %s: %w", m.Name, err)
	}
	if got.Units == 0 || got.Value.Sign() <= 0 {
		return FixedCap{}, WithHint(fmt.Errorf("%d units have a total of %s in that stretch, which gives no cap above 0", got.Units, m.Name),
			"choose a stretch with events of the metric")
	}
	out := FixedCap{Metric: m.Name, Cap: results.Decimal(got.Value, m.Decimals), Units: got.Units}
	next, err := v.FixCap(m.Name, out.Cap, fmt.Sprintf("percentile %g of %d units from %s to %s",
		m.Cap.Percentile, got.Units, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)), author, now)
	if err != nil {
		return FixedCap{}, err
	}
	out.Version = next.Number
	if err := s.DB.AppendVersion(ctx, *next); err != nil {
		return FixedCap{}, fmt.Errorf("append version %d: %w", next.Number, err)
	}
	return out, nil
}
