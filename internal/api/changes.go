package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/governance"
)

// Changes are those that wait for approvals.
type Changes interface {
	Waiting(ctx context.Context) ([]governance.Proposal, error)
}

// Waiting are changes that were not applied yet.
type Waiting struct {
	Items []governance.Proposal `json:"items"`
}

// ApproveOrder agrees to a change.
type ApproveOrder struct {
	Why
	Hash     string `json:"hash" minLength:"64" maxLength:"64" doc:"Of the change that you looked at."`
	Withdraw bool   `json:"withdraw,omitempty" doc:"Take your approval back."`
}

// Approved is what then waits.
type Approved struct {
	Experiment string                `json:"experiment"`
	Hash       string                `json:"hash"`
	Needs      int                   `json:"needs" doc:"How many must agree."`
	Approvals  []governance.Approval `json:"approvals"`
}

func (a *API) changes() {
	huma.Register(a.huma, describe[Waiting](a, huma.Operation{
		OperationID: "list-changes", Method: http.MethodGet, Path: Prefix + "/changes", Tags: []string{"decisions"},
		Summary: "Changes that wait for approvals", Description: "What somebody wanted to apply, what it does to whom sees the experiment, and who has agreed.",
	}, changeColumns()), a.listChanges)
}

func (a *API) listChanges(ctx context.Context, in *Asked) (*answer, error) {
	all, err := a.parts.Changes.Waiting(ctx)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, in, reply{value: Waiting{Items: orEmpty(all)}, table: func() table { return changeTable(all) }})
}

func (a *API) approve(ctx context.Context, in *orderInput[ApproveOrder]) (*done[Approved], error) {
	p, err := a.parts.Hand.Approve(ctx, access.From(ctx), acts.Approve{
		On: acts.On{Experiment: in.Key, Reason: in.Body.Reason}, Hash: in.Body.Hash, Withdraw: in.Body.Withdraw,
	})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	out := Approved{Experiment: in.Key, Hash: in.Body.Hash, Approvals: []governance.Approval{}}
	if p != nil && p.Hash == in.Body.Hash { // else it was applied in the same moment
		out.Needs, out.Approvals = p.Needs, orEmpty(p.Approvals)
	}
	return &done[Approved]{out}, nil
}

func changeColumns() []column {
	return []column{
		{"experiment", text, ""}, {"hash", text, "Of the change."}, {"class", text, "grow: that is why it waits."}, {"needs", integer, "How many must agree."},
		{"approvals", integer, "How many have."}, {"authors", text, "Who wanted it."}, {"at", instant, "When it was proposed."}, {"reasons", text, ""},
	}
}

func changeTable(all []governance.Proposal) table {
	t := table{columns: changeColumns()}
	for i := range all {
		p := &all[i]
		var reasons []string
		for _, r := range p.Change.Reasons {
			reasons = append(reasons, string(r.Class)+": "+r.Text)
		}
		t.rows = append(t.rows, []any{p.Experiment, p.Hash, string(p.Change.Class), int64(p.Needs), int64(len(p.Counting(""))), strings.Join(p.Authors, ", "), p.At, strings.Join(reasons, "; ")})
	}
	return t
}
