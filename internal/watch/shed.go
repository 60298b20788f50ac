package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

const (
	// saidWithin is how old a shard's word may be, which consumers give each second.
	saidWithin = 15 * time.Second
	// shedWithin is how long after its line a step is still carried out: later than that
	// somebody must have stopped it, or what it rests on is gone.
	shedWithin = 10 * time.Minute
)

// shedKey is the matter of consumers that leave units out by the operator's plan.
const shedKey = "shed"

// shed follows the operator's plan for the case that more comes in than is counted: a
// step is a line of the decision log, then a version. Whichever guard is there appends it.
func (w *Watch) shed(ctx context.Context, v *experiment.Version, statuses []results.ShardStatus, now time.Time) error {
	kept, from := keptNow(v)
	w.gauges.kept.Set(kept)
	if kept == 1 {
		w.alerts.resolveKey(shedKey, now, "consumers keep all units again", "")
	}
	plan := w.config.Shed
	if len(plan.Keep) == 0 || w.limits.Load().GlobalStop {
		w.overload = guardrails.Overload{}
		return nil
	}
	backlog := backlogOf(statuses, now)
	backlog.Whole = backlog.Whole && !now.Before(from) // the step before is not in force yet
	before := w.overload
	var step *guardrails.Shedding
	if w.overload, step = plan.Step(before, backlog, kept); step != nil {
		w.overload = guardrails.Overload{} // the next step takes its own time
		if err := w.decideShed(ctx, v, guardrails.ShedEvidence{Plan: plan, Overload: before, Now: backlog}, *step); err != nil {
			return err
		}
	}
	return w.carryShed(ctx, v, kept, now)
}

// keptNow is the share of units that consumers keep by the newest step, and when that
// begins.
func keptNow(v *experiment.Version) (kept float64, from time.Time) {
	if n := len(v.Sheds); n > 0 {
		return v.Sheds[n-1].Keep, v.Sheds[n-1].From
	}
	return 1, time.Time{}
}

func backlogOf(statuses []results.ShardStatus, now time.Time) guardrails.Backlog {
	out := guardrails.Backlog{At: now, Whole: len(statuses) > 0}
	for _, s := range statuses {
		out.Whole = out.Whole && s.State == "ok" && !s.Freshness.IsZero() && now.Sub(s.At) < saidWithin
		out.Behind = max(out.Behind, now.Sub(s.Freshness))
	}
	return out
}

// decideShed writes a step down, once for a version: of two guards the first.
func (w *Watch) decideShed(ctx context.Context, v *experiment.Version, evidence guardrails.ShedEvidence, step guardrails.Shedding) error {
	text, err := json.Marshal(evidence)
	if err != nil {
		return fmt.Errorf("write the evidence of a step of the shedding: %w", err)
	}
	_, _, err = w.book.write(ctx, func(log *guardrails.Log) (guardrails.Entry, bool) {
		last, ok := log.Shed()
		e := guardrails.Entry{Kind: guardrails.LoadShed, Actor: w.config.Instance, Code: w.config.Code, Config: v.Number, Shed: &step, Text: evidence.Text(step), Evidence: text}
		return e, !ok || last.Config < v.Number || w.now().Sub(last.At) > shedWithin
	})
	if err != nil {
		return fmt.Errorf("write a step of the shedding: %w", err)
	}
	return nil
}

// carryShed appends the version of the newest step that was decided, unless one did.
func (w *Watch) carryShed(ctx context.Context, v *experiment.Version, kept float64, now time.Time) error {
	var e guardrails.Entry
	w.book.read(func(log *guardrails.Log) { e, _ = log.Shed() })
	if e.Shed == nil || kept != e.Shed.Was || slices.ContainsFunc(v.Sheds, func(s experiment.Shed) bool { return s.From.After(e.At) }) || now.Sub(e.At) > shedWithin {
		return nil
	}
	next, err := v.Shedding(e.Shed.Keep, e.Text, e.Actor, now)
	if err != nil {
		return fmt.Errorf("shed: %w", err)
	}
	if err := w.parts.Versions.AppendVersion(ctx, *next); err != nil {
		number, numberErr := w.parts.Versions.VersionNumber(ctx)
		if numberErr == nil && number > v.Number {
			return nil // another version came first: the next round tries it on that one
		}
		return fmt.Errorf("append version %d: %w", next.Number, err)
	}
	w.parts.Log.Warn("consumers keep fewer units, by the plan", "keep", e.Shed.Keep, "was", e.Shed.Was, "version", next.Number, "decision", e.Seq)
	return nil
}

// shedNews is what a step of the plan says to people.
func shedNews(e guardrails.Entry, a Alert) Alert {
	a.Key, a.Matter, a.State = shedKey, GuardMatter, ""
	a.Title = fmt.Sprintf("consumers keep %s of all units from now on, by the plan", share(e.Shed.Keep))
	return a
}
