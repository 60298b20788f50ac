package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
)

// Guardrails are the verdicts of the newest look and how far kills are.
type Guardrails struct {
	Experiment string                   `json:"experiment"`
	Iteration  uint32                   `json:"iteration"`
	Look       string                   `json:"look"`
	At         time.Time                `json:"at"`
	Verdict    string                   `json:"verdict" doc:"The gravest of all."`
	Verdicts   []results.Verdict        `json:"verdicts" doc:"Of each guardrail and arm, with the tests and gates that they follow from."`
	Checks     []results.CrossoverCheck `json:"crossover_checks"`
	Anomalies  []results.Anomaly        `json:"anomalies"`
	Kill       *results.Kill            `json:"kill,omitempty"`
	ArmKills   []results.Kill           `json:"arm_kills"`
	Budget     results.Budget           `json:"budget" doc:"What may be erred by, and what it is spent on."`
	Snoozed    time.Time                `json:"snoozed_until,omitzero" doc:"Automatic kills wait until then."`
}

// Decisions is a page of the decision log, the newest first.
type Decisions struct {
	Items []catalog.Decision `json:"items"`
	Next  uint64             `json:"next,omitempty" doc:"Send it as before for the next page; absent on the last one."`
}

// LogPage is which stretch of the log is asked for.
type LogPage struct {
	Asked
	Before   uint64 `query:"before" doc:"Where the page before ended: its next."`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Evidence bool   `query:"evidence" doc:"With everything that each decision follows from: exact sums, observation, verdict."`
}

type allDecisionsInput struct {
	LogPage
	Experiment string `query:"experiment" maxLength:"200"`
}

type experimentDecisionsInput struct {
	LogPage
	Key       string `path:"key" maxLength:"200"`
	Iteration uint32 `query:"iteration" doc:"All of them when it is left out."`
}

func (a *API) decisions() {
	huma.Register(a.huma, describe[Guardrails](a, huma.Operation{
		OperationID: "get-guardrails", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/guardrails", Tags: []string{"decisions"},
		Summary: "Guardrails of an experiment", Description: "Their verdicts at the newest look, and how far a kill is.",
	}, verdictColumns(), http.StatusNotFound), a.getGuardrails)
	const about = "The decision log, the newest line first: verdicts that led to something, kills and what became of them, alarms, and what people did."
	huma.Register(a.huma, describe[Decisions](a, huma.Operation{
		OperationID: "list-decisions", Method: http.MethodGet, Path: Prefix + "/decisions", Tags: []string{"decisions"},
		Summary: "Decisions about all experiments", Description: about,
	}, decisionColumns()), func(ctx context.Context, in *allDecisionsInput) (*answer, error) {
		q := url.Values{}
		if in.Experiment != "" {
			q.Set("experiment", in.Experiment)
		}
		return a.listDecisions(ctx, &in.LogPage, in.Experiment, 0, Prefix+"/decisions", q)
	})
	huma.Register(a.huma, describe[Decisions](a, huma.Operation{
		OperationID: "list-experiment-decisions", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/decisions", Tags: []string{"decisions"},
		Summary: "Decisions about an experiment", Description: about,
	}, decisionColumns(), http.StatusNotFound), func(ctx context.Context, in *experimentDecisionsInput) (*answer, error) {
		if _, err := a.parts.Catalog.Detail(ctx, in.Key, in.Iteration); err != nil {
			return nil, a.refuse(ctx, err)
		}
		q := url.Values{}
		if in.Iteration != 0 {
			q.Set("iteration", fmt.Sprint(in.Iteration))
		}
		return a.listDecisions(ctx, &in.LogPage, in.Key, in.Iteration, Prefix+"/experiments/"+url.PathEscape(in.Key)+"/decisions", q)
	})
}

func (a *API) getGuardrails(ctx context.Context, in *oneInput) (*answer, error) {
	d, err := a.looked(ctx, in.Key, in.Iteration)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	// The guard's own word is newer than the numbers.
	doc := d.Judged
	return a.respond(ctx, &in.Asked, reply{
		value: Guardrails{
			Experiment: doc.Experiment, Iteration: doc.Iteration, Look: d.Row.Look, At: doc.At, Verdict: catalog.Overall(doc), Verdicts: orEmpty(doc.Verdicts),
			Checks: orEmpty(doc.CrossoverChecks), Anomalies: orEmpty(doc.Anomalies), Kill: doc.Kill, ArmKills: orEmpty(doc.ArmKills),
			Budget: doc.Budget, Snoozed: d.Row.SnoozedUntil,
		},
		table: func() table { return verdictTable(doc) },
	})
}

// after are the parameters of the next page.
func (in *LogPage) after(q url.Values, next uint64) url.Values {
	q.Set("before", fmt.Sprint(next))
	q.Set("limit", fmt.Sprint(in.Limit))
	if in.Evidence {
		q.Set("evidence", "true")
	}
	if in.Format != "" {
		q.Set("format", in.Format)
	}
	return q
}

// listDecisions gives a page. One line more than asked for tells whether there is another.
func (a *API) listDecisions(ctx context.Context, in *LogPage, key string, iteration uint32, path string, q url.Values) (*answer, error) {
	all, err := a.parts.Journal.Decisions(ctx, catalog.DecisionQuery{Experiment: key, Iteration: iteration, Before: in.Before, Limit: in.Limit + 1, Evidence: in.Evidence})
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	page := Decisions{Items: orEmpty(all)}
	r := reply{}
	if len(all) > in.Limit {
		page.Items = all[:in.Limit]
		page.Next = page.Items[in.Limit-1].Seq
		r.next = path + "?" + in.after(q, page.Next).Encode()
	}
	r.value, r.table = page, func() table { return decisionTable(page.Items) }
	return a.respond(ctx, &in.Asked, r)
}

func verdictColumns() []column {
	return []column{
		{"experiment", text, ""}, {"iteration", integer, ""}, {"at", instant, "Of the look."}, {"metric", text, ""}, {"arm", text, ""},
		{"mode", text, "observe, notify or kill."}, {"verdict", text, "inconclusive, healthy, breached, blind or error."}, {"reason", text, ""}, {"text", text, "One sentence."},
		{"margin", number, "Tolerated harm."}, {"relative", truth, "The margin is a part of the control's mean."},
		{"harm", number, "Estimate, in the units of the margin."}, {"harm_low", number, "Lower bound for every look."}, {"harm_p", number, "Of no harm beyond the margin."},
		{"safe_high", number, "Upper bound on matured units."}, {"safe_p", number, "Of harm as large as the margin."},
	}
}

func verdictTable(d *results.Document) table {
	t := table{columns: verdictColumns()}
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		harm, safe := results.Test{Estimate: unknown(), Bound: unknown(), P: unknown()}, results.Test{Bound: unknown(), P: unknown()}
		if v.Harm != nil {
			harm = *v.Harm
		}
		if v.Safe != nil {
			safe = *v.Safe
		}
		t.rows = append(t.rows, []any{
			d.Experiment, int64(d.Iteration), d.At, v.Metric, v.Arm, v.Mode, v.Verdict, v.Reason, v.Text,
			results.Number(v.Margin), v.Relative, harm.Estimate, harm.Bound, harm.P, safe.Bound, safe.P,
		})
	}
	return t
}

func decisionColumns() []column {
	return []column{
		{"seq", integer, "From 1 without gaps."}, {"at", instant, ""}, {"experiment", text, ""}, {"iteration", integer, ""}, {"kind", text, "What the line records."},
		{"act", text, "Of a decision: what was to be done."}, {"decision", integer, "That this line continues; 0: none."}, {"guardrail", text, "Its metric."}, {"arm", text, ""},
		{"verdict", text, ""}, {"reason", text, ""}, {"actor", text, "The guard, or the person."}, {"text", text, "One sentence."},
		{"look", text, "That it rests on."}, {"version", integer, "Of the configuration."}, {"hash", text, "Vouches for this line and all before it."},
	}
}

func decisionTable(all []catalog.Decision) table {
	t := table{columns: decisionColumns()}
	for i := range all {
		d := &all[i]
		t.rows = append(t.rows, []any{
			int64(d.Seq), d.At, d.Experiment, int64(d.Iteration), d.Kind, d.Act, int64(d.Decision), d.Guardrail, d.Arm,
			d.Verdict, d.Reason, d.Actor, d.Text, d.Look, int64(d.Version), d.Hash,
		})
	}
	return t
}
