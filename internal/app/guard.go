package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// GuardOptions are the flags of a guard.
type GuardOptions struct {
	Registry prometheus.Registerer
	Observer func(watch.Event)
	Settle   time.Duration // after a kill, until every client knows; 0: the configuration's
	Full     time.Duration // between full looks; 0: the default
	Observe  bool          // every kill is only written down
	Alone    bool          // it neither says that it runs nor hears of others
}

// Guard makes the loop that judges and acts.
func (s *Stack) Guard(opt GuardOptions) (*Guard, error) {
	parts, err := s.guardParts()
	if err != nil {
		return nil, err
	}
	if parts.Ledger, err = NewGuardLedger(s.DB, opt.Registry); err != nil {
		return nil, err
	}
	notifier, err := newNotifier(s.Config.Notify, s.Log, opt.Registry)
	if err != nil {
		return nil, err
	}
	cfg := watch.DefaultConfig()
	cfg.Code, cfg.Instance = s.Code, cmp.Or(s.Config.Guard.Instance, instance())
	read, err := s.newSignals(cfg.Instance, opt.Registry)
	if err != nil {
		return nil, err
	}
	if opt.Alone {
		parts.Presence = nil
	}
	parts.Observer, parts.Metrics, parts.Signals = opt.Observer, opt.Registry, read
	parts.Notifier = messenger{notifier, s.Config.Guard.Runbook}
	reminders, err := newReminders(s, parts.Notifier, opt.Registry)
	if err != nil {
		return nil, err
	}
	parts.Holds = reminders
	cfg.Settle = cmp.Or(opt.Settle, s.Config.Guard.Settle.Std())
	if opt.Full > 0 {
		cfg.FullEvery = opt.Full
	}
	plan := s.Config.Shedding
	cfg.Shed = guardrails.ShedPlan{Keep: plan.Keep, Lag: plan.Lag.Std(), For: plan.For.Std()}
	cfg.Limits.PerHour = s.Config.Guard.KillsPerHour
	cfg.Limits.GlobalStop = s.Config.Guard.Observe || opt.Observe
	w, err := watch.New(cfg, parts)
	if err != nil {
		return nil, err
	}
	s.checked("guard", w.Ready, w.Alive)
	s.follows = w.Follows
	return &Guard{w, notifier, read, reminders}, nil
}

func (s *Stack) guardParts() (watch.Parts, error) {
	sw, err := s.allSwitches()
	if err != nil {
		return watch.Parts{}, err
	}
	return watch.Parts{
		Versions: guardVersions{s.DB}, Fates: s.DB, Journal: journal{s.DB},
		Looks: looks{s.DB}, Presence: s.DB, Switch: sw, Arms: sw, Traffic: sw, Log: s.Log,
	}, nil
}

// instance names a guard: the same over a restart on the same machine.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return "guard@" + host
}

// guardVersions is the database as a guard's list of versions.
type guardVersions struct{ *clickhouse.DB }

// journal is the decision log. A row's evidence is the whole entry; the columns
// beside it are for people with SQL.
type journal struct{ db *clickhouse.DB }

// Entries implements watch.Journal.
func (j journal) Entries(ctx context.Context, after uint64) ([]guardrails.Entry, error) {
	rows, err := j.db.Decisions(ctx, clickhouse.DecisionFilter{After: after})
	if err != nil {
		return nil, err
	}
	return entriesOf(rows)
}

// entriesOf reads the entries that rows of the decision log hold.
func entriesOf(rows []clickhouse.Decision) ([]guardrails.Entry, error) {
	out := make([]guardrails.Entry, len(rows))
	for i, d := range rows {
		var err error
		if out[i], err = EntryOf(d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// EntryOf reads the entry that a row of the decision log holds.
func EntryOf(d clickhouse.Decision) (e guardrails.Entry, err error) {
	if err := json.Unmarshal(d.Evidence, &e); err != nil {
		return e, fmt.Errorf("decode decision %d: %w", d.Seq, err)
	}
	e.Hash = d.Hash
	return e, nil
}

// Append implements watch.Journal. A person's line says how their name is known: people
// come with themselves in the context, guards do not.
func (j journal) Append(ctx context.Context, e guardrails.Entry, after string) (hash string, err error) {
	if p := access.From(ctx); !p.Anonymous() && p.Name == e.Actor && e.Login == "" {
		e.Login = p.Login
	}
	evidence, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encode decision: %w", err)
	}
	row, err := j.db.AppendDecision(ctx, clickhouse.Decision{
		Seq: e.Seq, At: e.At, Experiment: e.Experiment, Iteration: e.Iteration, Guardrail: e.Guardrail, Arm: e.Arm,
		Kind: string(e.Kind), Verdict: e.Verdict.String(), Reason: string(e.Reason), Actor: e.Actor,
		Look: e.Look, Config: e.Config, Code: e.Code, Evidence: evidence, PrevHash: after,
	})
	if errors.Is(err, clickhouse.ErrConflict) {
		return "", guardrails.ErrTaken
	}
	return row.Hash, err
}

// reportDecision puts a row of the log into words.
func reportDecision(d clickhouse.Decision) report.Decision {
	out := report.Decision{Seq: d.Seq, At: d.At, Kind: d.Kind, Actor: d.Actor, Reason: d.Reason}
	if e, err := EntryOf(d); err == nil {
		out.Text = e.Text
	}
	return out
}

// looks stores documents.
type looks struct{ db *clickhouse.DB }

// NewID implements watch.Looks.
func (l looks) NewID(at time.Time) string { return clickhouse.NewLookID(at) }

// Store implements watch.Looks.
func (l looks) Store(ctx context.Context, all []*watch.Look) error {
	rows := make([]*clickhouse.Look, len(all))
	for i, k := range all {
		d := k.Document
		b, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("encode look: %w", err)
		}
		rows[i] = &clickhouse.Look{
			ID: k.ID, Experiment: d.Experiment, Iteration: d.Iteration, Kind: clickhouse.LookKind(d.Kind), At: d.At,
			Version: d.Version, Vector: d.Vector, Verdict: k.Verdict.String(), Document: b,
		}
	}
	return l.db.StoreLook(ctx, rows...)
}

// Recent implements watch.Looks.
func (l looks) Recent(ctx context.Context, experiment string, iteration uint32, since time.Time) ([]*results.Document, error) {
	found, err := l.db.Looks(ctx, clickhouse.LookFilter{Experiment: experiment, Iteration: iteration,
		Kind: clickhouse.GuardLook, From: since, Every: 10 * time.Second, Documents: true})
	if err != nil {
		return nil, fmt.Errorf("read the looks at %s: %w", experiment, err)
	}
	out := make([]*results.Document, len(found))
	for i, k := range found {
		out[i] = &results.Document{}
		if err := json.Unmarshal(k.Document, out[i]); err != nil {
			return nil, fmt.Errorf("decode look %s: %w", k.ID, err)
		}
	}
	return out, nil
}

// Keep implements watch.Looks.
func (l looks) Keep(ctx context.Context, id string, decision uint64) error {
	err := l.db.KeepLook(ctx, id, decision)
	if errors.Is(err, clickhouse.ErrNotFound) {
		return fmt.Errorf("%w: %w", watch.ErrNoLook, err)
	}
	return err
}

// Hand is a person's way to kill, acknowledge and resume: through the same
// decision log as the guard.
func (s *Stack) Hand(actor string) (*watch.Hand, error) {
	parts, err := s.guardParts()
	if err != nil {
		return nil, err
	}
	cfg := watch.DefaultConfig()
	cfg.Code = s.Code
	return watch.NewHand(actor, cfg, parts)
}
