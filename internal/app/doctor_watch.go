package app

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/results"
)

// watched are the running experiments with guardrails, as the guard last saw them.
func (s *Stack) watched(ctx context.Context, now time.Time) ([]doctor.Watched, error) {
	v, err := s.DB.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the configuration in force: %w", err)
	}
	var out []doctor.Watched
	for i := range v.Experiments {
		e := &v.Experiments[i]
		it := e.At(now)
		if it == nil || len(e.Guardrails) == 0 {
			continue
		}
		w := doctor.Watched{
			Experiment: e.Key, Stall: cmp.Or(e.Stall.Std(), guardrails.DefaultStall), Silence: cmp.Or(e.Silence.Std(), guardrails.DefaultSilence),
		}
		d, err := s.storedLook(ctx, e.Key, it, clickhouse.FullLook)
		if err != nil {
			return nil, err
		}
		if d != nil {
			saw(&w, d)
		}
		out = append(out, w)
	}
	return out, nil
}

// saw takes from a look what it says of the watch.
func saw(w *doctor.Watched, d *results.Document) {
	w.Looked = d.At
	for _, seen := range d.Seen {
		what := "exposures that stop"
		if seen.Metric != "" {
			what = "outcomes of " + seen.Metric + " that stop"
		}
		w.Stops = append(w.Stops, doctor.Stop{What: what, Within: time.Duration(seen.Seconds) * time.Second})
	}
	for _, a := range d.Anomalies {
		w.Anomalies = append(w.Anomalies, doctor.Anomaly{Blind: a.Blind, Detail: fmt.Sprintf("%s: %s", a, a.Text)})
	}
}
