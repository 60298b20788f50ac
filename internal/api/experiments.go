package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Experiments is a page of the list.
type Experiments struct {
	Items []catalog.Row `json:"items"`
	Of    int           `json:"of" doc:"Experiments that the question finds, on all pages."`
	Next  string        `json:"next,omitempty" doc:"Send it as after for the next page; absent on the last one."`
}

// Experiment is everything that the files say of one, and where it stands.
type Experiment struct {
	catalog.Row
	Decision   catalog.Box            `json:"decision" doc:"What to do, and why."`
	Definition *experiment.Experiment `json:"definition" doc:"The experiment as it was applied, with all of its iterations."`
}

type listInput struct {
	Asked
	Text   string   `query:"q" maxLength:"200" doc:"In the key, the owner, the objective or the hypothesis."`
	State  []string `query:"state" enum:"scheduled,running,maturing,ended,killed" doc:"One or several, separated by commas."`
	Health []string `query:"health" enum:"breached,srm,blind,error,crossovers,unknown,warned,unguarded,inconclusive,healthy" doc:"One or several, separated by commas."`
	Call   []string `query:"call" enum:"ship,stop,keep running,cannot tell" doc:"What to do about it: one or several, separated by commas."`
	Owner  string   `query:"owner" maxLength:"200"`
	Sort   string   `query:"sort" enum:"key,health,start" default:"key" doc:"health: the gravest first; start: the youngest first."`
	After  string   `query:"after" maxLength:"200" doc:"Where the page before ended: its next."`
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// RunOf names an experiment's iteration.
type RunOf struct {
	Key       string `path:"key" maxLength:"200" doc:"Key of the experiment."`
	Iteration uint32 `query:"iteration" doc:"Numbered run; the one that runs, or ran last, when it is left out."`
}

type oneInput struct {
	Asked
	RunOf
}

func (a *API) experiments() {
	huma.Register(a.huma, describe[Experiments](a, huma.Operation{
		OperationID: "list-experiments", Method: http.MethodGet, Path: Prefix + "/experiments", Tags: []string{"experiments"},
		Summary:     "All experiments",
		Description: "State, health, what to do, and the primary goal's effect with its interval, of every experiment of the configuration in force.",
	}, rowColumns()), a.listExperiments)
	huma.Register(a.huma, describe[Experiment](a, huma.Operation{
		OperationID: "get-experiment", Method: http.MethodGet, Path: Prefix + "/experiments/{key}", Tags: []string{"experiments"},
		Summary: "One experiment", Description: "Where it stands, what to do and why, and its definition.",
	}, nil, http.StatusNotFound), a.getExperiment)
}

func (a *API) listExperiments(ctx context.Context, in *listInput) (*answer, error) {
	rows, err := a.parts.Catalog.Rows(ctx)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	page := catalog.Find(rows, catalog.Query{
		Text: in.Text, Owner: in.Owner, Sort: catalog.Order(in.Sort), After: in.After, Limit: in.Limit,
		State: words[catalog.State](in.State), Health: words[catalog.Fitness](in.Health), Call: words[catalog.Call](in.Call),
	})
	r := reply{value: Experiments{Items: orEmpty(page.Rows), Of: page.Of, Next: page.Next}, table: func() table { return rowTable(page.Rows) }}
	if page.Next != "" {
		r.next = in.link(page.Next)
	}
	return a.respond(ctx, &in.Asked, r)
}

// link is the address of the page after this one.
func (in *listInput) link(after string) string {
	q := url.Values{"after": {after}, "limit": {fmt.Sprint(in.Limit)}, "sort": {in.Sort}}
	for name, value := range map[string]string{
		"q": in.Text, "owner": in.Owner, "format": in.Format,
		"state": strings.Join(in.State, ","), "health": strings.Join(in.Health, ","), "call": strings.Join(in.Call, ","),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return Prefix + "/experiments?" + q.Encode()
}

func words[T ~string](in []string) []T {
	out := make([]T, len(in))
	for i, s := range in {
		out[i] = T(s)
	}
	return out
}

func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func (a *API) getExperiment(ctx context.Context, in *oneInput) (*answer, error) {
	d, err := a.parts.Catalog.Detail(ctx, in.Key, in.Iteration)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{value: Experiment{Row: d.Row, Decision: d.Box, Definition: d.Experiment}})
}

func rowColumns() []column {
	return []column{
		{"experiment", text, "Key of the experiment."}, {"owner", text, ""}, {"iteration", integer, "Numbered run."},
		{"state", text, "scheduled, running, maturing, ended or killed."}, {"health", text, "The gravest thing that is known of it."},
		{"verdict", text, "Of all guardrails together."}, {"call", text, "What to do."}, {"text", text, "The same in a sentence or two."},
		{"start", instant, ""}, {"end", instant, ""}, {"at", instant, "When it was looked at."}, {"freshness", instant, "Everything before it is counted."},
		{"units", integer, "Of all arms."}, {"planned_units", integer, "Of a comparison; 0: none."},
		{"metric", text, "The primary goal."}, {"arm", text, ""}, {"complete", truth, "Of units whose windows have passed."},
		{"relative", number, "Effect as a part of the control's mean."}, {"relative_low", number, "Of the interval for every look."}, {"relative_high", number, ""},
		{"absolute", number, ""}, {"absolute_low", number, ""}, {"absolute_high", number, ""}, {"p", number, "For every look."},
	}
}

func rowTable(rows []catalog.Row) table {
	t := table{columns: rowColumns()}
	for i := range rows {
		r := &rows[i]
		m := r.Main
		if m == nil {
			none := catalog.Within{Estimate: unknown(), Low: unknown(), High: unknown()}
			m = &catalog.Effect{Relative: none, Absolute: none, P: unknown()}
		}
		t.rows = append(t.rows, []any{
			r.Key, r.Owner, int64(r.Iteration), string(r.State), string(r.Health), r.Verdict, string(r.Call), r.Text,
			r.Start, r.End, r.At, r.Freshness, r.Units, r.Planned, m.Metric, m.Arm, m.Complete,
			m.Relative.Estimate, m.Relative.Low, m.Relative.High, m.Absolute.Estimate, m.Absolute.Low, m.Absolute.High, m.P,
		})
	}
	return t
}

func unknown() results.Number { return results.Number(nan()) }
