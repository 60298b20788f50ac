package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Export is what is asked of the database: rows of a view that belong to an experiment.
type Export struct {
	View       string    // one of Views
	Experiment string    // its key
	From, To   time.Time // of event time, where the view has one; zero: open
	Format     string    // as ClickHouse calls it
}

// Views are those that can be exported.
func Views() []string { return []string{"exposures", "outcomes", "moments", "units"} }

type exportInput struct {
	Asked
	Key  string    `path:"key" maxLength:"200"`
	View string    `path:"view" enum:"exposures,outcomes,moments,units" doc:"exposures: stored ones of the experiment; outcomes: of all units that were exposed to it; moments: exact sums; units: of each arm. docs/sql.md describes the columns."`
	From time.Time `query:"from" doc:"Of event time: exposures and outcomes from then on."`
	To   time.Time `query:"to" doc:"Of event time: exposures and outcomes before then."`
}

func (a *API) export() {
	op := describe[struct{}](a, huma.Operation{
		OperationID: "export-rows", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/export/{view}", Tags: []string{"data"},
		Summary:     "Raw rows",
		Description: "Written by ClickHouse and streamed: as many rows as there are.",
	}, nil, http.StatusNotFound, http.StatusNotImplemented)
	content := map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeObject, Description: "One a line, its fields those of the view."}}}
	for _, f := range forms()[3:] {
		content[f.media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	op.Responses["200"] = &huma.Response{Description: "OK", Content: content}
	delete(op.Responses, "304")
	huma.Register(a.huma, op, a.exportRows)
}

func (a *API) exportRows(ctx context.Context, in *exportInput) (*answer, error) {
	if a.parts.Exporter == nil {
		return nil, problem(http.StatusNotImplemented, "name ClickHouse's HTTP address: clickhouse.http in assay.yaml", "nothing can be exported: ClickHouse's HTTP interface is not known")
	}
	f, err := in.form("parquet", "arrow", "ndjson")
	if err != nil {
		return nil, err
	}
	if _, err := a.parts.Catalog.Detail(ctx, in.Key, 0); err != nil {
		return nil, a.refuse(ctx, err)
	}
	return &answer{Body: func(w huma.Context) {
		out := &startedWriter{ctx: w, media: f.media}
		err := a.parts.Exporter.Export(ctx, out, Export{View: in.View, Experiment: in.Key, From: in.From, To: in.To, Format: formatOf(f.name)})
		switch {
		case err != nil && !out.started:
			p := a.refuse(ctx, err)
			_ = huma.WriteErr(a.huma, w, p.Status, p.Detail)
		case err != nil:
			a.parts.Log.Error("export broken off", "view", in.View, "experiment", in.Key, "error", err)
			panic(http.ErrAbortHandler) // the client must not take what it has for the whole
		case !out.started:
			_, _ = out.Write(nil)
		}
	}}, nil
}

// startedWriter sends the header with the first bytes: until then an error can be told.
type startedWriter struct {
	ctx     huma.Context
	media   string
	started bool
}

// Write implements io.Writer.
func (w *startedWriter) Write(b []byte) (int, error) {
	if !w.started {
		w.started = true
		w.ctx.SetHeader("Content-Type", w.media)
		w.ctx.SetHeader("Cache-Control", "private, no-store")
		w.ctx.SetStatus(http.StatusOK)
	}
	return w.ctx.BodyWriter().Write(b)
}
