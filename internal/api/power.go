package api

import (
	"context"
	"errors"
	"math"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/planning"
)

// Power is what can be found, and with how many units.
type Power struct {
	Experiment string             `json:"experiment,omitempty"`
	Answers    []planning.Answer  `json:"answers" doc:"For each metric and arm: units, days, detectable lift and power of one look, of looking always, and of dated looks."`
	Missing    []planning.Missing `json:"missing" doc:"Metrics without an answer, and why."`
}

// Question is what is asked of every comparison.
type Question struct {
	Lift   float64 `query:"lift" json:"lift,omitempty" default:"0.05" exclusiveMinimum:"0" doc:"Effect to be found, as a part of the control's mean."`
	Power  float64 `query:"power" json:"power,omitempty" default:"0.8" exclusiveMinimum:"0" exclusiveMaximum:"1" doc:"Chance to find it."`
	Looks  int     `query:"looks" json:"looks,omitempty" minimum:"0" maximum:"50" doc:"Also plan for so many dated looks, evenly spaced; 0: as many as the experiment dates."`
	PerDay float64 `query:"units_per_day" json:"units_per_day,omitempty" minimum:"0" doc:"New units a day of all arms together; 0: as seen."`
}

// metricInput is what is known of one metric beforehand.
type metricInput struct {
	Metric  string  `json:"metric" maxLength:"200" doc:"Its name; with an experiment, one of its metrics."`
	Mean    float64 `json:"mean" doc:"Of the control; of a share of units 0..1."`
	SD      float64 `json:"sd,omitempty" minimum:"0" doc:"Standard deviation of one unit, over all exposed units; a share of units needs none."`
	Binary  bool    `json:"binary,omitempty" doc:"Without an experiment: it is a share of units."`
	Share   float64 `json:"treatment_share,omitempty" default:"0.5" exclusiveMinimum:"0" exclusiveMaximum:"1" doc:"Without an experiment: of the treatment among both arms."`
	Alpha   float64 `json:"alpha,omitempty" default:"0.05" exclusiveMinimum:"0" exclusiveMaximum:"1" doc:"Without an experiment: two-sided."`
	Planned float64 `json:"planned_units,omitempty" minimum:"0" doc:"Without an experiment: of both arms; 0: the engine's default."`
	Window  float64 `json:"window_days,omitempty" minimum:"0" doc:"Without an experiment: in which a unit's outcomes come."`
}

// powerBody is a question with inputs.
type powerBody struct {
	Question
	Experiment string        `json:"experiment,omitempty" maxLength:"200" doc:"Key of one whose arms, shares and alpha are taken; its metrics are told in metrics."`
	Metrics    []metricInput `json:"metrics" minItems:"1" maxItems:"50"`
}

type powerInput struct {
	Asked
	Body powerBody
}

type experimentPowerInput struct {
	Asked
	RunOf
	Question
}

func (a *API) power() {
	huma.Register(a.huma, describe[Power](a, huma.Operation{
		OperationID: "get-experiment-power", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/power", Tags: []string{"planning"},
		Summary: "What an experiment can find", Description: "By the variances and the rate that its newest look shows.",
	}, nil, http.StatusNotFound), a.experimentPower)
	huma.Register(a.huma, describe[Power](a, huma.Operation{
		OperationID: "plan-power", Method: http.MethodPost, Path: Prefix + "/power", Tags: []string{"planning"},
		Summary: "What can be found, by numbers of your own", Description: "Of an experiment's metrics, or of any. Nothing is stored.",
		MaxBodyBytes: mostQuestion,
	}, nil, http.StatusNotFound, http.StatusBadRequest), a.planPower)
}

// mostQuestion bounds a question, in bytes.
const mostQuestion = 64 << 10

// plan answers, or says that it takes too long.
func (a *API) plan(ctx context.Context, comparisons []planning.Comparison, q planning.Question) ([]planning.Answer, error) {
	answers, err := a.parts.Planner.Plan(ctx, comparisons, q)
	if errors.Is(err, planning.ErrLate) {
		return nil, problem(http.StatusServiceUnavailable, "ask for fewer metrics, or no dated looks, or again in a while", "%s", planning.ErrLate)
	}
	return answers, err
}

func (q Question) of(dates int) planning.Question {
	if q.Looks == 0 {
		q.Looks = dates
	}
	return planning.Question{Lift: q.Lift, Power: q.Power, Looks: q.Looks}
}

func (a *API) experimentPower(ctx context.Context, in *experimentPowerInput) (*answer, error) {
	d, err := a.looked(ctx, in.Key, in.Iteration)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	comparisons := planning.FromLook(d.Experiment, d.Iteration, d.Document, in.PerDay)
	answers, err := a.plan(ctx, comparisons, in.Question.of(len(d.Experiment.DatesOf(d.Iteration))))
	if err != nil {
		return nil, err
	}
	return a.respond(ctx, &in.Asked, reply{value: Power{
		Experiment: in.Key, Answers: answers, Missing: orEmpty(planning.MissingOf(d.Iteration, comparisons, true)),
	}})
}

func (a *API) planPower(ctx context.Context, in *powerInput) (*answer, error) {
	b := &in.Body
	if b.Experiment == "" {
		comparisons, err := b.comparisons()
		if err != nil {
			return nil, err
		}
		answers, err := a.plan(ctx, comparisons, b.of(0))
		if err != nil {
			return nil, err
		}
		return a.respond(ctx, &in.Asked, reply{value: Power{Answers: answers, Missing: []planning.Missing{}}})
	}
	d, err := a.parts.Catalog.Detail(ctx, b.Experiment, 0)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	given := map[string]planning.Given{}
	for _, m := range b.Metrics {
		of := d.Iteration.Metric(m.Metric)
		if of == nil {
			return nil, problem(http.StatusBadRequest, "its definition lists them: "+Prefix+"/experiments/"+b.Experiment, "%s has no metric %q", b.Experiment, m.Metric)
		}
		if err := m.check(of.Kind.Binary()); err != nil {
			return nil, err
		}
		given[m.Metric] = planning.Given{Mean: m.Mean, SD: m.deviation()}
	}
	e := d.Experiment.AsOf(d.Iteration)
	comparisons := planning.FromFile(e, given, b.PerDay)
	answers, err := a.plan(ctx, comparisons, b.of(len(e.DatesOf(d.Iteration))))
	if err != nil {
		return nil, err
	}
	return a.respond(ctx, &in.Asked, reply{value: Power{
		Experiment: b.Experiment, Answers: answers, Missing: orEmpty(planning.MissingOf(d.Iteration, comparisons, false)),
	}})
}

// comparisons are those of metrics that no experiment has.
func (b *powerBody) comparisons() ([]planning.Comparison, error) {
	out := make([]planning.Comparison, len(b.Metrics))
	for i, m := range b.Metrics {
		if err := m.check(m.Binary); err != nil {
			return nil, err
		}
		kind := "mean"
		if m.Binary {
			kind = "proportion"
		}
		out[i] = planning.Comparison{
			Metric: m.Metric, Kind: kind, Binary: m.Binary, Mean: m.Mean, SD: m.deviation(), Share: m.Share, Alpha: m.Alpha,
			Plan: m.Planned, PerDay: b.PerDay, Window: m.Window, Basis: "given",
		}
	}
	return out, nil
}

// deviation is not known where it was not said.
func (m *metricInput) deviation() float64 {
	if m.SD == 0 {
		return math.NaN()
	}
	return m.SD
}

// check holds the numbers against what the metric can be.
func (m *metricInput) check(binary bool) error {
	switch {
	case binary && !(m.Mean > 0 && m.Mean < 1):
		return problem(http.StatusBadRequest, "write a share between 0 and 1", "%s is a share of units and cannot be %v", m.Metric, m.Mean)
	case binary:
		return nil
	case m.Mean == 0:
		return problem(http.StatusBadRequest, "write the control's mean", "%s: a lift cannot be a part of a mean of 0", m.Metric)
	case !(m.SD > 0):
		return problem(http.StatusBadRequest, "add sd, over all exposed units, those with 0 too", "%s: the standard deviation of one unit must be above 0", m.Metric)
	}
	return nil
}
