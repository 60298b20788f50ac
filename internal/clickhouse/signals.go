package clickhouse

import (
	"context"
	"fmt"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// SignalReading is one reading of a signal, with how much of the traffic was exposed.
type SignalReading struct {
	Experiment string
	Iteration  uint32
	Signal     string
	Source     uint64 // of the question: an edited signal begins anew
	At         time.Time
	Value      float64
	Gap        string // why there is no value; "": there is one
	Phase      uint16
	Planned    float64
	Look       string // "": the units are not known
	Units      int64
	Treated    int64
	Instance   string
}

// SignalSpan is a stretch of readings of one signal; of single ones it is one reading.
type SignalSpan struct {
	Signal          string
	Source          uint64
	First, Last     time.Time
	Mean, Low, High *float64 // nil without an answer
	Answers, Gaps   uint64
	Why             string // of the last gap
	Phase           uint16
	Planned         float64
	Look            string // newest with units; "": none
	Units, Treated  int64
}

// SignalFilter asks for a stretch of readings, by signal, source and time.
type SignalFilter struct {
	Experiment string
	Iteration  uint32
	Signal     string        // "": all
	Source     uint64        // 0: all
	From, To   time.Time     // [From, To)
	Every      time.Duration // readings within so long are one span; 0: each by itself
}

// StoreSignals adds readings. Those of a time that is there already take its place if
// they alone have a value.
func (db *DB) StoreSignals(ctx context.Context, readings []SignalReading) error {
	if len(readings) == 0 {
		return nil
	}
	return db.retry(idempotent(ctx), "insert signals", func(ctx context.Context) error {
		batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO signals (experiment, iteration, signal, source, at, answered, value, gap, phase, planned, look, units, treated, instance)")
		if err != nil {
			return err
		}
		for i := range readings {
			r := &readings[i]
			var value *float64
			answered := uint8(0)
			if r.Gap == "" {
				value, answered = &r.Value, 1
			}
			if err := batch.Append(r.Experiment, r.Iteration, r.Signal, r.Source, r.At, answered, value, r.Gap, r.Phase, r.Planned, r.Look, r.Units, r.Treated, r.Instance); err != nil {
				_ = batch.Abort() // a batch that is neither sent nor aborted keeps its connection
				return err
			}
		}
		return batch.Send()
	})
}

// Signals are readings of an iteration's signals, by signal, source and time.
func (db *DB) Signals(ctx context.Context, f SignalFilter) ([]SignalSpan, error) {
	params := args{
		"experiment": f.Experiment, "iteration": f.Iteration, "signal": f.Signal, "source": f.Source,
		"from": f.From.UnixMilli(), "to": f.To.UnixMilli(), "every": f.Every.Milliseconds(),
	}
	out, err := collect(ctx, db, "signals", params, func(rows native.Rows, s *SignalSpan) error {
		return rows.Scan(&s.Signal, &s.Source, &s.First, &s.Last, &s.Mean, &s.Low, &s.High, &s.Answers, &s.Gaps, &s.Why, &s.Phase, &s.Planned, &s.Look, &s.Units, &s.Treated)
	})
	if err != nil {
		return nil, fmt.Errorf("read the signals of %s: %w", f.Experiment, err)
	}
	return out, nil
}
