package main

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/words"
)

type approveCmd struct {
	Experiment string `arg:"" optional:"" help:"Key of the experiment; without it the changes that wait are listed."`
	Reason     string `help:"Why; it stands in the decision log for ever."`
	Hash       string `help:"Only if this is the change that waits, as it was shown." placeholder:"HASH"`
	Withdraw   bool   `help:"Take your approval back."`
	Actor      string `help:"Who approves (default: the user of this machine)." placeholder:"NAME"`
}

// Run approves what waits, or lists it.
func (c approveCmd) Run(env *environment) error {
	if c.Experiment == "" {
		return env.withLog(func(s *app.Stack) error {
			waiting, err := s.Waiting(env.ctx)
			if err != nil {
				return err
			}
			return env.print(map[string]any{"waiting": waiting}, func() error { env.tellWaiting(waiting); return nil })
		})
	}
	return env.byHand(c.Actor, func(a *app.Acts, who access.Principal) error {
		p, err := a.Approve(env.ctx, who, acts.Approve{On: acts.On{Experiment: c.Experiment, Reason: c.Reason}, Hash: c.Hash, Withdraw: c.Withdraw})
		if err != nil {
			return err
		}
		return env.print(p, func() error {
			if p == nil {
				env.println("%s: it has been applied meanwhile", c.Experiment)
				return nil
			}
			env.println("%s: %s of %d; `assay apply` goes ahead when it has all", c.Experiment, names(p), p.Needs)
			return nil
		})
	})
}

// tellWaiting says what waits, for whom, and why.
func (e *environment) tellWaiting(waiting []governance.Proposal) {
	if len(waiting) == 0 {
		e.println("no change waits")
	}
	for i := range waiting {
		p := &waiting[i]
		e.println("%s waits: %s of %d; wanted by %s since %s", p.Experiment, names(p), p.Needs, strings.Join(p.Authors, ", "), words.Instant(p.At))
		for _, r := range p.Change.Reasons {
			e.println("        %s: %s", r.Class, r.Text)
		}
		e.println("        hash %s", p.Hash)
	}
}

func names(p *governance.Proposal) string {
	counting := p.Counting("")
	if len(counting) == 0 {
		return "0 approvals"
	}
	by := make([]string, len(counting))
	for i, a := range counting {
		by[i] = a.By
	}
	return fmt.Sprintf("%d approvals (%s)", len(by), strings.Join(by, ", "))
}
