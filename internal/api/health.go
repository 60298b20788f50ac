package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
)

func (a *API) health() {
	huma.Register(a.huma, describe[catalog.Health](a, huma.Operation{
		OperationID: "get-health", Method: http.MethodGet, Path: Prefix + "/health", Tags: []string{"data"},
		Summary:     "Whether the data can be trusted",
		Description: "How far each shard is, what became of every offset, dead letters with samples, gaps, and what halves of the controls say of the engine. As rows: the shards.",
	}, shardColumns()), a.getHealth)
}

func (a *API) getHealth(ctx context.Context, in *Asked) (*answer, error) {
	h, err := a.parts.Catalog.Health(ctx)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, in, reply{value: h, table: func() table { return shardTable(h.Shards) }})
}

func shardColumns() []column {
	return []column{
		{"shard", integer, ""}, {"state", text, "ok, or why it stands still."}, {"detail", text, ""}, {"seq", integer, "Last part of the ledger."},
		{"version", integer, "Under which it counts."}, {"freshness", instant, "Everything before it is counted."}, {"heard", instant, "When its consumer last said so."}, {"silent", truth, ""},
	}
}

func shardTable(shards []catalog.Shard) table {
	t := table{columns: shardColumns()}
	for _, s := range shards {
		t.rows = append(t.rows, []any{int64(s.Shard), s.State, s.Detail, int64(s.Seq), int64(s.Version), s.Freshness, s.Heard, s.Silent})
	}
	return t
}
