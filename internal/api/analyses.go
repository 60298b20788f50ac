package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Explorer computes exploratory analyses, and has those that are stored. Its errors
// carry a code of acts where an order cannot be taken; what is not there is a
// *catalog.Missing.
type Explorer interface {
	Explore(ctx context.Context, who access.Principal, o catalog.Exploration) (catalog.AnalysisRun, error)
	Run(ctx context.Context, key, id string) (catalog.AnalysisRun, error)
	Analyses(ctx context.Context, key string, iteration uint32) ([]catalog.AnalysisHead, error)
	Analysis(ctx context.Context, key, which string) (*results.Analysis, error)
}

// Analyses are the exploratory analyses of an experiment.
type Analyses struct {
	Items []catalog.AnalysisHead `json:"items" doc:"The newest first. All are exploratory: chosen when the data could be seen."`
}

// AnalysisOrder is what an analysis changes of the plan.
type AnalysisOrder struct {
	Name      string             `json:"name,omitempty" maxLength:"100" doc:"To find it by. A name keeps its definition."`
	Iteration uint32             `json:"iteration,omitempty" doc:"The one that runs, or ran last, when it is left out."`
	Window    string             `json:"window,omitempty" maxLength:"40" doc:"How long after the first exposure an outcome counts, such as 14d."`
	Cap       string             `json:"cap,omitempty" maxLength:"40" doc:"Where a unit's total is cut: a number, or a percentile such as p99."`
	Where     map[string]string  `json:"where,omitempty" maxProperties:"20" doc:"Attributes that a unit's first exposure must have."`
	From      string             `json:"first_from,omitempty" maxLength:"40" doc:"Only units first exposed from then on (RFC 3339)."`
	Until     string             `json:"first_till,omitempty" maxLength:"40" doc:"Only units first exposed before then."`
	Metrics   []string           `json:"metrics,omitempty" maxItems:"20" doc:"Metric files, their text, to compute in place of the planned metrics."`
	Only      []string           `json:"only,omitempty" maxItems:"100" doc:"Of the planned metrics only these."`
	Quantiles map[string]float64 `json:"quantiles,omitempty" maxProperties:"20" doc:"Of the values that a planned mean or sum adds up, such as {\"revenue\": 0.9}."`
}

// wish is the order as the engine reads it.
func (o *AnalysisOrder) wish() results.AnalysisWish {
	w := results.AnalysisWish{Window: o.Window, Cap: o.Cap, Where: o.Where, From: o.From, Until: o.Until, Only: o.Only, Quantiles: map[string]string{}}
	for i, text := range o.Metrics {
		w.Files = append(w.Files, experiment.File{Name: fmt.Sprintf("metrics[%d]", i), Data: []byte(text)})
	}
	for name, q := range o.Quantiles {
		w.Quantiles[name] = strconv.FormatFloat(q, 'g', -1, 64)
	}
	return w
}

type analysesInput struct {
	Asked
	Key       string `path:"key" maxLength:"200"`
	Iteration uint32 `query:"iteration" doc:"All of them when it is left out."`
}

type analysisInput struct {
	Asked
	Key   string `path:"key" maxLength:"200"`
	Which string `path:"analysis" maxLength:"200" doc:"Its id, or the name under which it was saved: of several runs of one name the last."`
}

type runInput struct {
	Asked
	Key string `path:"key" maxLength:"200"`
	ID  string `path:"run" maxLength:"100" doc:"As the answer to the order has it."`
}

type startedRun struct {
	Location string `header:"Location"`
	Body     catalog.AnalysisRun
}

// mostOrder is how large an order of an analysis may be, in bytes: it may hold metric
// files.
const mostOrder = 256 << 10

// analyses describes exploratory analyses; nothing where nobody computes them.
func (a *API) analyses() {
	if a.parts.Explorer == nil {
		return
	}
	const exploratory = " It is exploratory: chosen when the data could be seen; it takes the place of nothing that was planned (docs/analyses.md)."
	order := huma.Operation{
		OperationID: "start-analysis", Method: http.MethodPost, Path: Prefix + "/experiments/{key}/analyses", Tags: []string{"analyses", "acts"},
		Summary:       "Analyse an experiment otherwise than planned",
		Description:   "From stored events: another window, cap, cohort, metric. The answer comes at once; Location says where its progress is." + exploratory + " Role analyst.",
		DefaultStatus: http.StatusAccepted, MaxBodyBytes: mostOrder, Security: []map[string][]string{{bearer: {}}}, Responses: map[string]*huma.Response{},
	}
	a.problems(order.Responses, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests)
	huma.Register(a.huma, order, a.startAnalysis)
	huma.Register(a.huma, describe[catalog.AnalysisRun](a, huma.Operation{
		OperationID: "get-analysis-run", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/analyses/runs/{run}", Tags: []string{"analyses"},
		Summary: "How far an analysis is", Description: "Known to the process that took the order, for a while; what is done stands among the analyses for good.",
	}, nil, http.StatusNotFound), a.getRun)
	huma.Register(a.huma, describe[Analyses](a, huma.Operation{
		OperationID: "list-analyses", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/analyses", Tags: []string{"analyses"},
		Summary: "Exploratory analyses of an experiment", Description: "Those that were saved under a name, and those that were only run.",
	}, headColumns(), http.StatusNotFound), a.listAnalyses)
	huma.Register(a.huma, describe[results.Analysis](a, huma.Operation{
		OperationID: "get-analysis", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/analyses/{analysis}", Tags: []string{"analyses"},
		Summary: "One exploratory analysis", Description: "With its definition and its results; as rows those of results, each marked." + exploratory,
	}, analysisColumns(), http.StatusNotFound), a.getAnalysis)
}

func (a *API) startAnalysis(ctx context.Context, in *orderInput[AnalysisOrder]) (*startedRun, error) {
	run, err := a.parts.Explorer.Explore(ctx, access.From(ctx), catalog.Exploration{
		Experiment: in.Key, Iteration: in.Body.Iteration, Name: in.Body.Name, Wish: in.Body.wish(),
	})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	return &startedRun{Location: Prefix + "/experiments/" + in.Key + "/analyses/runs/" + run.ID, Body: run}, nil
}

func (a *API) getRun(ctx context.Context, in *runInput) (*answer, error) {
	run, err := a.parts.Explorer.Run(ctx, in.Key, in.ID)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{value: run})
}

func (a *API) listAnalyses(ctx context.Context, in *analysesInput) (*answer, error) {
	if _, err := a.parts.Catalog.Detail(ctx, in.Key, in.Iteration); err != nil {
		return nil, a.refuse(ctx, err)
	}
	all, err := a.parts.Explorer.Analyses(ctx, in.Key, in.Iteration)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	items := make([]catalog.AnalysisHead, len(all))
	for i := range all {
		items[len(all)-1-i] = all[i]
	}
	return a.respond(ctx, &in.Asked, reply{value: Analyses{items}, table: func() table { return headTable(items) }})
}

func (a *API) getAnalysis(ctx context.Context, in *analysisInput) (*answer, error) {
	found, err := a.parts.Explorer.Analysis(ctx, in.Key, in.Which)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{value: found, table: func() table { return analysisTable(found) }})
}

// markColumns stand before the numbers of an analysis: nobody takes a row for one of
// the plan.
func markColumns() []column {
	return []column{
		{"exploratory", truth, "Always: chosen when the data could be seen."}, {"analysis", text, "Its id."}, {"name", text, "Empty: it was only run."},
		{"changes", text, "Of the plan, in words."}, {"author", text, ""},
		{"number", integer, "Of the iteration's different analyses, this one included."}, {"level", number, "What a p-value must be below to stand for all of them."},
	}
}

func marks(h *catalog.AnalysisHead) []any {
	return []any{true, h.ID, h.Name, strings.Join(h.Changes, "; "), h.Author, int64(h.Number), results.Number(h.Level)}
}

func headColumns() []column {
	return append(markColumns(), column{"experiment", text, ""}, column{"iteration", integer, ""}, column{"at", instant, "When it was computed."},
		column{"version", integer, "Of the configuration."}, column{"notice", text, "What exploratory means here."})
}

func headTable(all []catalog.AnalysisHead) table {
	t := table{columns: headColumns()}
	for i := range all {
		h := &all[i]
		t.rows = append(t.rows, append(marks(h), h.Experiment, int64(h.Iteration), h.At, int64(h.Version), h.Notice))
	}
	return t
}

func analysisColumns() []column { return append(markColumns(), resultColumns()...) }

func analysisTable(a *results.Analysis) table {
	head := catalog.HeadOf(a)
	d := catalog.Detail{Document: a.Document}
	d.Row.Look = a.ID
	t := resultTable(&d)
	t.columns = analysisColumns()
	for i, row := range t.rows {
		t.rows[i] = append(marks(&head), row...)
	}
	return t
}
