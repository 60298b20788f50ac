package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
)

// Problem is an error as RFC 9457 writes it, with a hint at what to do.
type Problem struct {
	Type     string              `json:"type,omitempty" format:"uri" doc:"Always about:blank: the status says what kind of problem it is."`
	Title    string              `json:"title,omitempty" doc:"The status in words."`
	Status   int                 `json:"status,omitempty"`
	Detail   string              `json:"detail,omitempty" doc:"What went wrong."`
	Instance string              `json:"instance,omitempty" format:"uri"`
	Hint     string              `json:"hint,omitempty" doc:"What to do about it."`
	Errors   []*huma.ErrorDetail `json:"errors,omitempty" doc:"What is wrong with each part of the request."`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemJSON }

const problemJSON = "application/problem+json"

func problem(status int, hint, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...), Hint: hint}
}

// refuse makes of an error what the client is told. What it cannot help is not
// described to it: the log has it.
func (a *API) refuse(ctx context.Context, err error) *Problem {
	var missing *catalog.Missing
	var known *Problem
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &missing):
		return problem(http.StatusNotFound, missing.Hint, "%s", missing.Error())
	case catalog.Unavailable(ctx, err) != "":
		return problem(http.StatusServiceUnavailable, "ask again when it is back: the program waits for it, and goes on by itself", "%s", catalog.Unavailable(ctx, err))
	case ctx.Err() != nil:
		return problem(http.StatusServiceUnavailable, "ask again", "the answer was not there in time")
	}
	a.parts.Log.Error("request not answered", "error", err)
	return problem(http.StatusInternalServerError, "the program's log says why", "the answer could not be read")
}

// problems documents what may go wrong with an operation.
func (a *API) problems(responses map[string]*huma.Response, statuses ...int) {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	for _, status := range append(statuses, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable) {
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Content: map[string]*huma.MediaType{problemJSON: {Schema: schema}},
		}
	}
}
