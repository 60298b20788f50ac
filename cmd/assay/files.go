package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
)

// parse reads and checks the files, and prints doubts.
func (e *environment) parse(files []experiment.File) (*experiment.Set, error) {
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		return nil, usage(err)
	}
	for _, w := range set.Warnings {
		_, _ = fmt.Fprintf(e.err, "assay: warning: %v\n", w)
	}
	return set, nil
}

// files reads the files that the configuration names, and parses them.
func (e *environment) files(cfg config.Config) ([]experiment.File, *experiment.Set, error) {
	files, err := app.Files(cfg)
	if err != nil {
		return nil, nil, usage(err)
	}
	set, err := e.parse(files)
	return files, set, err
}

// print writes a result: as JSON when asked, else with the function.
func (e *environment) print(v any, text func() error) error {
	if !e.globals.JSON {
		return text()
	}
	enc := json.NewEncoder(e.out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// println writes one line of a result.
func (e *environment) println(format string, args ...any) {
	_, _ = fmt.Fprintf(e.out, format+"\n", args...)
}

type applyCmd struct {
	Author string    `help:"Who applies (default: the user of this machine)." placeholder:"NAME"`
	Cap    string    `help:"Instead of applying files, make this metric's percentile cap the number that it has from --from to --to." placeholder:"METRIC"`
	From   time.Time `help:"Where the stretch for --cap begins (RFC 3339)." placeholder:"TIME"`
	To     time.Time `help:"Where it ends; it must have passed." placeholder:"TIME"`
	Floor  time.Time `help:"Instead of applying files: from now on refuse events from before this time (RFC 3339)." placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00"`
	Kind   string    `name:"unit-kind" help:"With --floor: only events of this unit kind, which are kept for a shorter time than others." placeholder:"KIND"`
	Keep   string    `help:"Instead of applying files: a minute from now consumers keep this share of all units (50%), and shed the others; 100% ends that." placeholder:"SHARE"`
	Drop   bool      `help:"Instead of applying files: drop the months of events that lie wholly below the floor, and delete those of unit kinds that lie wholly below theirs, once all shards have adopted it."`
}

// Run makes the files the configuration in force.
func (c applyCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	if c.Kind != "" && c.Floor.IsZero() {
		return usage(errors.New("--unit-kind says whose events --floor is about"))
	}
	if c.Cap != "" {
		return c.fixCap(env, cfg)
	}
	if c.Drop || !c.Floor.IsZero() {
		return c.retain(env, cfg)
	}
	if c.Keep != "" {
		return c.shed(env, cfg)
	}
	_, set, err := env.files(cfg)
	if err != nil {
		return err
	}
	for _, doubt := range app.CheckRamps(cfg, set) {
		_, _ = fmt.Fprintf(env.err, "assay: warning: %v\n", doubt)
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		if err := env.trySignals(s, set); err != nil {
			return err
		}
		ctx, who, err := env.as(cfg, c.Author)
		if err != nil {
			return err
		}
		done, err := s.Apply(ctx, set, who.Name, time.Now)
		if err != nil {
			return usageIfProblems(err)
		}
		if err := env.print(done, func() error {
			for _, ch := range done.Changes {
				env.println("%s", ch)
			}
			if len(done.Changes) == 0 {
				env.println("nothing changed: version %d stays in force", done.Number)
			} else {
				env.println("version %d is in force", done.Number)
			}
			if len(done.Waiting) > 0 {
				env.tellWaiting(done.Waiting)
			}
			for _, h := range done.Held {
				env.println("%s is left as it was: %s", h.Experiment, h.Why)
			}
			return nil
		}); err != nil || len(done.Waiting)+len(done.Held) == 0 {
			return err
		}
		if len(done.Waiting) == 0 {
			return app.WithHint(errors.New("not everything was applied: some of it would grow what is held"), "do what it says, then apply again")
		}
		return app.WithHint(errors.New("not everything was applied: some of it waits for approvals"),
			waitingHint(cfg))
	})
}

// trySignals refuses signals whose query the server does not understand, and tells of
// others without a number. What cannot be asked holds nothing up.
func (e *environment) trySignals(s *app.Stack, set *experiment.Set) error {
	problems, doubts, err := s.TrySignals(e.ctx, set, time.Now())
	var wrong experiment.Problems
	switch {
	case errors.As(err, &wrong):
		return nil // whoever applies the files says so
	case err != nil:
		_, _ = fmt.Fprintf(e.err, "assay: warning: the signals were not tried: %v\n", err)
		return nil
	}
	for _, doubt := range doubts {
		_, _ = fmt.Fprintf(e.err, "assay: warning: %v\n", doubt)
	}
	if err := problems.Err(); err != nil {
		return usage(err)
	}
	return nil
}

// waitingHint says what to do about what waits.
func waitingHint(cfg config.Config) string {
	hint := "somebody else agrees by `assay approve EXPERIMENT --reason …`, or at /changes; then apply again"
	if cfg.Governance.Proved {
		hint += "; who applies and who agrees prove who they are (ASSAY_TOKEN)"
	}
	return hint
}

// fixCap makes a percentile a number.
func (c applyCmd) fixCap(env *environment, cfg config.Config) error {
	if c.From.IsZero() || c.To.IsZero() {
		return usage(app.WithHint(errors.New("--cap needs --from and --to"), "name a stretch of time that has passed, before the experiment"))
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		done, err := s.FixCap(env.ctx, c.Cap, c.From, c.To, author(c.Author), time.Now())
		switch {
		case errors.Is(err, experiment.ErrNoMetric):
			return usage(app.WithHint(err, "the metric must be in force: apply its file first"))
		case errors.Is(err, experiment.ErrNoOpenCap):
			return usage(app.WithHint(err, "only `cap: {percentile: P}` waits for a number, and it gets one once; another percentile is another cap"))
		case err != nil:
			return err
		}
		return env.print(done, func() error {
			env.println("totals of %s are cut at %s (from %d units); version %d is in force", done.Metric, done.Cap, done.Units, done.Version)
			return nil
		})
	})
}

// retain moves the floor, and drops what lies below it.
func (c applyCmd) retain(env *environment, cfg config.Config) error {
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) (err error) {
		var done app.Moved
		if !c.Floor.IsZero() {
			if done, err = app.MoveFloor(env.ctx, s.DB, c.Floor, c.Kind, "retention", author(c.Author), time.Now); err != nil {
				return err
			}
		}
		if c.Drop {
			if done, err = s.DropBelowFloor(env.ctx); err != nil {
				return err
			}
		}
		return env.print(done, func() error {
			env.printMoved(&done)
			return nil
		})
	})
}

// printMoved says where the floors are, and what went below them.
func (e *environment) printMoved(done *app.Moved) {
	e.println("version %d is in force", done.Number)
	if !done.Floor.IsZero() {
		e.println("events from before %s are not kept", done.Floor.UTC().Format(time.RFC3339))
	}
	for _, kind := range slices.Sorted(maps.Keys(done.Floors)) {
		e.println("events of unit kind %s from before %s are not kept", kind, done.Floors[kind].UTC().Format(time.RFC3339))
	}
	for _, month := range done.Dropped {
		e.println("dropped %s of events", month)
	}
	for _, m := range done.Deleted {
		e.println("deleted %s of events of unit kind %s", m.Month, strings.Join(m.Kinds, ", "))
	}
}

// shed changes the share of units that consumers keep.
func (c applyCmd) shed(env *environment, cfg config.Config) error {
	text, percent := strings.CutSuffix(c.Keep, "%")
	keep, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return usage(app.WithHint(fmt.Errorf("--keep %q is no share", c.Keep), "write --keep 50%"))
	}
	if percent {
		keep /= 100
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		done, err := app.Shed(env.ctx, s.DB, keep, author(c.Author), time.Now)
		if errors.Is(err, experiment.ErrShed) {
			return usage(err)
		}
		if err != nil {
			return err
		}
		return env.print(done, func() error {
			env.println("version %d is in force: consumers keep %g%% of all units from %s on, outcomes of the others until %s",
				done.Number, done.Keep*100, done.From.UTC().Format(time.RFC3339), done.Outcomes.UTC().Format(time.RFC3339))
			return nil
		})
	})
}

// as is who acts, in a context that says so: whose the token in ASSAY_TOKEN is, which
// proves it; without one the name given, or the user's, which is only said.
func (e *environment) as(cfg config.Config, given string) (context.Context, access.Principal, error) {
	p := access.Principal{Name: author(given), Login: access.Said}
	if token := os.Getenv("ASSAY_TOKEN"); token != "" {
		var err error
		if p, err = app.Believe(e.ctx, cfg, token, time.Now()); err != nil {
			return nil, p, usage(err)
		}
		if given != "" && !governance.Same(given, p.Name) {
			return nil, p, usage(app.WithHint(fmt.Errorf("you say that you are %s, and ASSAY_TOKEN is of %s", given, p.Name), "leave the name out, or unset ASSAY_TOKEN"))
		}
	}
	p.Role, p.Only = access.Admin, nil // whoever can open the database may do it all
	return access.With(e.ctx, p), p, nil
}

// author is the name given, or the user's.
func author(given string) string {
	if given != "" {
		return given
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
