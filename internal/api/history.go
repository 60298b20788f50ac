package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
)

// Effects are what stored looks said over time.
type Effects struct {
	Experiment string           `json:"experiment"`
	Series     []catalog.Series `json:"series"`
}

// SRM is how the units were split: now, and over time.
type SRM struct {
	Experiment string               `json:"experiment"`
	Iteration  uint32               `json:"iteration"`
	Look       string               `json:"look"`
	At         time.Time            `json:"at"`
	Broken     bool                 `json:"broken" doc:"An alarm stands: the arms are not comparable until a person says why they are."`
	Phases     []results.Phase      `json:"phases" doc:"As of the newest look: units of each arm with the intended shares, the test of all units (the gate) and of those left, by dimension too, and the alarm."`
	History    []catalog.SplitPoint `json:"history" doc:"The oldest first."`
}

type historyInput struct {
	Asked
	RunOf
	Metric string `query:"metric" maxLength:"200" doc:"All of them when it is left out."`
	Arm    string `query:"arm" maxLength:"200" doc:"All of them when it is left out."`
	Over
}

// Over is which stretch of time is asked for.
type Over struct {
	From   time.Time `query:"from" doc:"From this time on."`
	To     time.Time `query:"to" doc:"Before this time."`
	Points int       `query:"points" minimum:"2" maximum:"2000" default:"240" doc:"At most about so many of each series, spread evenly over the time."`
}

func (o Over) stretch(of RunOf) catalog.Stretch {
	return catalog.Stretch{Experiment: of.Key, Iteration: of.Iteration, From: o.From, To: o.To, Points: o.Points}
}

func (in *historyInput) stretch() catalog.Stretch {
	s := in.Over.stretch(in.RunOf)
	s.Metric, s.Arm = in.Metric, in.Arm
	return s
}

func (a *API) history() {
	huma.Register(a.huma, describe[Effects](a, huma.Operation{
		OperationID: "get-history", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/history", Tags: []string{"results"},
		Summary:     "Effects over time",
		Description: "Estimate and both intervals of each metric and arm, as the stored looks had them.",
	}, historyColumns(), http.StatusNotFound), a.getHistory)
	huma.Register(a.huma, describe[SRM](a, huma.Operation{
		OperationID: "get-srm", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/srm", Tags: []string{"results"},
		Summary:     "Sample ratios, now and over time",
		Description: "As rows: the units of each arm of each phase in each look.",
	}, splitColumns(), http.StatusNotFound), a.getSRM)
}

func (a *API) getHistory(ctx context.Context, in *historyInput) (*answer, error) {
	series, err := a.parts.History.History(ctx, in.stretch())
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{
		value: Effects{Experiment: in.Key, Series: orEmpty(series)}, table: func() table { return historyTable(in.Key, series) },
	})
}

func (a *API) getSRM(ctx context.Context, in *historyInput) (*answer, error) {
	d, err := a.looked(ctx, in.Key, in.Iteration)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	points, err := a.parts.History.Splits(ctx, in.stretch())
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	doc := d.Document
	return a.respond(ctx, &in.Asked, reply{
		value: SRM{Experiment: doc.Experiment, Iteration: doc.Iteration, Look: d.Row.Look, At: doc.At, Broken: catalog.SRMAlarm(doc), Phases: orEmpty(doc.Phases), History: orEmpty(points)},
		table: func() table { return splitTable(in.Key, points) },
	})
}

func historyColumns() []column {
	out := []column{
		{"experiment", text, ""}, {"metric", text, ""}, {"arm", text, ""}, {"at", instant, "Of the look."}, {"look", text, "Its id."},
		{"of", text, "open: all units so far; matured: those whose windows had passed."}, {"units", integer, "Of the arm."}, {"control_units", integer, ""},
	}
	for _, of := range []string{"absolute", "relative"} {
		for _, c := range []string{"", "_fixed_low", "_fixed_high", "_sequential_low", "_sequential_high"} {
			out = append(out, column{of + c, number, ""})
		}
	}
	return out
}

func historyTable(key string, series []catalog.Series) table {
	t := table{columns: historyColumns()}
	for _, s := range series {
		for i := range s.Points {
			p := &s.Points[i]
			for _, of := range []string{"open", "matured"} {
				m := &p.Open
				if of == "matured" {
					m = &p.Matured
				}
				row := []any{key, s.Metric, s.Arm, p.At, p.Look, of, m.Units.Treatment, m.Units.Control}
				for _, span := range []catalog.Span{m.Absolute, m.Relative} {
					row = append(row, span.Estimate, span.Fixed.Low, span.Fixed.High, span.Sequential.Low, span.Sequential.High)
				}
				t.rows = append(t.rows, row)
			}
		}
	}
	return t
}

func splitColumns() []column {
	return []column{
		{"experiment", text, ""}, {"phase", integer, ""}, {"at", instant, "Of the look."}, {"look", text, "Its id."},
		{"arm", text, ""}, {"units", integer, "By first exposure."}, {"p", number, "Of the phase's sample-ratio test, for every look."},
	}
}

func splitTable(key string, points []catalog.SplitPoint) table {
	t := table{columns: splitColumns()}
	for i := range points {
		p := &points[i]
		arms := make([]string, 0, len(p.Units))
		for arm := range p.Units {
			arms = append(arms, arm)
		}
		slices.SortFunc(arms, strings.Compare)
		for _, arm := range arms {
			t.rows = append(t.rows, []any{key, int64(p.Phase), p.At, p.Look, arm, p.Units[arm], p.P})
		}
	}
	return t
}
