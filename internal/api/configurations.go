package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
)

// Versions are the applied states of the files, the newest first.
type Versions struct {
	Items []catalog.Configuration `json:"items"`
}

type numberInput struct {
	Asked
	Number uint32 `path:"number" minimum:"0" doc:"Of the version; 0: the one in force."`
}

func (a *API) configurations() {
	huma.Register(a.huma, describe[Versions](a, huma.Operation{
		OperationID: "list-configurations", Method: http.MethodGet, Path: Prefix + "/configurations", Tags: []string{"data"},
		Summary: "Applied versions of the files", Description: "Who applied what, when and why, the newest first.",
	}, configurationColumns()), a.listConfigurations)
	huma.Register(a.huma, describe[experiment.Version](a, huma.Operation{
		OperationID: "get-configuration", Method: http.MethodGet, Path: Prefix + "/configurations/{number}", Tags: []string{"data"},
		Summary: "One version", Description: "Every experiment and metric as they were in force.",
	}, nil, http.StatusNotFound), a.getConfiguration)
}

func (a *API) listConfigurations(ctx context.Context, in *Asked) (*answer, error) {
	all, err := a.parts.Configurations.Configurations(ctx)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, in, reply{
		value: Versions{Items: orEmpty(all)}, table: func() table { return configurationTable(all) },
	})
}

func (a *API) getConfiguration(ctx context.Context, in *numberInput) (*answer, error) {
	v, err := a.parts.Configurations.Configuration(ctx, in.Number)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{tag: fmt.Sprintf("configuration %d", v.Number), value: v})
}

func configurationColumns() []column {
	return []column{
		{"number", integer, "From 1 without gaps."}, {"applied_at", instant, ""}, {"author", text, ""}, {"reason", text, ""},
		{"hash", text, "SHA-256 of its experiments."},
	}
}

func configurationTable(all []catalog.Configuration) table {
	t := table{columns: configurationColumns()}
	for _, c := range all {
		t.rows = append(t.rows, []any{int64(c.Number), c.AppliedAt, c.Author, c.Reason, c.Hash})
	}
	return t
}
