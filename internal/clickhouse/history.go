package clickhouse

import (
	"context"
	"fmt"
	"math"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// EffectPoint is what one stored look said of one metric of one arm.
type EffectPoint struct {
	Look        string
	At          time.Time
	Metric, Arm string
	Units       []int64 // treatment and control of all units, then of the matured ones
	// Numbers are five of each: absolute and relative of all units, then of the matured
	// ones. The five are the estimate and the ends of the interval for one look and of
	// that for every look; NaN where there is none.
	Numbers []float64
}

// SplitPoint is the split of one phase in one stored look.
type SplitPoint struct {
	Look  string
	At    time.Time
	Phase uint16
	Arms  []string
	Units []int64
	P     float64
}

// VerdictPoint is what one stored look said of one guardrail in one arm.
type VerdictPoint struct {
	At                   time.Time
	Metric, Arm, Verdict string
}

// Verdicts are the verdicts of an iteration over time, by guardrail, arm and time.
func (db *DB) Verdicts(ctx context.Context, f LookFilter) ([]VerdictPoint, error) {
	out, err := collect(ctx, db, "verdict_history", f.stretch(), func(rows native.Rows, v *VerdictPoint) error {
		return rows.Scan(&v.At, &v.Metric, &v.Arm, &v.Verdict)
	})
	if err != nil {
		return nil, fmt.Errorf("read the verdicts on %s over time: %w", f.Experiment, err)
	}
	return out, nil
}

// Effects are the effects of an iteration over time, by metric, arm and time. The
// filter's experiment, iteration, kind and times narrow it; metric and arm may be empty.
func (db *DB) Effects(ctx context.Context, f LookFilter, metric, arm string) ([]EffectPoint, error) {
	params := f.stretch()
	params["metric"], params["arm"] = metric, arm
	out, err := collect(ctx, db, "look_history", params, func(rows native.Rows, p *EffectPoint) error {
		var numbers []*float64
		err := rows.Scan(&p.Look, &p.At, &p.Metric, &p.Arm, &p.Units, &numbers)
		p.Numbers = make([]float64, len(numbers))
		for i, n := range numbers {
			p.Numbers[i] = orNaN(n)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the effects of %s over time: %w", f.Experiment, err)
	}
	return out, nil
}

// Splits are the splits of an iteration over time, by phase and time.
func (db *DB) Splits(ctx context.Context, f LookFilter) ([]SplitPoint, error) {
	out, err := collect(ctx, db, "split_history", f.stretch(), func(rows native.Rows, s *SplitPoint) error {
		var p *float64
		err := rows.Scan(&s.Look, &s.At, &s.Phase, &s.Arms, &s.Units, &p)
		s.P = orNaN(p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the splits of %s over time: %w", f.Experiment, err)
	}
	return out, nil
}

func orNaN(n *float64) float64 {
	if n == nil {
		return math.NaN()
	}
	return *n
}

// stretch are the bound parameters of a stretch of one iteration's looks.
func (f LookFilter) stretch() args {
	from, to := int64(0), int64(math.MaxInt64/1_000_000)
	if !f.From.IsZero() {
		from = f.From.UnixMilli()
	}
	if !f.To.IsZero() {
		to = f.To.UnixMilli()
	}
	return args{"experiment": f.Experiment, "iteration": f.Iteration, "kind": string(f.Kind), "from": from, "to": to, "every": f.Every.Milliseconds()}
}
