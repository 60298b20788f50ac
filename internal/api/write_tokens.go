package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/access"
)

// ErrNoToken says that no token has an id.
var ErrNoToken = errors.New("no token has that id")

// Tokens are those of who may come in.
type Tokens interface {
	Tokens(ctx context.Context) ([]access.Token, error)
	// RevokeToken makes one useless; ErrNoToken when it is none.
	RevokeToken(ctx context.Context, who access.Principal, id string) error
}

// Token is one without its text and hash, which are shown to nobody.
type Token struct {
	ID          string    `json:"id"`
	Name        string    `json:"name" doc:"The actor in the decision log."`
	Role        string    `json:"role" enum:"viewer,analyst,owner,operator,admin"`
	Experiments []string  `json:"experiments,omitempty" doc:"It acts on these alone."`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
}

// TokenList is all of them, expired ones too.
type TokenList struct {
	Items []Token `json:"items"`
}

// tokens describes who comes in. They are made by `assay token create` alone, so that
// no answer ever holds one.
func (a *API) tokens() {
	if a.parts.Tokens == nil {
		return
	}
	list := huma.Operation{
		OperationID: "list-tokens", Method: http.MethodGet, Path: Prefix + "/tokens", Tags: []string{"access"}, Security: []map[string][]string{{bearer: {}}},
		Summary: "Who has a token", Description: "Role admin. Tokens are made with `assay token create`.", Responses: map[string]*huma.Response{},
	}
	a.problems(list.Responses, http.StatusUnauthorized, http.StatusForbidden)
	huma.Register(a.huma, list, func(ctx context.Context, _ *struct{}) (*done[TokenList], error) {
		all, err := a.parts.Tokens.Tokens(ctx)
		if err != nil {
			return nil, a.refuse(ctx, err)
		}
		out := TokenList{Items: []Token{}}
		for _, t := range all {
			out.Items = append(out.Items, Token{t.ID, t.Name, t.Role.String(), t.Experiments, t.Created, t.Expires})
		}
		return &done[TokenList]{out}, nil
	})
	revoke := huma.Operation{
		OperationID: "revoke-token", Method: http.MethodDelete, Path: Prefix + "/tokens/{id}", Tags: []string{"access"}, Security: []map[string][]string{{bearer: {}}}, DefaultStatus: http.StatusNoContent,
		Summary: "Make a token useless", Description: "Role admin. From the next request on, with the sessions that it began.", Responses: map[string]*huma.Response{},
	}
	a.problems(revoke.Responses, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound)
	huma.Register(a.huma, revoke, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"100" doc:"As the list has it."`
	}) (*struct{}, error) {
		err := a.parts.Tokens.RevokeToken(ctx, access.From(ctx), in.ID)
		if errors.Is(err, ErrNoToken) {
			return nil, problem(http.StatusNotFound, Prefix+"/tokens lists them", "no token has the id %q", in.ID)
		}
		if err != nil {
			return nil, a.refuse(ctx, err)
		}
		return nil, nil
	})
}
