package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/api"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// rowsOfUnits are the views whose rows are single units'. Who takes them out is written
// down first: an erasure cannot reach such files, and so has to name them.
var rowsOfUnits = []string{"exposures", "outcomes"}

// exporter is the database as the API sees it.
type exporter struct {
	*clickhouse.Exporter
	journal func(context.Context, guardrails.Entry, any) error
}

// exportedRows is the evidence of an export.
type exportedRows struct {
	View   string    `json:"view"`
	From   time.Time `json:"from,omitzero"` // of event time
	To     time.Time `json:"to,omitzero"`
	Format string    `json:"format"`
}

// Export implements api.Exporter.
func (e *exporter) Export(ctx context.Context, w io.Writer, x api.Export) error {
	if slices.Contains(rowsOfUnits, x.View) {
		who := cmp.Or(access.From(ctx).Name, "nobody")
		line := guardrails.Entry{Kind: guardrails.Exported, Experiment: x.Experiment, Actor: who, Text: fmt.Sprintf("rows of %s of %s were exported", x.View, x.Experiment)}
		if err := e.journal(ctx, line, exportedRows{x.View, x.From, x.To, x.Format}); err != nil {
			return fmt.Errorf("write down who exports: %w", err)
		}
	}
	return e.Exporter.Export(ctx, w, clickhouse.View{Name: x.View, Experiment: x.Experiment, From: x.From, To: x.To, Format: x.Format})
}

// exports are those that were made.
func (s *Stack) exports(ctx context.Context) ([]ErasedExport, error) {
	lines, err := s.linesOf(ctx, guardrails.Exported)
	if err != nil {
		return nil, err
	}
	var out []ErasedExport
	for _, line := range lines {
		var rows exportedRows
		if err := json.Unmarshal(line.Evidence, &rows); err != nil {
			return nil, fmt.Errorf("decode decision %d: %w", line.Seq, err)
		}
		out = append(out, ErasedExport{line.At, line.Actor, line.Experiment, rows.View})
	}
	return out, nil
}
