// Command calibrate holds the engine's guarantees against simulation: it runs whole
// experiments from their records through the join, the look's document and the
// guardrails' step, thousands of times, and compares how often each promise was
// broken with what was promised. It writes docs/calibration.md.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"slices"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	// Replicates are short-lived: collecting what they leave costs nothing if it is rare.
	debug.SetGCPercent(-1)
	if err := calibrate(ctx, os.Stdout, flags()); err != nil {
		fmt.Fprintln(os.Stderr, "calibrate: error:", err)
		os.Exit(1)
	}
}

// options say what is run.
type options struct {
	replicates int
	only       string
	short      bool
	seed       uint64
	commit     string
	dir        string // of the results, one file a scenario
	page       string // where the page is written; empty: none
	images     string
	list       bool
	render     bool // only write the page
}

func flags() options {
	var o options
	flag.IntVar(&o.replicates, "replicates", 0, "experiments of each scenario, fewer of those that cost more (default: 20,000, in the short form 4,000)")
	flag.StringVar(&o.only, "only", "", "run the scenarios whose name matches this expression")
	flag.BoolVar(&o.short, "short", false, "scenarios as small as their gates allow, none above 20,000 units; no page")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of all scenarios")
	flag.StringVar(&o.commit, "commit", "dev", "what the results are results of; of a scenario with a result of the same commit and seed only the replicates that lack are run")
	flag.StringVar(&o.dir, "results", "docs/calibration", "folder of the results, one file a scenario")
	flag.StringVar(&o.page, "page", "docs/calibration.md", "the page to write")
	flag.StringVar(&o.images, "images", "docs/images", "folder of its plots")
	flag.BoolVar(&o.list, "list", false, "name the scenarios")
	flag.BoolVar(&o.render, "render", false, "run nothing: write the page from the results that are there, of this commit and seed")
	flag.Parse()
	if o.short {
		o.page = ""
	}
	return o
}

var (
	errBroken  = errors.New("a promise is broken")
	errMissing = errors.New("there is no result")
)

func calibrate(ctx context.Context, out io.Writer, o options) error {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("only: %w", err)
	}
	var all []outcome
	broken := 0
	for _, s := range scenarios(o.form()) {
		if !only.MatchString(s.name) || o.short && s.world.units > smallUnits {
			continue
		}
		if o.list {
			_, _ = fmt.Fprintln(out, s.name)
			continue
		}
		found, err := o.outcome(ctx, &s, os.Stderr)
		if err != nil {
			return err
		}
		all = append(all, found)
		broken += found.print(out)
	}
	if o.page != "" && o.only == "" && !o.list {
		if err := writePage(o, all); err != nil {
			return err
		}
	}
	if broken > 0 {
		return fmt.Errorf("%w: %d figures miss their target", errBroken, broken)
	}
	return nil
}

// outcome reads the scenario's result or makes it.
func (o options) outcome(ctx context.Context, s *scenario, progress io.Writer) (outcome, error) {
	n := s.replicates(o)
	found, ok := o.read(s)
	switch {
	case ok && (o.render || found.Replicates >= n):
		return found, nil
	case o.render:
		return outcome{}, fmt.Errorf("%s: %w", s.name, errMissing)
	}
	made, err := s.more(ctx, found, n, o.seed, progress)
	if err != nil {
		return outcome{}, err
	}
	made.Commit = o.commit
	return made, o.write(s, made)
}

// more makes the replicates that an earlier result (of none, if there is none) lacks. A
// median needs all of them at once.
func (s *scenario) more(ctx context.Context, earlier outcome, n int, seed uint64, progress io.Writer) (outcome, error) {
	from := earlier.Replicates
	if len(earlier.Figures) != len(s.figures) || slices.ContainsFunc(s.figures, func(f figure) bool { return f.median }) {
		from = 0
	}
	made, err := s.run(ctx, from, n, seed, progress)
	if err != nil || from == 0 {
		return made, err
	}
	return made.after(earlier), nil
}

// form is how large the scenarios are.
func (o options) form() form { return form{o.short} }

// replicates is how often a scenario runs. The time goes by the units of all
// replicates together, so large scenarios run less often.
func (s *scenario) replicates(o options) int {
	n := cmp.Or(o.replicates, o.form().of(20_000, 4_000))
	often, least := o.form().of(5_000, smallUnits), o.form().of(n/10, 0)
	switch {
	case s.cost > 1:
		n /= s.cost
	case s.world.units > often:
		n = n * often / s.world.units
	}
	return max(least, n, min(100, o.replicates))
}

// print tells the figures and returns how many miss their target.
func (f outcome) print(out io.Writer) (broken int) {
	for _, m := range f.Figures {
		mark := "    "
		if !m.Passes {
			mark, broken = "MISS", broken+1
		}
		_, _ = fmt.Fprintf(out, "%s %-46s %-52s %8.4f  %s\n", mark, f.Scenario, m.Name, m.Mean, m.Bound)
	}
	return broken
}
