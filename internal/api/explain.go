package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
)

// Explained is what became of every stored event of a unit.
type Explained struct {
	Experiment string              `json:"experiment"`
	Events     []catalog.Explained `json:"events" doc:"By event time. None: nothing of the unit is stored. Of a unit that was erased: the requests."`
}

// explainInput has the unit in its body: addresses are written down by proxies.
type explainInput struct {
	Asked
	Key  string `path:"key" maxLength:"200"`
	Body struct {
		Unit string `json:"unit" minLength:"1" maxLength:"1000" doc:"Its id as the producer sends it."`
	}
}

func (a *API) explain() {
	huma.Register(a.huma, describe[Explained](a, huma.Operation{
		OperationID: "explain-unit", Method: http.MethodPost, Path: Prefix + "/experiments/{key}/explain", Tags: []string{"data"},
		Summary:     "Where a unit's events went",
		Description: "Each stored event of the unit: counted, duplicate, outside, crossover, not yet counted, and why. The unit stands in the body and is written down nowhere.",
	}, explainColumns(), http.StatusNotFound), a.explainUnit)
}

func (a *API) explainUnit(ctx context.Context, in *explainInput) (*answer, error) {
	events, err := a.parts.Explainer.ExplainUnit(ctx, in.Key, in.Body.Unit)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{
		value: Explained{Experiment: in.Key, Events: orEmpty(events)}, table: func() table { return explainTable(events) },
	})
}

func explainColumns() []column {
	return []column{
		{"at", instant, "Event time."}, {"type", text, "exposure, outcome, or erasure: a request that names the unit."}, {"topic", text, ""}, {"partition", integer, ""}, {"offset", integer, ""},
		{"id", text, "The producer's."}, {"what", text, "The event in short."}, {"finding", text, "What the experiment made of it."}, {"why", text, ""},
	}
}

func explainTable(events []catalog.Explained) table {
	t := table{columns: explainColumns()}
	for _, e := range events {
		t.rows = append(t.rows, []any{e.At, e.Type, e.Topic, int64(e.Partition), e.Offset, e.ID, e.What, e.Finding, e.Why})
	}
	return t
}
