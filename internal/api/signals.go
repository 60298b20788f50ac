package api

import (
	"context"
	"math"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
)

// Signals are numbers of the services behind experiments. What is not there is a
// *catalog.Missing.
type Signals interface {
	Signals(ctx context.Context, s catalog.Stretch) (*signals.Report, error)
}

type signalsInput struct {
	Asked
	RunOf
	Over
}

func (a *API) signals() {
	huma.Register(a.huma, describe[signals.Report](a, huma.Operation{
		OperationID: "get-signals", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/signals", Tags: []string{"results"},
		Summary:     "Signals of the services behind an experiment",
		Description: "Readings over time beside the exposed share, how the breakers stand, and what changed at each step. A signal is of all requests to a service, not of an arm (docs/signals.md). As rows: the readings.",
	}, signalColumns(), http.StatusNotFound), a.getSignals)
}

func (a *API) getSignals(ctx context.Context, in *signalsInput) (*answer, error) {
	r, err := a.parts.Signals.Signals(ctx, in.stretch(in.RunOf))
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{value: r, table: func() table { return signalTable(r) }})
}

func signalColumns() []column {
	return []column{
		{"experiment", text, ""}, {"signal", text, ""}, {"unit", text, "Of measure."}, {"from", instant, "Of the first reading."}, {"to", instant, "Of the last one."},
		{"mean", number, ""}, {"low", number, "Least reading."}, {"high", number, "Greatest reading."}, {"answers", integer, ""}, {"gaps", integer, "Readings without a number."}, {"gap", text, "Why the last of them has none."},
		{"phase", integer, ""}, {"planned", number, "Share of the eligible units in other arms than the control, as planned."}, {"share", number, "The same as it was seen since the point before."},
	}
}

func signalTable(r *signals.Report) table {
	t := table{columns: signalColumns()}
	for i := range r.Signals {
		s := &r.Signals[i]
		for j := range s.Points {
			p := &s.Points[j]
			t.rows = append(t.rows, []any{r.Experiment, s.Name, s.Unit, p.From, p.To, numberOf(p.Mean), numberOf(p.Low), numberOf(p.High), int64(p.Answers), int64(p.Gaps), string(p.Why),
				int64(p.Phase), results.Number(p.Planned), numberOf(p.Share)})
		}
	}
	return t
}

// numberOf is a number that may not be there.
func numberOf(x *float64) results.Number {
	if x == nil {
		return results.Number(math.NaN())
	}
	return results.Number(*x)
}
