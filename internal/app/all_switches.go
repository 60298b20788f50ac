package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

// allSwitches are those of the operator's configuration and our own.
type allSwitches struct {
	named switches
	own   ownSwitch
}

func (s *Stack) allSwitches() (allSwitches, error) {
	named, err := newSwitches(s.Config.Switches)
	if err == nil && named[experiment.OwnSwitch] != nil {
		err = WithHint(fmt.Errorf("switches.%s: that is the name of assay's own switch", experiment.OwnSwitch), "call it otherwise; the own one needs no settings")
	}
	return allSwitches{named, ownSwitch{s.DB}}, err
}

// of is the switch of a name.
func (s allSwitches) of(name string) watch.Switch {
	if name == experiment.OwnSwitch {
		return s.own
	}
	return s.named
}

// Off implements watch.Switch.
func (s allSwitches) Off(ctx context.Context, o watch.Order, progress func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	return s.of(o.Switch).Off(ctx, o, progress)
}

// IsOff implements watch.Switch.
func (s allSwitches) IsOff(ctx context.Context, o watch.Order) (bool, error) {
	return s.of(o.Switch).IsOff(ctx, o)
}

// Drill implements watch.Switch.
func (s allSwitches) Drill(ctx context.Context, o watch.Order) (watch.Drill, error) {
	return s.of(o.Switch).Drill(ctx, o)
}

// OffersArm implements watch.Arms. Our own turns any arm off.
func (s allSwitches) OffersArm(name, arm string) bool {
	return name == experiment.OwnSwitch || s.named.OffersArm(name, arm)
}

func (s allSwitches) try(ctx context.Context, e *experiment.Experiment) []doctor.Tried {
	if e.KillSwitch == experiment.OwnSwitch {
		return s.own.try(ctx, e)
	}
	return s.named.try(ctx, e)
}
