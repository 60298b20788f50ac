package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/governance"
)

// Governance says whether an experiment may begin, and what is left to say of it. What is
// not there is a *catalog.Missing.
type Governance interface {
	Readiness(ctx context.Context, key string, lift, power float64) (governance.Readiness, error)
	Writeup(ctx context.Context, key string) (*catalog.Writeup, error)
}

type readinessInput struct {
	Asked
	Key   string  `path:"key" maxLength:"200"`
	Lift  float64 `query:"lift" default:"0.05" exclusiveMinimum:"0" doc:"Effect that its goals should find, as a part of the control's mean."`
	Power float64 `query:"power" default:"0.8" exclusiveMinimum:"0" exclusiveMaximum:"1" doc:"Chance to find it, which the planned units must reach."`
}

type writeupInput struct {
	Asked
	Key string `path:"key" maxLength:"200"`
}

func (a *API) governance() {
	huma.Register(a.huma, describe[governance.Readiness](a, huma.Operation{
		OperationID: "get-readiness", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/readiness", Tags: []string{"governance"},
		Summary:     "Whether an experiment may begin",
		Description: "As it is in force: events of its metrics, a kill switch tried without a write, power at the planned units, guardrails, story, end, audience, privacy. Computed when it is asked for, at most once a minute.",
	}, nil, http.StatusNotFound), a.readiness)
	huma.Register(a.huma, describe[catalog.Writeup](a, huma.Operation{
		OperationID: "get-writeup", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/writeup", Tags: []string{"governance"},
		Summary:     "What is left to say of an experiment",
		Description: "Hypothesis, design, the result of each iteration, the iterations together, what was decided, the notes, and the hash that vouches for the log.",
	}, nil, http.StatusNotFound), a.writeup)
}

func (a *API) readiness(ctx context.Context, in *readinessInput) (*answer, error) {
	r, err := a.parts.Governance.Readiness(ctx, in.Key, in.Lift, in.Power)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{value: r})
}

func (a *API) writeup(ctx context.Context, in *writeupInput) (*answer, error) {
	w, err := a.parts.Governance.Writeup(ctx, in.Key)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{value: w})
}
