package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/watch"
)

// Acts is what people do by hand, whichever way they come: the command line, the API
// and the pages have this one code path. Whatever is done is a line of the decision
// log with the person's name; whatever is not done is a line of the audit log.
type Acts struct {
	owners  access.Lookup
	hand    func(actor string) (hand, error)
	changes approving
	audit   *slog.Logger
	lasts   bool // a kill that was begun goes on when who asked for it is gone
}

// hand carries out what is allowed.
type hand interface {
	Kill(ctx context.Context, o watch.Off) (guardrails.Kill, error)
	Drill(ctx context.Context, o watch.Off) (watch.Drill, error)
	Resume(ctx context.Context, of watch.Named, reason string, rearmAlpha float64) (*experiment.Version, error)
	Snooze(ctx context.Context, of watch.Named, reason string, d time.Duration) (time.Time, error)
	Acknowledge(ctx context.Context, of watch.Named, phase uint16, reason string) error
	Note(ctx context.Context, of watch.Named, text string) (uint64, error)
	Ramp(ctx context.Context, of watch.Named, act, reason string) (watch.RampSaid, error)
}

// approving is what waits for approvals.
type approving interface {
	Approve(ctx context.Context, by string, o acts.Approve) (*governance.Proposal, error)
	Resume(ctx context.Context, key string, rearm float64, author string) error
}

// Acts makes the service for a command, which can be stopped.
func (s *Stack) Acts(audit *slog.Logger) *Acts {
	return &Acts{owners: owners{s.DB}, audit: audit, changes: s.changes(), hand: func(actor string) (hand, error) { return s.Hand(actor) }}
}

// LastingActs makes the service for a door: a browser that is closed leaves no kill
// half done.
func (s *Stack) LastingActs(audit *slog.Logger) *Acts {
	a := s.Acts(audit)
	a.lasts = true
	return a
}

// Kill turns an experiment or one arm off.
func (a *Acts) Kill(ctx context.Context, who access.Principal, o acts.Kill) (k guardrails.Kill, err error) {
	if ctx, err = a.lasting(ctx); err != nil {
		return k, err
	}
	err = a.do(ctx, who, access.Kill, o.On, func(ctx context.Context, h hand) error {
		k, err = h.Kill(ctx, watch.Off{Named: named(o.On), Arm: o.Arm, Reason: o.Reason})
		return err
	})
	return k, err
}

// Drill tries a kill out, all of it but the write.
func (a *Acts) Drill(ctx context.Context, who access.Principal, o acts.Kill) (d acts.Drill, err error) {
	err = a.do(ctx, who, access.Kill, o.On, func(ctx context.Context, h hand) error {
		drilled, err := h.Drill(ctx, watch.Off{Named: named(o.On), Arm: o.Arm, Reason: o.Reason})
		d = acts.Drill(drilled)
		return err
	})
	return d, err
}

// Resume opens the next iteration of a killed experiment.
func (a *Acts) Resume(ctx context.Context, who access.Principal, o acts.Resume) (v *experiment.Version, err error) {
	err = a.do(ctx, who, access.Resume, o.On, func(ctx context.Context, h hand) error {
		if err := a.changes.Resume(ctx, o.Experiment, o.Rearm, who.Name); err != nil {
			return err
		}
		v, err = h.Resume(ctx, named(o.On), o.Reason, o.Rearm)
		return err
	})
	return v, err
}

// Snooze lets automatic kills wait: of an experiment, or of all, the global stop.
func (a *Acts) Snooze(ctx context.Context, who access.Principal, o acts.Snooze) (until time.Time, err error) {
	action := access.Snooze
	if o.Experiment == "" {
		action = access.StopAll
	}
	err = a.do(ctx, who, action, o.On, func(ctx context.Context, h hand) error {
		until, err = h.Snooze(ctx, named(o.On), o.Reason, o.For)
		return err
	})
	return until, err
}

// Acknowledge lets a phase be judged although its split is broken.
func (a *Acts) Acknowledge(ctx context.Context, who access.Principal, o acts.Acknowledge) error {
	return a.do(ctx, who, access.Acknowledge, o.On, func(ctx context.Context, h hand) error {
		return h.Acknowledge(ctx, named(o.On), o.Phase, o.Reason)
	})
}

// Note writes something down beside an experiment. It returns the number of the line.
func (a *Acts) Note(ctx context.Context, who access.Principal, o acts.Note) (seq uint64, err error) {
	err = a.do(ctx, who, access.Annotate, o.On, func(ctx context.Context, h hand) error {
		seq, err = h.Note(ctx, named(o.On), o.Reason)
		return err
	})
	return seq, err
}

// Approve agrees to a change that somebody else wants, or takes that back, and returns
// what then waits.
func (a *Acts) Approve(ctx context.Context, who access.Principal, o acts.Approve) (p *governance.Proposal, err error) {
	err = a.do(ctx, who, access.Approve, o.On, func(ctx context.Context, _ hand) error {
		p, err = a.changes.Approve(ctx, who.Name, o)
		return err
	})
	return p, err
}

// Ramp agrees to a ramp's next step, holds it, lets it go on or reverts it. Whoever may
// hold it need not be who may let it grow.
func (a *Acts) Ramp(ctx context.Context, who access.Principal, o acts.Ramp) (done acts.Ramped, err error) {
	action := access.ShrinkRamp
	if o.Act.Grows() {
		action = access.GrowRamp
	}
	if ctx, err = a.lasting(ctx); err != nil {
		return done, err
	}
	err = a.do(ctx, who, action, o.On, func(ctx context.Context, h hand) error {
		said, err := h.Ramp(ctx, named(o.On), string(o.Act), o.Reason)
		done = acts.Ramped{Act: o.Act, Step: said.Step, Traffic: said.Traffic, Decision: said.Decision, State: string(said.State)}
		return err
	})
	return done, err
}

// lasting is the context of what is not left half done. It is not begun while the
// decision log cannot be written: it would be done some time later, when nobody expects it.
func (a *Acts) lasting(ctx context.Context) (context.Context, error) {
	if !a.lasts {
		return ctx, nil
	}
	if err := catalog.AwayOf(ctx); err != nil {
		return ctx, err
	}
	return context.WithoutCancel(ctx), nil
}

func named(on acts.On) watch.Named {
	return watch.Named{Experiment: on.Experiment, Iteration: on.Iteration}
}

// do lets somebody act who may, and tells of it when nothing came of it.
func (a *Acts) do(ctx context.Context, who access.Principal, action access.Action, on acts.On, act func(context.Context, hand) error) error {
	err := a.may(ctx, who, action, on)
	ctx = access.With(ctx, who)
	if err == nil {
		var h hand
		if h, err = a.hand(who.Name); err == nil {
			err = coded(act(ctx, h))
		}
	}
	if err != nil {
		a.audit.Warn("act refused", "action", string(action), "experiment", on.Experiment, "iteration", on.Iteration,
			"actor", who.Name, "role", who.Role.String(), "reason", on.Reason, "code", string(acts.CodeOf(err)), "error", err)
	}
	return err
}

// may refuses who may not, and an order without a reason.
func (a *Acts) may(ctx context.Context, who access.Principal, action access.Action, on acts.On) error {
	e := access.Experiment{Key: on.Experiment}
	if on.Experiment != "" {
		owner, err := a.owners.Owner(ctx, on.Experiment)
		if err != nil {
			return err
		}
		e.Owner = owner
	}
	if who.Anonymous() || !who.May(action, e) {
		return &acts.Error{Code: acts.Forbidden, Err: fmt.Errorf("%s needs %s", action, action.Needs())}
	}
	if err := acts.CheckReason(on.Reason); err != nil {
		return &acts.Error{Code: acts.Invalid, Err: err}
	}
	return nil
}

// coded gives what the hand cannot do its code.
func coded(err error) error {
	if err == nil {
		return nil
	}
	for _, c := range []struct {
		err  error
		code acts.Code
	}{
		{experiment.ErrUnknown, acts.Unknown},
		{watch.ErrStale, acts.Stale},
		{watch.ErrNotRunning, acts.Conflict},
		{watch.ErrKilled, acts.Conflict},
		{watch.ErrRamp, acts.Conflict},
		{experiment.ErrNoRamp, acts.Conflict},
		{watch.ErrNoAlarm, acts.Conflict},
		{experiment.ErrNotRunning, acts.Conflict},
		{experiment.ErrNotKilled, acts.Conflict},
		{experiment.ErrPlanned, acts.Conflict},
		{experiment.ErrNoSwitch, acts.Invalid},
		{experiment.ErrAlphaKill, acts.Invalid},
		{watch.ErrNoReason, acts.Invalid},
		{watch.ErrSnooze, acts.Invalid},
		{watch.ErrArm, acts.Invalid},
	} {
		if errors.Is(err, c.err) {
			return &acts.Error{Code: c.code, Err: err}
		}
	}
	return err
}
