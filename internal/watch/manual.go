package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// What a person cannot do.
var (
	ErrNoReason   = errors.New("a reason is needed: it stands in the decision log for ever")
	ErrNotRunning = errors.New("no iteration of the experiment runs")
	ErrNoAlarm    = errors.New("there is no open sample-ratio alarm")
	ErrKilled     = errors.New("the iteration is being turned off or is off already")
	ErrSnooze     = errors.New("a snooze lasts a week at most; 0 ends it")
	ErrStale      = errors.New("another iteration is the latest by now")
	ErrArm        = errors.New("that arm cannot be turned off by itself")
	ErrRamp       = errors.New("the ramp is not where that makes sense")
)

// Named is an experiment as the person who acts on it sees it.
type Named struct {
	Experiment string
	Iteration  uint32 // the one that they see; 0: whichever it is
}

// Off is what a person has turned off.
type Off struct {
	Named
	Arm    string // this one alone; "": the experiment
	Reason string
}

// Hand is a person's way into the decision log: what is done by hand is written
// and carried out like what a guard decides. A guard that runs beside it takes
// over a kill that the hand began and did not finish.
type Hand struct {
	watch *Watch
	actor string
}

// NewHand needs Versions and Journal, and for Kill the Switch. The actor is the
// person's name; it also names the process that carries the act out.
func NewHand(actor string, c Config, p Parts) (*Hand, error) {
	if actor == "" {
		return nil, errors.New("watch: whose hand is it? An actor is needed")
	}
	// The guards hear of it from the log, and tell: this one is never live.
	c.Instance, p.Notifier = actor, nil
	w, err := newWatch(c, p)
	if err != nil {
		return nil, err
	}
	return &Hand{watch: w, actor: actor}, nil
}

// Kill turns an experiment off and ends its iteration, or turns off one arm of it. It
// returns how far that came; a kill that is denied, pending or failed ends nothing and
// is not an error. Limits do not bind a person.
func (h *Hand) Kill(ctx context.Context, o Off) (guardrails.Kill, error) {
	if o.Reason == "" {
		return guardrails.Kill{}, ErrNoReason
	}
	v, it, err := h.running(ctx, o.Named)
	if err != nil {
		return guardrails.Kill{}, err
	}
	key := o.Experiment
	if o.Arm != "" && !h.watch.leavesOthers(v.Find(key), it, o.Arm) {
		return guardrails.Kill{}, fmt.Errorf("kill %s, arm %s: %w", key, o.Arm, ErrArm)
	}
	e, written, err := h.watch.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		if offAlready(log.Kill(key, it.Number)) || o.Arm != "" && offAlready(log.ArmKill(key, it.Number, o.Arm)) {
			return guardrails.Entry{}, false
		}
		return guardrails.Entry{
			Kind: guardrails.Decided, Act: guardrails.DoKill, Experiment: key, Iteration: it.Number, Arm: o.Arm, ArmOff: o.Arm != "",
			Actor: h.actor, Text: o.Reason, Config: v.Number, Code: h.watch.config.Code,
		}, true
	})
	switch {
	case err != nil:
		return guardrails.Kill{}, err
	case !written:
		return guardrails.Kill{}, fmt.Errorf("kill %s: %w", key, ErrKilled)
	}
	return h.finish(ctx, v, e.Seq)
}

// offAlready tells whether a kill is under way or was carried out.
func offAlready(k guardrails.Kill, decided bool) bool {
	return decided && (!k.State.Final() || k.State == guardrails.Verified)
}

func (h *Hand) finish(ctx context.Context, v *experiment.Version, decision uint64) (guardrails.Kill, error) {
	var k guardrails.Kill
	now := func() { h.watch.book.read(func(log *guardrails.Log) { k, _ = log.ByDecision(decision) }) }
	now()
	err := h.watch.carry(ctx, v, k)
	now()
	if err != nil {
		return k, fmt.Errorf("kill %s: %w", k.Decided.Experiment, err)
	}
	return k, nil
}

// Drill tries a kill of the latest iteration out, all of it but the write, and writes
// down that this was done and how it went.
func (h *Hand) Drill(ctx context.Context, o Off) (Drill, error) {
	if o.Reason == "" {
		return Drill{}, ErrNoReason
	}
	v, it, err := h.latest(ctx, o.Named)
	if err != nil {
		return Drill{}, err
	}
	key, reason := o.Experiment, o.Reason
	order := Order{
		Key:    guardrails.KillKey(key, it.Number, "drill", 0), // of no decision
		Switch: v.Find(key).KillSwitch, Experiment: key, Arm: o.Arm, Iteration: it.Number, DecidedAt: h.watch.now(), Reason: h.actor + ": " + reason,
	}
	drill, drillErr := h.watch.parts.Switch.Drill(ctx, order)
	text := fmt.Sprintf("%s: the switch reads as %s, %s %s was not sent", reason, drill.Reads, drill.Method, drill.Host)
	switch {
	case drillErr != nil:
		text = fmt.Sprintf("%s: a kill could not even be prepared: %v", reason, drillErr)
	case drill.Trouble != "":
		text = fmt.Sprintf("%s: a kill would fail, or could not be verified: %s", reason, drill.Trouble)
	}
	_, _, err = h.watch.book.write(ctx, func(*guardrails.Log) (guardrails.Entry, bool) {
		return guardrails.Entry{Kind: guardrails.Drilled, Experiment: key, Iteration: it.Number, Arm: o.Arm,
			Actor: h.actor, Text: text, Config: v.Number, Code: h.watch.config.Code}, true
	})
	return drill, errors.Join(drillErr, err)
}

// Snooze lets automatic kills wait: of an experiment, or with the empty key of all,
// which is the global stop. Every guard heeds it from its next look on. A duration of 0
// ends what was said before. A kill that is under way is not stopped by it.
func (h *Hand) Snooze(ctx context.Context, of Named, reason string, d time.Duration) (until time.Time, err error) {
	switch {
	case reason == "":
		return until, ErrNoReason
	case d < 0 || d > MaxSnooze:
		return until, ErrSnooze
	}
	entry := guardrails.Entry{Kind: guardrails.Snoozed, Experiment: of.Experiment, Actor: h.actor, Text: reason, Code: h.watch.config.Code}
	if of.Experiment == "" {
		err = h.watch.book.sync(ctx)
	} else {
		var v *experiment.Version
		var it *experiment.Iteration
		if v, it, err = h.latest(ctx, of); err == nil {
			entry.Config, entry.Iteration = v.Number, it.Number
		}
	}
	if err != nil {
		return until, err
	}
	entry.Until = h.watch.now().Add(d)
	_, _, err = h.watch.book.write(ctx, func(*guardrails.Log) (guardrails.Entry, bool) { return entry, true })
	return entry.Until, err
}

// Note writes something down beside the latest iteration of an experiment, and changes
// nothing. It returns the line's number.
func (h *Hand) Note(ctx context.Context, of Named, text string) (uint64, error) {
	if text == "" {
		return 0, ErrNoReason
	}
	v, it, err := h.latest(ctx, of)
	if err != nil {
		return 0, err
	}
	e, _, err := h.watch.book.write(ctx, func(*guardrails.Log) (guardrails.Entry, bool) {
		return guardrails.Entry{Kind: guardrails.Noted, Experiment: of.Experiment, Iteration: it.Number,
			Actor: h.actor, Text: text, Config: v.Number, Code: h.watch.config.Code}, true
	})
	return e.Seq, err
}

// MaxSnooze is how long automatic kills can wait on one word: a stop that nobody ends
// is forgotten.
const MaxSnooze = 7 * 24 * time.Hour

// Acknowledge closes an open sample-ratio alarm of the latest iteration: from
// now on its phase is judged although its split is not the intended one.
func (h *Hand) Acknowledge(ctx context.Context, of Named, phase uint16, reason string) error {
	if reason == "" {
		return ErrNoReason
	}
	v, it, err := h.latest(ctx, of)
	if err != nil {
		return err
	}
	key := of.Experiment
	_, written, err := h.watch.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		for _, a := range log.Alarms(key, it.Number) {
			if a.Phase == phase && a.Open() {
				return guardrails.Entry{
					Kind: guardrails.SRMAcknowledged, Experiment: key, Iteration: it.Number, Phase: phase,
					Actor: h.actor, Text: reason, Config: v.Number, Code: h.watch.config.Code,
				}, true
			}
		}
		return guardrails.Entry{}, false
	})
	if err == nil && !written {
		return fmt.Errorf("%s, phase %d: %w", key, phase, ErrNoAlarm)
	}
	return err
}

// Resume opens the next iteration after a kill. Its guardrails only notify
// unless a new budget of false kills is declared. It turns nothing on: that is
// done in the flag system, by a person.
func (h *Hand) Resume(ctx context.Context, of Named, reason string, rearmAlpha float64) (*experiment.Version, error) {
	if reason == "" {
		return nil, ErrNoReason
	}
	v, _, err := h.latest(ctx, of)
	if err != nil {
		return nil, err
	}
	key := of.Experiment
	next, err := v.Resume(key, rearmAlpha, reason, h.actor, h.watch.now())
	if err != nil {
		return nil, err
	}
	_, _, err = h.watch.book.write(ctx, func(*guardrails.Log) (guardrails.Entry, bool) {
		return guardrails.Entry{
			Kind: guardrails.Resumed, Experiment: key, Iteration: next.Find(key).Latest().Number,
			Actor: h.actor, Text: reason, Config: next.Number, Code: h.watch.config.Code,
		}, true
	})
	if err != nil {
		return nil, err
	}
	if err := h.watch.parts.Versions.AppendVersion(ctx, *next); err != nil {
		return nil, fmt.Errorf("append version %d: %w", next.Number, err)
	}
	return next, nil
}

// running is the iteration of an experiment that runs now.
func (h *Hand) running(ctx context.Context, of Named) (*experiment.Version, *experiment.Iteration, error) {
	v, _, err := h.latest(ctx, Named{Experiment: of.Experiment})
	if err != nil {
		return nil, nil, err
	}
	it := v.Find(of.Experiment).At(h.watch.now())
	if it == nil {
		return nil, nil, fmt.Errorf("%s: %w", of.Experiment, ErrNotRunning)
	}
	return v, it, of.seen(it)
}

// latest reads the newest version and the decision log.
func (h *Hand) latest(ctx context.Context, of Named) (*experiment.Version, *experiment.Iteration, error) {
	if err := h.watch.book.sync(ctx); err != nil {
		return nil, nil, err
	}
	v, err := h.watch.newest(ctx)
	if err != nil {
		return nil, nil, err
	}
	if v == nil || v.Find(of.Experiment) == nil || v.Find(of.Experiment).Latest() == nil {
		return nil, nil, fmt.Errorf("%s: %w", of.Experiment, experiment.ErrUnknown)
	}
	it := v.Find(of.Experiment).Latest()
	return v, it, of.seen(it)
}

// seen refuses what was meant for another iteration.
func (n Named) seen(it *experiment.Iteration) error {
	if n.Iteration != 0 && n.Iteration != it.Number {
		return fmt.Errorf("%s: it is iteration %d, you named %d: %w", n.Experiment, it.Number, n.Iteration, ErrStale)
	}
	return nil
}
