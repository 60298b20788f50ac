package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// RampView is an experiment's ramp as the guard saw it last.
type RampView struct {
	Experiment string       `json:"experiment"`
	Iteration  uint32       `json:"iteration"`
	At         time.Time    `json:"at"` // of the look
	Ramp       results.Ramp `json:"ramp"`
}

// RampOf reads the newest look's word on the ramp of an experiment's latest iteration.
func (s *Stack) RampOf(ctx context.Context, key string) (RampView, error) {
	out := RampView{Experiment: key}
	v, err := s.DB.Version(ctx)
	if err != nil {
		return out, fmt.Errorf("read the configuration in force: %w", err)
	}
	e := v.Find(key)
	if e == nil || e.Latest() == nil {
		return out, fmt.Errorf("%s: %w", key, experiment.ErrUnknown)
	}
	if e.Latest().Ramp == nil {
		return out, fmt.Errorf("%s: %w", key, experiment.ErrNoRamp)
	}
	out.Iteration = e.Latest().Number
	looks, err := s.DB.Looks(ctx, clickhouse.LookFilter{Experiment: key, Iteration: out.Iteration, Kind: clickhouse.GuardLook, Documents: true, Limit: 1})
	if err != nil {
		return out, fmt.Errorf("read the newest look at %s: %w", key, err)
	}
	var d results.Document
	if len(looks) > 0 {
		if err := json.Unmarshal(looks[0].Document, &d); err != nil {
			return out, fmt.Errorf("decode look %s: %w", looks[0].ID, err)
		}
	}
	if d.Ramp == nil {
		return out, WithHint(errors.New("no guard has looked at this ramp yet"), "start `assay guard`, or `assay run`")
	}
	out.At, out.Ramp = d.At, *d.Ramp
	return out, nil
}
