package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// storeOwn stores a look that is computed from stored events.
func (s *Stack) storeOwn(ctx context.Context, look *clickhouse.Look, document any) error {
	b, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode the %s look of %s: %w", look.Kind, look.Experiment, err)
	}
	look.Document = b
	if err := s.DB.StoreLook(ctx, look); err != nil {
		return fmt.Errorf("store the %s look of %s: %w", look.Kind, look.Experiment, err)
	}
	return nil
}

// lastOwn is the newest look of a kind, nil without one.
func lastOwn[T any](ctx context.Context, s *Stack, key string, iteration uint32, kind clickhouse.LookKind) (*T, error) {
	return ownBefore[T](ctx, s, key, iteration, kind, time.Time{})
}

// ownBefore is the newest one before a time; the zero time: of all.
func ownBefore[T any](ctx context.Context, s *Stack, key string, iteration uint32, kind clickhouse.LookKind, to time.Time) (*T, error) {
	looks, err := s.newestBefore(ctx, key, iteration, kind, to)
	if err != nil {
		return nil, fmt.Errorf("read the last %s look of %s: %w", kind, key, err)
	}
	if len(looks) == 0 {
		return nil, nil
	}
	out := new(T)
	if err := json.Unmarshal(looks[0].Document, out); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", looks[0].ID, err)
	}
	return out, nil
}

// newestBefore is the newest look of a kind before a time (zero: of all), in a list of at
// most one. It is looked for in the last hour first, where that of a running experiment
// lies: a query that may go back for ever reads every look there is.
func (s *Stack) newestBefore(ctx context.Context, key string, iteration uint32, kind clickhouse.LookKind, to time.Time) ([]clickhouse.Look, error) {
	f := clickhouse.LookFilter{Experiment: key, Iteration: iteration, Kind: kind, To: to, Documents: true, Limit: 1}
	if !to.IsZero() {
		f.From = to.Add(-time.Hour)
		if looks, err := s.DB.Looks(ctx, f); err != nil || len(looks) > 0 {
			return looks, err
		}
		f.From, f.To = time.Time{}, f.From
	}
	return s.DB.Looks(ctx, f)
}

func vectorOf(positions []clickhouse.Position) map[uint16]uint64 {
	out := map[uint16]uint64{}
	for _, p := range positions {
		out[p.Shard] = p.Seq
	}
	return out
}

// rounds does something at once and then every so often. A failure is logged.
func (s *Stack) rounds(ctx context.Context, what string, every time.Duration, round func(context.Context, time.Time) error) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := round(ctx, time.Now()); err != nil && !errors.Is(err, context.Canceled) {
			s.Log.Warn(what, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// versionAge is how old the configuration may become in a long round.
const versionAge = time.Minute

// eachRunning goes through the iterations that run, or whose last outcomes may yet come.
func (s *Stack) eachRunning(ctx context.Context, do func(*experiment.Version, *experiment.Experiment, *experiment.Iteration) error) error {
	v, err := s.DB.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	read := time.Now()
	var keys []string
	for i := range v.Experiments {
		keys = append(keys, v.Experiments[i].Key)
	}
	var errs []error
	for _, key := range keys {
		now := time.Now()
		if now.Sub(read) > versionAge {
			if v, err = s.DB.Version(ctx); err != nil {
				return errors.Join(append(errs, fmt.Errorf("read the configuration in force: %w", err))...)
			}
			read = now
		}
		e := v.Find(key)
		if e == nil {
			continue // deleted since
		}
		if it := iterationOf(e, 0, now); it != nil && now.Before(it.End.Add(e.Window.Std())) {
			errs = append(errs, do(&v, e, it))
		}
	}
	return errors.Join(errs...)
}
