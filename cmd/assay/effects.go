package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/terminal"
	"github.com/assay-dev/assay/internal/words"
)

type effectsCmd struct {
	Text    string   `arg:"" optional:"" help:"Words in the key, the owner, the hypothesis or a note."`
	Metric  string   `help:"One metric, by its whole name." placeholder:"METRIC"`
	Owner   string   `help:"Experiments of one owner." placeholder:"NAME"`
	Shown   []string `help:"What the interval that holds at every look shows: better, worse, nothing." enum:"better,worse,nothing" placeholder:"WHAT"`
	AtLeast string   `help:"Effects at least so large, in either direction, as a share of the control's mean." placeholder:"2%"`
	AtMost  string   `help:"Effects at most so large." placeholder:"10%"`
	State   []string `help:"How the iteration stands, or how it ended: running, maturing, ended, killed." enum:"running,maturing,ended,killed" placeholder:"STATE"`
	Call    []string `help:"What its numbers said to do: ship, stop, keep running, cannot tell." enum:"ship,stop,keep running,cannot tell" placeholder:"CALL"`
	Goals   bool     `help:"Goals alone."`
	Sort    string   `help:"newest (the iteration that ended last first) or size." enum:"newest,size" default:"newest"`
	Limit   int      `help:"At most so many; 0: all." default:"100"`
}

// Run lists what experiments have shown.
func (c effectsCmd) Run(env *environment) error {
	q := catalog.FoundQuery{Text: c.Text, Metric: c.Metric, Owner: c.Owner, Goals: c.Goals, Sort: catalog.FoundOrder(c.Sort), Limit: c.Limit}
	for _, s := range c.Shown {
		q.Shown = append(q.Shown, catalog.Shown(s))
	}
	for _, s := range c.State {
		q.State = append(q.State, catalog.State(s))
	}
	for _, s := range c.Call {
		q.Call = append(q.Call, catalog.Call(s))
	}
	for _, f := range []struct {
		flag, text string
		to         *float64
	}{{"--at-least", c.AtLeast, &q.Least}, {"--at-most", c.AtMost, &q.Most}} {
		if f.text == "" {
			continue
		}
		number, percent := strings.CutSuffix(f.text, "%")
		x, err := strconv.ParseFloat(number, 64)
		if err != nil || !(x >= 0) {
			return usage(app.WithHint(fmt.Errorf("%s %q is no size", f.flag, f.text), "write 2%, or 0.02"))
		}
		if percent {
			x /= 100
		}
		*f.to = x
	}
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		found, err := s.FindPast(env.ctx, q)
		if err != nil {
			return err
		}
		return env.print(found, func() error {
			var rows []string
			for i := range found.Effects {
				f := &found.Effects[i]
				text := f.Text
				if !f.Complete {
					text += ", so far"
				}
				rows = append(rows, strings.Join([]string{fmt.Sprintf("%s/%d", f.Experiment, f.Iteration), f.Metric, f.Arm, string(f.Shows()), text, string(f.State), string(f.Call), words.Instant(f.End)}, "\t"))
			}
			if len(rows) == 0 {
				env.println("no effect is like that")
				return nil
			}
			env.println("%s", strings.TrimRight(terminal.Table("RUN\tMETRIC\tARM\tSHOWN\tEFFECT, EVERY LOOK\tSTATE\tITS NUMBERS SAID\tEND", rows), "\n"))
			if n := found.Of - len(found.Effects); n > 0 {
				env.println("and %d more: --limit 0", n)
			}
			return nil
		})
	})
}
