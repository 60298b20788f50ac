package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
)

// changeLog is the decision log as approvals need it.
type changeLog interface {
	// Of are an experiment's lines, oldest first, and the end of the whole log before
	// they were read.
	Of(ctx context.Context, experiment string) (lines []guardrails.Entry, last uint64, head string, err error)
	// Append writes the next line; guardrails.ErrTaken when somebody else did.
	Append(ctx context.Context, e guardrails.Entry, after string) (hash string, err error)
}

// changes is what waits for approvals, and the only way past it. It holds no state: all
// of it is in the decision log and in the files.
type changes struct {
	operator int  // approvals that every growing change needs
	proved   bool // names count only if a login proves them
	log      changeLog
	versions versions
	held     func(ctx context.Context, e *experiment.Experiment, now time.Time) (why string, err error)
	now      func() time.Time
	code     string
}

func (s *Stack) changes() *changes {
	return &changes{operator: s.Config.Governance.Approvals, proved: s.Config.Governance.Proved, log: decisionLines{s.DB, journal{s.DB}}, versions: s.DB, held: s.heldNow, now: time.Now, code: s.Code}
}

// decisionLines is the table of decisions as a log of changes.
type decisionLines struct {
	db *clickhouse.DB
	journal
}

// Of implements changeLog.
func (l decisionLines) Of(ctx context.Context, key string) ([]guardrails.Entry, uint64, string, error) {
	last, head, err := l.db.LastDecision(ctx)
	if err != nil {
		return nil, 0, "", fmt.Errorf("read the end of the decision log: %w", err)
	}
	rows, err := l.db.Decisions(ctx, clickhouse.DecisionFilter{Experiment: key})
	if err != nil {
		return nil, 0, "", fmt.Errorf("read the decision log: %w", err)
	}
	lines, err := entriesOf(rows)
	return lines, last, head, err
}

// Hold implements gate. What waits is proposed in the decision log, once.
func (c *changes) Hold(ctx context.Context, before, next *experiment.Version, set *experiment.Set, author string) (out holding, err error) {
	var files *experiment.Version // read when somebody asks for approvals
	for _, change := range governance.Classify(before, next, next.AppliedAt) {
		was, wanted := before.Find(change.Experiment), next.Find(change.Experiment)
		if change.Class != governance.Grow || wanted == nil {
			continue
		}
		if was != nil {
			why, err := c.held(ctx, was, next.AppliedAt)
			if err != nil {
				return holding{}, err
			}
			if why != "" {
				out.held = append(out.held, HeldBack{change, why})
				continue
			}
		}
		needs := governance.Needs(c.operator, was, wanted)
		if needs == 0 {
			continue
		}
		if files == nil {
			files = set.Rehearsal()
		}
		step := governance.StepOf(was, files.Find(change.Experiment), change, needs)
		p, err := c.propose(ctx, step, author, before.Number)
		if err != nil {
			return holding{}, err
		}
		if p != nil {
			out.waiting = append(out.waiting, *p)
		} else {
			out.agreed = append(out.agreed, step)
		}
	}
	return out, nil
}

// counting are the approvals that count when somebody applies a change: none where names
// must be proved and the author's is only said.
func (c *changes) counting(ctx context.Context, p *governance.Proposal, author string) []governance.Approval {
	switch {
	case !c.proved:
		return p.Counting(author)
	case !access.Proved(access.LoginOf(ctx, author)):
		return nil
	}
	return p.CountingProved(author)
}

// propose returns nil when enough other people have agreed to a step, else what it waits
// for, written down if it was not.
func (c *changes) propose(ctx context.Context, step governance.Step, author string, version uint32) (*governance.Proposal, error) {
	var enough bool
	var waits *governance.Proposal
	err := c.write(ctx, step.Experiment, func(lines []guardrails.Entry) (guardrails.Entry, error) {
		p := governance.Waiting(lines, step.Experiment)
		if p != nil && p.Hash == step.Hash {
			p.Needs = step.Needs
			if enough = len(c.counting(ctx, p, author)) >= step.Needs; enough {
				return guardrails.Entry{}, errNothing
			}
			if waits = p; p.WantedBy(author) {
				return guardrails.Entry{}, errNothing
			}
		}
		evidence, err := json.Marshal(step)
		if err != nil {
			return guardrails.Entry{}, fmt.Errorf("encode a change of %s: %w", step.Experiment, err)
		}
		waits = nil
		return guardrails.Entry{Kind: guardrails.ChangeProposed, Experiment: step.Experiment, Change: step.Hash, Actor: author,
			Config: version, Evidence: evidence, Text: fmt.Sprintf("it waits for %s: %s", approvals(step.Needs), growing(step.Change))}, nil
	})
	if err != nil || enough {
		return nil, err
	}
	if waits == nil { // it was written just now
		lines, _, _, err := c.log.Of(ctx, step.Experiment)
		if err != nil {
			return nil, err
		}
		if waits = governance.Waiting(lines, step.Experiment); waits == nil || waits.Hash != step.Hash {
			return nil, fmt.Errorf("%s: somebody else proposed another change meanwhile", step.Experiment)
		}
	}
	return waits, nil
}

// Applied implements gate.
func (c *changes) Applied(ctx context.Context, agreed []governance.Step, author string, version uint32) error {
	for _, step := range agreed {
		if err := c.write(ctx, step.Experiment, func(lines []guardrails.Entry) (guardrails.Entry, error) {
			p := governance.Waiting(lines, step.Experiment)
			if p == nil || p.Hash != step.Hash {
				return guardrails.Entry{}, errNothing // another one has written it down
			}
			var by []string
			for _, a := range c.counting(ctx, p, author) {
				by = append(by, fmt.Sprintf("%s (decision %d)", a.By, a.Seq))
			}
			return guardrails.Entry{Kind: guardrails.ChangeApplied, Experiment: step.Experiment, Change: step.Hash, Actor: author, Config: version,
				Text: fmt.Sprintf("version %d, approved by %s: %s", version, strings.Join(by, ", "), growing(step.Change))}, nil
		}); err != nil {
			return fmt.Errorf("version %d is in force; writing that down: %w", version, err)
		}
	}
	return nil
}

// Resume refuses the next iteration of a killed experiment until others have agreed.
func (c *changes) Resume(ctx context.Context, key string, rearm float64, author string) error {
	v, err := c.versions.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	e := v.Find(key)
	needs := governance.Needs(c.operator, e, nil)
	if e == nil || needs == 0 || e.Latest() == nil || e.Latest().Killed == nil {
		return nil // whoever resumes says what is wrong
	}
	p, err := c.propose(ctx, governance.ResumeOf(e, rearm, needs), author, v.Number)
	if err != nil || p == nil {
		return err
	}
	return &acts.Error{Code: acts.Conflict, Err: WithHint(fmt.Errorf("%s: to start again needs %s of others than %s; it has %d (%w)", key, approvals(needs), author, len(c.counting(ctx, p, author)), errWaits),
		"somebody else agrees by `assay approve "+key+" --reason …`, or at /changes; then resume again")}
}

// What cannot be approved, and why.
var (
	errWaits     = errors.New("it waits for approvals")
	errNothing   = errors.New("there is nothing to write")
	errNoChange  = errors.New("no change of it waits")
	errEdited    = errors.New("another change waits by now")
	errOwnChange = errors.New("who wants a change does not approve it")
	errTwice     = errors.New("it has your approval already")
	errNotYours  = errors.New("it does not have your approval")
	errSaid      = errors.New("approvals count only under a name that a login proves (governance.proved)")
	errMovedOn   = errors.New("what is in force has changed since it was proposed")
)

// Approve writes somebody's agreement down, or that it is taken back, and returns what
// then waits.
func (c *changes) Approve(ctx context.Context, by string, o acts.Approve) (*governance.Proposal, error) {
	v, err := c.versions.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the configuration in force: %w", err)
	}
	if c.proved && !access.Proved(access.LoginOf(ctx, by)) {
		return nil, codedChange(fmt.Errorf("%s: %w", o.Experiment, errSaid))
	}
	err = c.write(ctx, o.Experiment, func(lines []guardrails.Entry) (guardrails.Entry, error) {
		p := governance.Waiting(lines, o.Experiment)
		if err := agreeable(p, by, o, governance.ContentOf(v.Find(o.Experiment))); err != nil {
			return guardrails.Entry{}, fmt.Errorf("%s: %w", o.Experiment, err)
		}
		kind := guardrails.ChangeApproved
		if o.Withdraw {
			kind = guardrails.ApprovalWithdrawn
		}
		return guardrails.Entry{Kind: kind, Experiment: o.Experiment, Change: p.Hash, Actor: by, Config: v.Number, Text: o.Reason}, nil
	})
	if err != nil {
		return nil, codedChange(err)
	}
	lines, _, _, err := c.log.Of(ctx, o.Experiment)
	if err != nil {
		return nil, err
	}
	return governance.Waiting(lines, o.Experiment), nil
}

// agreeable says why somebody cannot agree to what waits.
func agreeable(p *governance.Proposal, by string, o acts.Approve, inForce string) error {
	if p == nil {
		return errNoChange
	}
	has := false
	for _, a := range p.Approvals {
		has = has || governance.Same(a.By, by)
	}
	switch {
	case o.Hash != "" && o.Hash != p.Hash:
		return fmt.Errorf("%w: %.12s, you named %.12s", errEdited, p.Hash, o.Hash)
	case o.Withdraw && !has:
		return errNotYours
	case o.Withdraw:
		return nil
	case p.WantedBy(by):
		return errOwnChange
	case has:
		return errTwice
	case p.From != inForce:
		return errMovedOn
	}
	return nil
}

func codedChange(err error) error {
	for _, c := range []struct {
		err  error
		code acts.Code
		hint string
	}{
		{errNoChange, acts.Unknown, "`assay approve` lists what waits; `assay apply` proposes a change that needs approvals"},
		{errEdited, acts.Stale, "look at the change again, then decide again"},
		{errOwnChange, acts.Forbidden, "ask somebody else with role approver"},
		{errSaid, acts.Forbidden, "log in at /changes, or set ASSAY_TOKEN to a token of yours"},
		{errTwice, acts.Conflict, ""},
		{errNotYours, acts.Conflict, ""},
		{errMovedOn, acts.Stale, "apply again: that proposes it against what is in force now"},
	} {
		if errors.Is(err, c.err) {
			if c.hint != "" {
				err = WithHint(err, c.hint)
			}
			return &acts.Error{Code: c.code, Err: err}
		}
	}
	return err
}

// write appends the line that compose makes of an experiment's lines; when somebody else
// was faster, of the lines as they are then.
func (c *changes) write(ctx context.Context, key string, compose func([]guardrails.Entry) (guardrails.Entry, error)) error {
	for {
		lines, last, head, err := c.log.Of(ctx, key)
		if err != nil {
			return err
		}
		e, err := compose(lines)
		if errors.Is(err, errNothing) {
			return nil
		}
		if err != nil {
			return err
		}
		e.Seq, e.At, e.Code, e.Login = last+1, c.now().UTC().Truncate(time.Millisecond), c.code, access.LoginOf(ctx, e.Actor)
		if _, err = c.log.Append(ctx, e, head); !errors.Is(err, guardrails.ErrTaken) {
			if err != nil {
				return fmt.Errorf("write the decision log: %w", err)
			}
			return nil
		}
	}
}

// growing are the facts of a change for which it is asked.
func growing(c governance.Change) string {
	var out []string
	for _, r := range c.Reasons {
		if r.Class == governance.Grow {
			out = append(out, r.Text)
		}
	}
	return strings.Join(out, "; ")
}

func approvals(n int) string {
	if n == 1 {
		return "1 approval"
	}
	return fmt.Sprintf("%d approvals", n)
}

// Waiting lists the changes that wait for approvals, by experiment.
func (s *Stack) Waiting(ctx context.Context) ([]governance.Proposal, error) {
	lines, err := journal{s.DB}.Entries(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("read the decision log: %w", err)
	}
	return governance.AllWaiting(lines), nil
}

// Waiting implements api.Changes from what the catalog holds of the log.
func (c *Catalog) Waiting(ctx context.Context) ([]governance.Proposal, error) {
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	lines := c.lines[:len(c.lines):len(c.lines)]
	c.mu.RUnlock()
	return governance.AllWaiting(lines), nil
}
