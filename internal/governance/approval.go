package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/experiment"
)

// Step is a change of one experiment that asks for approvals: from what is in force to
// what somebody wants.
type Step struct {
	Experiment string `json:"experiment"`
	Hash       string `json:"hash"` // of both sides: it is another as soon as either is
	From       string `json:"from"` // hash of what is in force, "" where nothing is
	Needs      int    `json:"needs"`
	Change     Change `json:"change"`
}

// StepOf is the step to an experiment as its file says it (of a rehearsal, so that the
// hash does not depend on when it is applied). was is what is in force, nil for nothing.
func StepOf(was, wanted *experiment.Experiment, change Change, needs int) Step {
	from := ContentOf(was)
	return Step{Experiment: wanted.Key, Hash: hash("file", from, ContentOf(wanted)), From: from, Needs: needs, Change: change}
}

// ResumeOf is the step to the next iteration of a killed experiment.
func ResumeOf(was *experiment.Experiment, rearm float64, needs int) Step {
	from := ContentOf(was)
	text := "the iteration after a kill starts; its guardrails only notify"
	if rearm > 0 {
		text = "the iteration after a kill starts, with " + percent(rearm) + " of false kills"
	}
	return Step{
		Experiment: was.Key, Hash: hash("resume", from, fmt.Sprint(rearm)), From: from, Needs: needs,
		Change: changeOf(was.Key, []Reason{{Grow, text}}),
	}
}

// ContentOf is the SHA-256 of what an experiment is, in hex; "" of none.
func ContentOf(e *experiment.Experiment) string {
	if e == nil {
		return ""
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("encode experiment %s: %v", e.Key, err)) // it was read from JSON or YAML
	}
	return hash(string(b))
}

func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(fmt.Appendf(nil, "%d\x00%s", len(p), p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Needs is how many people must agree to a change: as many as the operator, the
// experiment as it is, or the experiment as it is wanted asks for, whichever are most.
func Needs(operator int, was, wanted *experiment.Experiment) int {
	for _, e := range []*experiment.Experiment{was, wanted} {
		if e != nil {
			operator = max(operator, e.Approvals)
		}
	}
	return operator
}

// Proposal is a step that waits.
type Proposal struct {
	Step
	Seq       uint64     `json:"decision"` // the line of the decision log that proposed it first
	At        time.Time  `json:"at"`
	Authors   []string   `json:"authors"`        // everybody who wanted to apply exactly this
	Said      []string   `json:"said,omitempty"` // those of the authors whose name nobody proved
	Approvals []Approval `json:"approvals"`
}

// Approval is one person's agreement.
type Approval struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Seq    uint64    `json:"decision"`
	Login  string    `json:"login,omitempty"` // how the name is known: said, or a way in that proves it
}

// Waiting is the proposal of an experiment that waits, by the decision log's lines, oldest
// first; nil without one. A newer proposal with another hash takes the place of an older
// one, whose approvals are void: they were of something else. What was applied waits no
// more, and its approvals do not serve twice.
func Waiting(entries []guardrails.Entry, key string) *Proposal {
	var p *Proposal
	for i := range entries {
		if e := &entries[i]; e.Experiment == key {
			p = p.after(e)
		}
	}
	return p
}

func (p *Proposal) after(e *guardrails.Entry) *Proposal {
	switch e.Kind {
	case guardrails.ChangeProposed:
		return p.proposed(e)
	case guardrails.ChangeApplied, guardrails.Resumed:
		return nil
	case guardrails.ChangeApproved, guardrails.ApprovalWithdrawn:
		if p == nil || p.Hash != e.Change {
			return p
		}
		p.Approvals = slices.DeleteFunc(p.Approvals, func(a Approval) bool { return Same(a.By, e.Actor) })
		if e.Kind == guardrails.ChangeApproved {
			p.Approvals = append(p.Approvals, Approval{By: e.Actor, At: e.At, Reason: e.Text, Seq: e.Seq, Login: e.Login})
		}
	}
	return p
}

func (p *Proposal) proposed(e *guardrails.Entry) *Proposal {
	if p == nil || p.Hash != e.Change {
		p = &Proposal{Seq: e.Seq, At: e.At, Approvals: []Approval{}}
		if json.Unmarshal(e.Evidence, &p.Step) != nil || p.Hash != e.Change {
			return nil // nobody could say what was agreed to
		}
	}
	if !p.WantedBy(e.Actor) {
		p.Authors = append(p.Authors, e.Actor)
		if !access.Proved(e.Login) {
			p.Said = append(p.Said, e.Actor)
		}
	}
	return p
}

// WantedBy tells whether somebody wanted the change: they do not approve it.
func (p *Proposal) WantedBy(name string) bool {
	return slices.ContainsFunc(p.Authors, func(a string) bool { return Same(a, name) })
}

// Counting are the approvals that count when somebody applies the change: those of
// other people than wanted it.
func (p *Proposal) Counting(author string) (out []Approval) {
	for _, a := range p.Approvals {
		if !p.WantedBy(a.By) && !Same(a.By, author) {
			out = append(out, a)
		}
	}
	return out
}

// CountingProved are those of them by people who have proved who they are.
func (p *Proposal) CountingProved(author string) []Approval {
	return slices.DeleteFunc(p.Counting(author), func(a Approval) bool { return !access.Proved(a.Login) })
}

// Same tells whether two names are one person's, as far as names tell: an address in
// capitals is the same address.
func Same(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// AllWaiting are the proposals of all experiments that wait, by key.
func AllWaiting(entries []guardrails.Entry) []Proposal {
	of := map[string]*Proposal{}
	for i := range entries {
		if e := &entries[i]; e.Experiment != "" {
			of[e.Experiment] = of[e.Experiment].after(e)
		}
	}
	out := []Proposal{}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		if p := of[key]; p != nil {
			out = append(out, *p)
		}
	}
	return out
}
