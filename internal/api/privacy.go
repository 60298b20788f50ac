package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/privacy"
)

type privacyInput struct {
	Asked
	Key string `path:"key" maxLength:"200"`
}

func (a *API) privacy() {
	huma.Register(a.huma, describe[privacy.Notice](a, huma.Operation{
		OperationID: "get-privacy-notice", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/privacy", Tags: []string{"data"},
		Summary:     "What is stored of an experiment's units",
		Description: "Which attributes and events and what uses them, what is kept of whom and until when, and who may read it: from the files and the configuration in force.",
	}, nil, http.StatusNotFound), a.privacyNotice)
}

func (a *API) privacyNotice(ctx context.Context, in *privacyInput) (*answer, error) {
	n, err := a.parts.Privacy.PrivacyNotice(ctx, in.Key)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{value: n})
}
