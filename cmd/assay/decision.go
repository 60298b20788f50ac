package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/terminal"
	"github.com/assay-dev/assay/internal/words"
)

type decisionCmd struct {
	Show   decisionShowCmd   `cmd:"" default:"withargs" help:"List the decision log."`
	Replay decisionReplayCmd `cmd:"" help:"Decide again from the evidence alone; exit code 3 when anything comes out otherwise."`
	Verify decisionVerifyCmd `cmd:"" help:"Recompute every hash of the decision log."`
	Note   decisionNoteCmd   `cmd:"" help:"Write a note beside an experiment into the decision log."`
}

// withLog opens the decision log.
func (e *environment) withLog(f func(*app.Stack) error) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	return e.with(cfg, app.Options{Migrate: true}, f)
}

type decisionShowCmd struct {
	Experiment string `arg:"" optional:"" help:"Only of this experiment."`
}

type decisionNoteCmd struct {
	Experiment string `arg:"" help:"Key of the experiment."`
	Text       string `arg:"" help:"One line; it stands in the decision log for ever."`
	Iteration  uint32 `help:"Only if this is its latest iteration." placeholder:"N"`
	Actor      string `help:"Who writes it (default: the user of this machine)." placeholder:"NAME"`
}

// Run writes the note; it changes nothing.
func (c decisionNoteCmd) Run(env *environment) error {
	return env.byHand(c.Actor, func(a *app.Acts, who access.Principal) error {
		seq, err := a.Note(env.ctx, who, acts.Note{On: acts.On{Experiment: c.Experiment, Iteration: c.Iteration, Reason: c.Text}})
		if err != nil {
			return err
		}
		return env.print(map[string]any{"experiment": c.Experiment, "decision": seq}, func() error {
			env.println("%s: the note is decision %d", c.Experiment, seq)
			return nil
		})
	})
}

// shownLog is the log with its end: whoever keeps the head can have everything up
// to it verified later.
type shownLog struct {
	Head struct {
		Seq  uint64 `json:"seq"`
		Hash string `json:"hash"`
	} `json:"head"`
	Decisions []clickhouse.Decision `json:"decisions"`
}

// actorText is who acted; a name that nobody proved says so.
func actorText(e guardrails.Entry) string {
	if e.Login == access.Said {
		return e.Actor + " (said)"
	}
	return e.Actor
}

// Run lists the log, oldest first.
func (c decisionShowCmd) Run(env *environment) error {
	return env.withLog(func(s *app.Stack) error {
		var shown shownLog
		var err error
		if shown.Head.Seq, shown.Head.Hash, err = s.DB.LastDecision(env.ctx); err != nil {
			return fmt.Errorf("read the end of the decision log: %w", err)
		}
		if shown.Decisions, err = s.DB.Decisions(env.ctx, clickhouse.DecisionFilter{Experiment: c.Experiment}); err != nil {
			return fmt.Errorf("read the decision log: %w", err)
		}
		if shown.Decisions == nil {
			shown.Decisions = []clickhouse.Decision{} // in JSON a list, too
		}
		return env.print(shown, func() error {
			var rows []string
			for _, d := range shown.Decisions {
				e, err := app.EntryOf(d)
				if err != nil {
					return err
				}
				rows = append(rows, strings.Join([]string{strconv.FormatUint(d.Seq, 10), words.Instant(d.At), d.Kind, d.Experiment, actorText(e), e.Text}, "\t"))
			}
			if _, err := fmt.Fprint(env.out, terminal.Table("NO.\tAT\tWHAT\tEXPERIMENT\tBY\tWHY", rows)); err != nil {
				return err
			}
			if shown.Head.Seq > 0 {
				env.println("head: decision %d, %s", shown.Head.Seq, shown.Head.Hash)
			}
			return nil
		})
	})
}

type decisionReplayCmd struct {
	Decision uint64 `arg:"" optional:"" help:"Number of the decision."`
	All      bool   `help:"Every decision and alarm that rests on a look."`
}

// Run decides again; anything that comes out otherwise gives exit code 3.
func (c decisionReplayCmd) Run(env *environment) error {
	if c.All == (c.Decision > 0) {
		return usage(app.WithHint(errors.New("name one decision, or --all"), "`assay decision show` lists them"))
	}
	return env.withLog(func(s *app.Stack) error {
		rows, err := s.DB.Decisions(env.ctx, clickhouse.DecisionFilter{After: max(c.Decision, 1) - 1})
		if err != nil {
			return fmt.Errorf("read the decision log: %w", err)
		}
		if c.All {
			return replayAll(env, rows)
		}
		if len(rows) == 0 || rows[0].Seq != c.Decision {
			return usage(app.WithHint(fmt.Errorf("there is no decision %d", c.Decision), "`assay decision show` lists them"))
		}
		return replayOne(env, rows[0])
	})
}

// replayed is a decision with the verdict of then and that of now.
type replayed struct {
	guardrails.Replayed
	Same bool `json:"same"`
}

func replay(row clickhouse.Decision) (replayed, error) {
	e, err := app.EntryOf(row)
	if err != nil {
		return replayed{}, err
	}
	r, err := e.Replay()
	if err != nil {
		return replayed{}, fmt.Errorf("replay decision %d (%s): %w", row.Seq, row.Kind, err)
	}
	return replayed{r, r.Same()}, nil
}

func replayOne(env *environment, row clickhouse.Decision) error {
	r, err := replay(row)
	if err != nil {
		return err
	}
	if err := env.print(r, func() error {
		env.println("then  %s", inWords(r.Was))
		env.println("now   %s", inWords(r.Is))
		printDifferences(env, r)
		return nil
	}); err != nil {
		return err
	}
	return r.exit()
}

// replayedLog is every decision that rests on a look, decided again.
type replayedLog struct {
	Replayed  int        `json:"replayed"`
	Others    int        `json:"others"` // by hand, or steps of carrying out
	Different []replayed `json:"different"`
}

func replayAll(env *environment, rows []clickhouse.Decision) error {
	all := replayedLog{Different: []replayed{}}
	for _, row := range rows {
		r, err := replay(row)
		switch {
		case errors.Is(err, guardrails.ErrNoEvidence):
			all.Others++
			continue
		case err != nil:
			return err
		}
		all.Replayed++
		if !r.Same {
			all.Different = append(all.Different, r)
		}
	}
	if err := env.print(all, func() error {
		for _, r := range all.Different {
			printDifferences(env, r)
		}
		env.println("%d decisions and alarms decided again, %d come out otherwise; %d other lines rest on no look",
			all.Replayed, len(all.Different), all.Others)
		return nil
	}); err != nil {
		return err
	}
	for _, r := range all.Different {
		return r.exit()
	}
	return nil
}

func (r replayed) exit() error {
	if !r.Same {
		return errBreach
	}
	return nil
}

func printDifferences(env *environment, r replayed) {
	for _, d := range r.Differences {
		env.println("decision %d: %s was %s, is %s", r.Decision, d.Field, d.Was, d.Is)
	}
}

// inWords is a verdict, or the test of a split.
func inWords(v any) string {
	if v, ok := v.(guardrails.Verdict); ok {
		return fmt.Sprintf("%s, %s: %s", v.Kind, v.Act, v.Text)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

type decisionVerifyCmd struct {
	Head string `help:"A hash from an alert, a report or the topic: whether the log up to that decision is what it was then." placeholder:"HASH"`
}

// hexadecimal is how hashes are written.
var hexadecimal = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Run recomputes the chain; a break is a failure that names the row.
func (c decisionVerifyCmd) Run(env *environment) error {
	if c.Head != "" && !hexadecimal.MatchString(c.Head) {
		return usage(fmt.Errorf("--head %q is no hash: 64 hexadecimal digits, in small letters", c.Head))
	}
	return env.withLog(func(s *app.Stack) error {
		chain, err := s.DB.VerifyDecisions(env.ctx, c.Head)
		if err != nil {
			return app.WithHint(fmt.Errorf("verify the decision log: %w", err),
				"`assay decision show` lists it; the topic "+s.Config.Kafka.Decisions+" has what it said when it was written")
		}
		return env.print(chain, func() error {
			env.println("%d decisions, every hash fits", chain.Decisions)
			switch {
			case chain.Anchored > 0:
				env.println("decisions 1 to %d are what they were when that hash was given", chain.Anchored)
			case chain.Decisions > 0:
				env.println("whether its end is missing, or the whole was written anew, only --head with a hash from an alert, a report or the topic can tell")
			}
			return nil
		})
	})
}
