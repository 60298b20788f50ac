package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
)

func nan() float64 { return math.NaN() }

// Results are those of one look: every metric in every arm, by every dimension.
type Results struct {
	Look     string            `json:"look" doc:"Id of the stored look. What stands in document was computed once, at that look."`
	Document *results.Document `json:"document" doc:"Everything that was computed: open and matured results with the interval for one look (fixed) and for every look (sequential), adjusted p-values, segments, sample-ratio tests, verdicts, method and reason of each (plan), warnings, the watermark (vector) and freshness."`
}

func (a *API) results() {
	huma.Register(a.huma, describe[Results](a, huma.Operation{
		OperationID: "get-results", Method: http.MethodGet, Path: Prefix + "/experiments/{key}/results", Tags: []string{"results"},
		Summary:     "Results of an experiment",
		Description: "The newest stored look at all metrics. As rows: one for each metric, arm, value of a dimension, and set of units (open: all so far; matured: those whose windows have passed).",
	}, resultColumns(), http.StatusNotFound), a.getResults)
}

func (a *API) getResults(ctx context.Context, in *oneInput) (*answer, error) {
	d, err := a.looked(ctx, in.Key, in.Iteration)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return a.respond(ctx, &in.Asked, reply{
		path: fmt.Sprintf("results/%s/%d", d.Row.Key, d.Row.Iteration), tag: d.Tag,
		value: Results{Look: d.Row.Look, Document: d.Document},
		table: func() table { return resultTable(&d) },
	})
}

// looked is the detail of an iteration that was looked at.
func (a *API) looked(ctx context.Context, key string, iteration uint32) (catalog.Detail, error) {
	d, err := a.parts.Catalog.Detail(ctx, key, iteration)
	if err == nil && d.Document == nil {
		err = &catalog.Missing{What: "look at " + key + " yet", Hint: "a guard takes one every minute while the experiment runs"}
	}
	return d, err
}

func resultColumns() []column {
	out := []column{
		{"experiment", text, ""}, {"iteration", integer, ""}, {"look", text, "Id of the stored look."}, {"at", instant, "When it was taken."},
		{"version", integer, "Of the configuration."}, {"freshness", instant, "Everything before it was counted."},
		{"metric", text, ""}, {"arm", text, ""}, {"kind", text, "Of the metric."}, {"unit", text, "Of measure."}, {"direction", text, "Which way is good."},
		{"goal", truth, ""}, {"guardrail", truth, ""}, {"dimension", text, "Empty: all units."}, {"value", text, "Of the dimension."},
		{"of", text, "open: all units so far; matured: those whose windows have passed."}, {"source", text, "moments, or stored events (slow)."},
		{"units", integer, "Of the arm."}, {"control_units", integer, ""}, {"mean", number, "Of the arm."}, {"control_mean", number, ""},
	}
	for _, of := range []string{"absolute", "relative"} {
		for _, c := range []column{
			{"", number, "Effect against the control."}, {"_std_error", number, ""}, {"_fixed_low", number, "Of the interval for one look."}, {"_fixed_high", number, ""}, {"_fixed_p", number, ""},
			{"_sequential_low", number, "Of the interval for every look."}, {"_sequential_high", number, ""}, {"_sequential_p", number, ""},
		} {
			out = append(out, column{of + c.name, c.kind, c.doc})
		}
	}
	return append(out,
		column{"adjusted_family", text, "Tests that share an error rate; empty: it stands alone."}, column{"adjusted_p", number, "Within the family, for every look."},
		column{"adjusted_low", number, "Of the relative interval within the family."}, column{"adjusted_high", number, ""}, column{"adjusted_rejected", truth, "No effect is refuted within the family."},
		column{"method", text, "How the interval is computed."}, column{"why", text, "Why so."}, column{"warnings", text, "Codes, separated by spaces."})
}

// resultRow is a row before its cells are laid out.
type resultRow struct {
	metric, arm, kind, unit, direction string
	goal, guardrail                    bool
	dimension, value, of, source       string
	treatment, control                 results.Arm
	absolute, relative                 results.Effect
	adjusted                           *results.Adjusted
	warnings                           []results.Doubt
}

func resultTable(d *catalog.Detail) table {
	t := table{columns: resultColumns()}
	plans := map[[2]string]results.Plan{}
	for _, p := range d.Document.Plan {
		if p.For == results.PlanInterval {
			plans[[2]string{p.Metric, p.Arm}] = p
		}
	}
	for _, r := range resultRows(d.Document) {
		t.rows = append(t.rows, r.cells(d, plans[[2]string{r.metric, r.arm}]))
	}
	return t
}

func resultRows(d *results.Document) []resultRow {
	var out []resultRow
	for i := range d.Comparisons {
		out = append(out, comparisonRows(&d.Comparisons[i])...)
	}
	if d.Slow == nil {
		return out
	}
	for _, c := range d.Slow.Comparisons {
		r := resultRow{metric: c.Metric, arm: c.Arm, kind: c.Kind, unit: c.Unit, direction: c.Direction, goal: c.Goal, source: "slow", of: "open"}
		if c.Matured {
			r.of = "matured"
		}
		if c.Covariate != "" {
			r.source = "slow, adjusted by " + c.Covariate
		}
		out = append(out, r.with(&c.Estimate, c.Adjusted))
	}
	return out
}

func comparisonRows(c *results.Comparison) []resultRow {
	r := resultRow{
		metric: c.Metric, arm: c.Arm, kind: c.Kind, unit: c.Unit, direction: c.Direction, goal: c.Goal, guardrail: c.Guardrail, source: "moments",
	}
	open, matured := r, r
	open.of, matured.of = "open", "matured"
	out := []resultRow{open.with(&c.Open, nil), matured.with(&c.Matured, c.Adjusted)}
	for _, s := range c.Segments {
		for _, v := range s.Segments {
			x := r
			x.dimension, x.value, x.of = s.Dimension, v.Value, "open"
			if s.Matured {
				x.of = "matured"
			}
			x.treatment, x.control, x.absolute, x.relative, x.adjusted = v.Treatment, v.Control, v.Absolute, v.Relative, v.Adjusted
			out = append(out, x)
		}
	}
	return out
}

func (r resultRow) with(e *results.Estimate, adjusted *results.Adjusted) resultRow {
	r.treatment, r.control, r.absolute, r.relative, r.adjusted, r.warnings = e.Treatment, e.Control, e.Absolute, e.Relative, adjusted, e.Warnings
	return r
}

func (r *resultRow) cells(d *catalog.Detail, plan results.Plan) []any {
	doc := d.Document
	out := []any{
		doc.Experiment, int64(doc.Iteration), d.Row.Look, doc.At, int64(doc.Version), doc.Freshness,
		r.metric, r.arm, r.kind, r.unit, r.direction, r.goal, r.guardrail, r.dimension, r.value, r.of, r.source,
		r.treatment.Units, r.control.Units, r.treatment.Mean, r.control.Mean,
	}
	for _, e := range []*results.Effect{&r.absolute, &r.relative} {
		out = append(out, e.Estimate, e.StdError, e.Fixed.Low, e.Fixed.High, e.FixedP, e.Sequential.Low, e.Sequential.High, e.SequentialP)
	}
	family, p, low, high, rejected := "", unknown(), unknown(), unknown(), false
	if x := r.adjusted; x != nil {
		family, p, low, high, rejected = x.Family, x.Sequential.P, x.Sequential.Relative.Low, x.Sequential.Relative.High, x.Sequential.Rejected
	}
	codes := make([]string, len(r.warnings))
	for i, w := range r.warnings {
		codes[i] = w.Code
	}
	return append(out, family, p, low, high, rejected, plan.Method, plan.Why, strings.Join(codes, " "))
}
