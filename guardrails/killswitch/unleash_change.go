package killswitch

import (
	"fmt"
	"net/http"
)

// change is one of a change request.
type change struct {
	Feature string         `json:"feature,omitempty"`
	Action  string         `json:"action"`
	Payload map[string]any `json:"payload"`
}

// turnsOff tells whether it is what a kill asks for.
func (c change) turnsOff() bool { return c.Action == "updateEnabled" && c.Payload["enabled"] == false }

// pendingChange is a change request that is not closed.
type pendingChange struct {
	ID          int64
	Environment string
	State       string
	Features    []struct {
		Name    string
		Changes []change
	}
}

// changeRequest plans to ask people for what the off call may not do: unless a
// request for it waits already, one is drafted and put up for review. The calls
// are those of Unleash's own pages (7.4.1, useChangeRequestApi); the server's side
// of them is Enterprise and not published.
func (u unleash) changeRequest(r Request) (Step, error) {
	draft, err := u.api.step(http.MethodPost,
		u.api.at("/api/admin/projects/%s/environments/%s/change-requests", u.Project, u.Environment),
		change{r.flag(), "updateEnabled", map[string]any{"enabled": false}}, func(a Answer) Reply {
			var drafted struct{ ID int64 }
			if plain(a).Class != ClassAccepted || decode(a.Body, &drafted) != nil || drafted.ID == 0 {
				return Reply{Class: ClassPendingApproval, Why: "this environment asks for a change request, which could not be drafted"}
			}
			return u.review(drafted.ID, r)
		})
	if err != nil {
		return Step{}, err
	}
	draft.Aside, draft.Lost = true, ClassPendingApproval
	pending := u.api.get(u.api.at("/api/admin/projects/%s/change-requests/pending/%s", u.Project, r.flag()))
	return Step{Call: pending, Aside: true, Then: func(a Answer) Reply {
		var all []pendingChange
		if a.Status == http.StatusOK && decode(a.Body, &all) == nil {
			for _, p := range all {
				if p.State != "Draft" && p.asks(u.Environment, r.flag()) {
					return Reply{Class: ClassPendingApproval, Why: "a change request for it waits already", Link: u.requestPage(p.ID)}
				}
			}
		}
		return Reply{Next: &draft}
	}}, nil
}

// asks tells whether it would turn a flag off in an environment.
func (p pendingChange) asks(environment, flag string) bool {
	if p.Environment != environment {
		return false
	}
	for _, f := range p.Features {
		for _, c := range f.Changes {
			if f.Name == flag && c.turnsOff() {
				return true
			}
		}
	}
	return false
}

// review puts a draft before people.
func (u unleash) review(id int64, r Request) Reply {
	link := u.requestPage(id)
	step, err := u.api.step(http.MethodPut, u.api.at("/api/admin/projects/%s/change-requests/%s/state", u.Project, fmt.Sprint(id)),
		map[string]string{"state": "In review", "comment": because(r)}, func(a Answer) Reply {
			why := "this environment asks for a change request, which was filed"
			if plain(a).Class != ClassAccepted {
				why = "this environment asks for a change request, which was drafted and could not be put up for review"
			}
			return Reply{Class: ClassPendingApproval, Why: why, Link: link}
		})
	if err != nil {
		return Reply{Class: ClassPendingApproval, Why: err.Error(), Link: link}
	}
	step.Aside, step.Lost = true, ClassPendingApproval
	return Reply{Next: &step, Link: link}
}

func (u unleash) requestPage(id int64) string {
	return u.api.at("/projects/%s/change-requests/%s", u.Project, fmt.Sprint(id))
}
