package pages

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/governance"
)

// waiting is the page of changes that wait for approvals.
type waiting struct {
	Proposals []proposal
	Needs     string // who may approve
	Done      string // what was done, in words
	Fault     string
	Of        string // the experiment that either is about
}

// proposal is one of them as somebody sees it.
type proposal struct {
	governance.Proposal
	Counting int    // approvals of others than wanted it
	May      bool   // this person can agree
	Mine     bool   // they have
	Why      string // they cannot, when their role would let them
}

func (p *Pages) changes(w http.ResponseWriter, r *http.Request) error {
	return p.showChanges(w, r, http.StatusOK, waiting{})
}

func (p *Pages) showChanges(w http.ResponseWriter, r *http.Request, status int, body waiting) error {
	lines, _, err := p.cfg.Reader.Log(r.Context(), "")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	body.Needs = access.Approve.Needs()
	for _, one := range governance.AllWaiting(lines) {
		x := proposal{Proposal: one, Counting: len(one.Counting(""))}
		for _, a := range one.Approvals {
			x.Mine = x.Mine || governance.Same(a.By, who.Name)
		}
		x.May = may(who, access.Approve, one.Experiment, "")
		if x.May && one.WantedBy(who.Name) {
			x.May, x.Why = false, "You want this change yourself: somebody else approves it."
		}
		body.Proposals = append(body.Proposals, x)
	}
	return p.show(w, r, status, "changes", page{Title: "Changes", Nav: "decisions", Live: true, Body: body})
}

// approve agrees to a change, or takes that back.
func (p *Pages) approve(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if err := r.ParseForm(); err != nil {
		return fault{http.StatusBadRequest, "The form could not be read."}
	}
	key := r.PathValue("key")
	o := acts.Approve{
		On:   acts.On{Experiment: key, Reason: strings.Join(strings.Fields(r.PostForm.Get("reason")), " ")},
		Hash: r.PostForm.Get("hash"), Withdraw: r.PostForm.Get("withdraw") != "",
	}
	if o.Hash == "" {
		return fault{http.StatusBadRequest, "The form does not say which change is meant."}
	}
	done := fmt.Sprintf("You have approved the change of %s. It is applied by assay apply.", key)
	if o.Withdraw {
		done = fmt.Sprintf("Your approval of the change of %s is taken back.", key)
	}
	if _, err := p.cfg.Hand.Approve(r.Context(), access.From(r.Context()), o); err != nil {
		return p.showChanges(w, r, statusOf(err), waiting{Fault: sentence(err.Error()), Of: key})
	}
	return p.showChanges(w, r, http.StatusOK, waiting{Done: done, Of: key})
}
