package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
)

// Past is what experiments have shown.
type Past interface {
	FindPast(ctx context.Context, q catalog.FoundQuery) (catalog.FoundPage, error)
}

type effectsInput struct {
	Asked
	Text   string   `query:"q" maxLength:"200" doc:"In the key, the owner, the hypothesis or a note."`
	Metric string   `query:"metric" maxLength:"200" doc:"Its whole name."`
	Owner  string   `query:"owner" maxLength:"200"`
	Shown  []string `query:"shown" enum:"better,worse,nothing" doc:"What the interval that holds at every look shows: one or several, separated by commas."`
	Least  float64  `query:"at_least" minimum:"0" doc:"Size of the effect, in either direction, as a part of the control's mean: 0.02."`
	Most   float64  `query:"at_most" minimum:"0" doc:"The same, from above; 0: none."`
	State  []string `query:"state" enum:"running,maturing,ended,killed" doc:"How the iteration stands, or how it ended."`
	Call   []string `query:"call" enum:"ship,stop,keep running,cannot tell" doc:"What its numbers said to do."`
	Goals  bool     `query:"goals" doc:"Goals alone; else guardrails too."`
	Sort   string   `query:"sort" enum:"newest,size" default:"newest" doc:"newest: the iteration that ended last first; size: the largest effect first."`
	After  string   `query:"after" maxLength:"1000" doc:"Where the page before ended: its next."`
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (a *API) effects() {
	huma.Register(a.huma, describe[catalog.FoundPage](a, huma.Operation{
		OperationID: "find-effects", Method: http.MethodGet, Path: Prefix + "/effects", Tags: []string{"experiments"},
		Summary:     "What experiments have shown",
		Description: "The effect on each metric in each arm and iteration, of running and past experiments, by metric, direction, size and how it ended.",
	}, effectColumns()), a.findEffects)
}

func (a *API) findEffects(ctx context.Context, in *effectsInput) (*answer, error) {
	page, err := a.parts.Past.FindPast(ctx, catalog.FoundQuery{
		Text: in.Text, Metric: in.Metric, Owner: in.Owner, Shown: words[catalog.Shown](in.Shown), Least: in.Least, Most: in.Most,
		State: words[catalog.State](in.State), Call: words[catalog.Call](in.Call), Goals: in.Goals, Sort: catalog.FoundOrder(in.Sort), After: in.After, Limit: in.Limit,
	})
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	r := reply{value: page, table: func() table { return effectTable(page.Effects) }}
	if page.Next != "" {
		r.next = in.link(page.Next)
	}
	return a.respond(ctx, &in.Asked, r)
}

// link is the address of the page after this one.
func (in *effectsInput) link(after string) string {
	q := url.Values{"after": {after}, "limit": {strconv.Itoa(in.Limit)}, "sort": {in.Sort}}
	size := func(x float64) string {
		if x == 0 {
			return ""
		}
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	goals := ""
	if in.Goals {
		goals = "true"
	}
	for name, value := range map[string]string{
		"q": in.Text, "metric": in.Metric, "owner": in.Owner, "format": in.Format, "at_least": size(in.Least), "at_most": size(in.Most), "goals": goals,
		"shown": strings.Join(in.Shown, ","), "state": strings.Join(in.State, ","), "call": strings.Join(in.Call, ","),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return Prefix + "/effects?" + q.Encode()
}

func effectColumns() []column {
	return []column{
		{"experiment", text, "Key of the experiment."}, {"owner", text, ""}, {"iteration", integer, "Numbered run."},
		{"state", text, "running, maturing, ended or killed."}, {"call", text, "What its numbers said to do."}, {"start", instant, ""}, {"end", instant, ""},
		{"metric", text, ""}, {"arm", text, ""}, {"goal", truth, ""}, {"guardrail", truth, ""}, {"shown", text, "better, worse or nothing, at every look."},
		{"complete", truth, "Of units whose windows have passed."}, {"treatment_units", integer, ""}, {"control_units", integer, ""},
		{"relative", number, "Effect as a part of the control's mean."}, {"relative_low", number, "Of the interval for every look."}, {"relative_high", number, ""},
		{"absolute", number, ""}, {"absolute_low", number, ""}, {"absolute_high", number, ""}, {"p", number, "For every look."}, {"text", text, "Effect and interval for people."},
	}
}

func effectTable(all []catalog.Found) table {
	t := table{columns: effectColumns()}
	for i := range all {
		f := &all[i]
		t.rows = append(t.rows, []any{
			f.Experiment, f.Owner, int64(f.Iteration), string(f.State), string(f.Call), f.Start, f.End, f.Metric, f.Arm, f.Goal, f.Guardrail, string(f.Shows()),
			f.Complete, f.Units.Treatment, f.Units.Control, f.Relative.Estimate, f.Relative.Low, f.Relative.High,
			f.Absolute.Estimate, f.Absolute.Low, f.Absolute.High, f.P, f.Text,
		})
	}
	return t
}
