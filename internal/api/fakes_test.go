package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
)

var (
	begun  = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	looked = begun.Add(34 * time.Hour)
)

// effectOf is an effect with intervals of ± half and of half as much again.
func effectOf(estimate, half float64) results.Effect {
	n := func(x float64) results.Number { return results.Number(x) }
	return results.Effect{
		Estimate: n(estimate), StdError: n(half / 2), FixedP: 0.012, SequentialP: 0.031,
		Fixed:      results.Interval{Low: n(estimate - half), High: n(estimate + half)},
		Sequential: results.Interval{Low: n(estimate - 1.5*half), High: n(estimate + 1.5*half)},
	}
}

func noEffect() results.Effect {
	return results.Effect{Estimate: unknown(), StdError: unknown(), FixedP: unknown(), SequentialP: unknown(),
		Fixed: results.Interval{Low: unknown(), High: unknown()}, Sequential: results.Interval{Low: results.Number(math.Inf(-1)), High: results.Number(math.Inf(1))}}
}

func estimateOf(e results.Effect) results.Estimate {
	return results.Estimate{
		Treatment: results.Arm{Units: 5000, NonZero: 600, Mean: 0.12, Interval: &results.ArmInterval{Method: results.MethodWilson, Interval: results.Interval{Low: 0.11, High: 0.13}}},
		Control:   results.Arm{Units: 5010, NonZero: 500, Mean: 0.1}, Absolute: e, Relative: e,
		Warnings: []results.Doubt{{Code: "default_plan", Text: "no planned number of units: 10000 is assumed"}},
	}
}

// testExperiment is one of two arms with two goals; its key and owner would run as
// formulas in a spreadsheet that does not know better.
func testExperiment() *experiment.Experiment {
	return &experiment.Experiment{
		Key: "checkout-cta", Owner: "=growth", Objective: "More orders", Hypothesis: "A larger button is seen", UnitKind: "user",
		Variants: []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "treatment", Share: 0.5}}, Control: "control",
		Window: experiment.Duration(7 * 24 * time.Hour), Crossovers: experiment.Exclude, Alpha: 0.05, AlphaKill: 0.05, PlannedUnits: 40000,
		Stall: experiment.Duration(time.Minute), Silence: experiment.Duration(10 * time.Minute), Goals: []string{"conversion", "revenue"},
		Guardrails: []experiment.Guardrail{{Metric: "latency", Margin: 0.05, Relative: true, Mode: experiment.Kill, OnNoData: experiment.HoldOnNoData}},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: begun, EnrolUntil: begun.Add(20 * 24 * time.Hour), End: begun.Add(27 * 24 * time.Hour), AlphaKill: 0.05, KillRules: 1,
			Phases: []experiment.Phase{{Number: 1, From: begun, Shares: []float64{0.5, 0.5}, Traffic: 1}},
			Metrics: []experiment.Metric{
				{Name: "conversion", Event: "purchase", Kind: experiment.Proportion, Direction: experiment.Increase},
				{Name: "latency", Event: "page", Kind: experiment.Mean, Direction: experiment.Decrease, Unit: "ms", Decimals: 6},
				{Name: "revenue", Event: "purchase", Kind: experiment.Sum, Direction: experiment.Increase, Unit: "EUR", Decimals: 2},
			},
		}},
	}
}

func testDocument() *results.Document {
	srm := results.SRM{P: 0.7, LogBF: -2, ChiSquare: 0.01, ChiSquareP: 0.92, ExactP: unknown(), Threshold: 0.005, Missing: 0}
	adjusted := &results.Adjusted{Family: results.GoalFamily, Correction: "holm", Size: 2, Alpha: 0.05,
		Sequential: results.AdjustedEffect{P: 0.04, Rejected: true, Absolute: results.Interval{Low: 0, High: 0.4}, Relative: results.Interval{Low: 0, High: 0.4}},
		Fixed:      results.AdjustedEffect{P: 0.02, Rejected: true, Absolute: results.Interval{Low: 0.01, High: 0.3}, Relative: results.Interval{Low: 0.01, High: 0.3}}}
	return &results.Document{
		Experiment: "checkout-cta", Iteration: 1, Iterations: 1, Version: 7, Code: "v1", Kind: results.KindFull,
		At: looked, Vector: map[uint16]uint64{0: 12, 1: 9}, Freshness: looked.Add(-time.Second), Newest: looked.Add(-2 * time.Second),
		Control: "control", Start: begun, EnrolUntil: begun.Add(20 * 24 * time.Hour), End: begun.Add(27 * 24 * time.Hour),
		Budget: results.Budget{Alpha: 0.05, AlphaKill: 0.05, Rules: 1, Spent: 0.05},
		Phases: []results.Phase{{Number: 1, From: begun, Traffic: 1, SRM: srm, SRMLeft: srm,
			Arms:  []results.PhaseArm{{Variant: "control", Share: 0.5, Units: 5010, Left: 5010}, {Variant: "treatment", Share: 0.5, Units: 5000, Left: 5000}},
			SRMBy: []results.SRMBy{{Dimension: "country", Value: "DE", Units: []int64{2500, 2490}, SRM: srm}}}},
		Comparisons: []results.Comparison{
			{Metric: "conversion", Arm: "treatment", Kind: "proportion", Direction: "increase", Window: "7d", Goal: true,
				Open: estimateOf(effectOf(0.2, 0.08)), Matured: estimateOf(effectOf(0.19, 0.1)), Adjusted: adjusted, Gate: &results.Gate{Passes: true, Have: 500, Need: 30},
				Segments: []results.Segmentation{{Dimension: "country", Q: 1.2, DoF: 1, P: 0.3, I2: 0, Tau2: 0, Level: 0.025, Segments: []results.Segment{
					{Value: "DE", Treatment: results.Arm{Units: 2490, Mean: 0.13}, Control: results.Arm{Units: 2500, Mean: 0.1}, Absolute: effectOf(0.3, 0.2), Relative: effectOf(0.3, 0.2)},
					{Value: "+other", Treatment: results.Arm{Units: 2510, Mean: 0.11}, Control: results.Arm{Units: 2510, Mean: 0.1}, Absolute: effectOf(0.1, 0.2), Relative: effectOf(0.1, 0.2)},
				}}}},
			{Metric: "latency", Arm: "treatment", Kind: "mean", Direction: "decrease", Unit: "ms", Window: "7d", Guardrail: true,
				Open: estimateOf(effectOf(-0.01, 0.01)), Matured: estimateOf(noEffect())},
			{Metric: "revenue", Arm: "treatment", Kind: "sum", Direction: "increase", Unit: "EUR", Window: "7d", Goal: true,
				Open: estimateOf(effectOf(0.02, 0.08)), Matured: estimateOf(effectOf(0.01, 0.1))},
		},
		Families: []results.Family{{Name: results.GoalFamily, Correction: "holm", Alpha: 0.05, Size: 2}},
		Cells:    []results.CellSums{{Phase: 1, Variant: "control", Metric: "conversion", Open: results.Exact{N: 5010, NonZero: 500, Sum: "500", SumSquares: "500"}, Matured: results.Exact{N: 5010, NonZero: 500, Sum: "500", SumSquares: "500"}}},
		Slow: &results.Slow{Experiment: "checkout-cta", Iteration: 1, Version: 7, Code: "v1", At: looked, Vector: map[uint16]uint64{0: 12},
			Comparisons: []results.SlowComparison{{Metric: "revenue", Arm: "treatment", Kind: "sum", Direction: "increase", Unit: "EUR", Goal: true, Covariate: "pre_period", Reduction: 0.3, Matured: true, Estimate: estimateOf(effectOf(0.03, 0.05))}}},
		Plan: []results.Plan{
			{For: results.PlanInterval, Metric: "conversion", Arm: "treatment", Method: results.MethodWelch, Why: "a share of units", Gates: []results.Condition{{Code: "events", State: results.Met, Text: "enough events", Have: 500, Need: 30, Of: "units"}}},
			{For: results.PlanSplit, Phase: 1, Method: results.MethodSRM, Why: "always", Gates: []results.Condition{}},
		},
		Verdicts: []results.Verdict{{Metric: "latency", Arm: "treatment", Mode: "kill", Margin: 0.05, Relative: true, Verdict: "healthy", Reason: "non_inferior", Act: "nothing", Text: "harm is below 5 %",
			Harm: &results.Test{Estimate: -0.01, Bound: -0.03, P: 1, Z: -4, Threshold: 3, Alpha: 0.05, Units: [2]int64{5000, 5010}, Means: [2]results.Number{118, 119}},
			Safe: &results.Test{Reject: true, Estimate: -0.01, Bound: 0.02, P: 0.001, Z: 5, Threshold: 3, Alpha: 0.05, Units: [2]int64{4000, 4010}, Means: [2]results.Number{118, 119}},
			Gate: &results.Gate{Passes: true, Have: 5000, Need: 50}}},
		LogHead: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
	}
}

// world is everything behind the API, in memory.
type world struct {
	hand   fakeHand
	tokens fakeTokens

	explorer fakeExplorer

	now       time.Time
	documents map[string]*results.Document // by key; one that is missing was never looked at
	all       []*experiment.Experiment
	decisions []catalog.Decision // the oldest first
	failure   error
	asked     []Export
	unit      string
	late      error // of who plans
}

func newWorld() *world {
	e := testExperiment()
	w := &world{now: looked.Add(time.Second), documents: map[string]*results.Document{e.Key: testDocument()}, all: []*experiment.Experiment{e}}
	w.explorer.world = w
	draft := testExperiment()
	draft.Key, draft.Owner, draft.Iterations[0].Start = "search-rank", "search", begun.Add(90*24*time.Hour)
	w.all = append(w.all, draft)
	for i := range 5 {
		w.decisions = append(w.decisions, catalog.Decision{
			Seq: uint64(i + 1), At: looked.Add(time.Duration(i-5) * time.Minute), Experiment: e.Key, Iteration: 1, Kind: "decided", Act: "notify",
			Guardrail: "latency", Arm: "treatment", Verdict: "breached", Reason: "harm", Actor: "guard@a", Text: "@latency rose", Look: "l1", Version: 7, Code: "v1",
			PrevHash: fmt.Sprintf("%064d", i), Hash: fmt.Sprintf("%064d", i+1), Evidence: json.RawMessage(`{"rule":{"metric":"latency"}}`),
		})
	}
	return w
}

func (w *world) detail(e *experiment.Experiment) catalog.Detail {
	s := catalog.Subject{Experiment: e, Iteration: &e.Iterations[0], Document: w.documents[e.Key], Now: w.now}
	look := ""
	if s.Document != nil {
		look = "019c9a3f210-5d1c2b3a"
	}
	return catalog.DetailOf(s, look, "tag of "+e.Key)
}

func (w *world) Rows(context.Context) ([]catalog.Row, error) {
	var rows []catalog.Row
	for _, e := range w.all {
		rows = append(rows, w.detail(e).Row)
	}
	return rows, w.failure
}

func (w *world) Detail(_ context.Context, key string, iteration uint32) (catalog.Detail, error) {
	for _, e := range w.all {
		if e.Key == key && iteration <= 1 {
			return w.detail(e), w.failure
		}
	}
	return catalog.Detail{}, &catalog.Missing{What: "experiment " + key, Hint: "there are others"}
}

func (w *world) Health(context.Context) (catalog.Health, error) {
	h := catalog.Health{
		At: w.now, Shards: []catalog.Shard{catalog.ShardOf(results.ShardStatus{Seq: 12, State: "ok", Config: 7, Freshness: looked, At: looked}, w.now)},
		Reconciliation: catalog.Reconciliation{Records: 100, Partitions: []catalog.Partition{{Topic: "assay.exposures", Next: 100, Accepted: 97, Duplicate: 2, Dead: 1}}},
		DeadLetters: []catalog.DeadLetters{{Topic: "assay.exposures", Reason: "syntax", Count: 1, First: begun, Last: looked,
			Samples: []catalog.DeadLetter{{Offset: 17, At: looked, Size: 200, Position: 12, Detail: "a string does not end"}}}},
		Gaps: []catalog.Gap{}, Placebos: []catalog.Placebo{}, Unknown: []catalog.Unknown{{Experiment: "no-file", Exposures: 3, Last: looked}},
	}
	h.Judge()
	return h, w.failure
}

func (w *world) History(_ context.Context, s catalog.Stretch) ([]catalog.Series, error) {
	if s.Experiment != w.all[0].Key {
		return nil, &catalog.Missing{What: "experiment " + s.Experiment}
	}
	point := catalog.Point{At: looked, Look: "l1", Open: measuredOf(0.2), Matured: measuredOf(math.NaN())}
	out := []catalog.Series{}
	for _, m := range []string{"conversion", "revenue"} {
		if s.Metric == "" || s.Metric == m {
			out = append(out, catalog.Series{Metric: m, Arm: "treatment", Points: []catalog.Point{point}})
		}
	}
	return out, w.failure
}

func measuredOf(x float64) catalog.Measured {
	i := results.Interval{Low: results.Number(x - 0.1), High: results.Number(x + 0.1)}
	span := catalog.Span{Estimate: results.Number(x), Fixed: i, Sequential: i}
	return catalog.Measured{Units: catalog.Units{Treatment: 10, Control: 11}, Absolute: span, Relative: span}
}

func (w *world) Splits(context.Context, catalog.Stretch) ([]catalog.SplitPoint, error) {
	return []catalog.SplitPoint{{At: looked, Look: "l1", Phase: 1, Units: map[string]int64{"control": 5010, "treatment": 5000}, P: 0.7}}, w.failure
}

// Signals are one reading and a gap of a signal whose breaker has tripped.
func (w *world) Signals(_ context.Context, s catalog.Stretch) (*signals.Report, error) {
	if s.Experiment != "checkout-cta" {
		return nil, &catalog.Missing{What: "experiment " + s.Experiment, Hint: "/api/v1/experiments lists them"}
	}
	high, share := 0.62, 0.24
	exposure := signals.Exposure{Phase: 2, Planned: 0.25, Known: true, Units: 400, Treated: 96, Look: "l1"}
	of := experiment.Signal{Name: "p99", Query: "histogram_quantile(0.99, …)", Unit: "s", Max: &high, Hold: 3, OnBreach: experiment.PauseOnTrip}
	step := signals.Step{Phase: 2, At: begun, Exposed: [2]float64{0.05, 0.25}, Level: 0.025, Verdict: signals.Changed, Worse: true, Text: "it rose by 0.1 s",
		Shift: &signals.Shift{Value: 0.1, Low: 0.05, High: 0.15, P: 0.001, Blocks: [2]int{12, 12}, Memory: 30}}
	return &signals.Report{Experiment: s.Experiment, Iteration: 1, At: looked, From: begun, To: looked, Phases: []signals.Exposed{{Phase: 2, From: begun, Planned: 0.25}},
		Signals: []signals.Series{{Signal: of, Steps: []signals.Step{step},
			Breaker: &signals.Fact{Signal: "p99", State: signals.Breached, Reason: signals.AboveMax, OnBreach: experiment.PauseOnTrip, Since: begun, At: looked, Text: "0.7 s"},
			Points: []signals.Point{
				{From: begun, To: looked, Mean: &high, Low: &high, High: &high, Answers: 4, Exposure: exposure, Share: &share},
				{From: looked, To: looked, Gaps: 1, Why: signals.NoData, Exposure: signals.Exposure{Phase: 2, Planned: 0.25}},
			}}}}, w.failure
}

func (w *world) Decisions(_ context.Context, q catalog.DecisionQuery) ([]catalog.Decision, error) {
	var out []catalog.Decision
	for i := len(w.decisions) - 1; i >= 0 && len(out) < q.Limit; i-- {
		d := w.decisions[i]
		if !q.Evidence {
			d.Evidence = nil
		}
		if (q.Before == 0 || d.Seq < q.Before) && (q.Experiment == "" || q.Experiment == d.Experiment) {
			out = append(out, d)
		}
	}
	return out, w.failure
}

func (w *world) Configurations(context.Context) ([]catalog.Configuration, error) {
	return []catalog.Configuration{{Number: 7, AppliedAt: begun, Author: "ada", Reason: "begin", Hash: "00ff"}}, w.failure
}

func (w *world) Configuration(_ context.Context, number uint32) (*experiment.Version, error) {
	if number > 7 {
		return nil, &catalog.Missing{What: fmt.Sprintf("configuration version %d", number), Hint: "there are 7"}
	}
	return &experiment.Version{Number: 7, AppliedAt: begun, Author: "ada", Experiments: []experiment.Experiment{*w.all[0]}}, w.failure
}

func (w *world) Readiness(_ context.Context, key string, lift, power float64) (governance.Readiness, error) {
	for _, e := range w.all {
		if e.Key == key {
			item := governance.Item{Name: "power", Ready: governance.No, Text: fmt.Sprintf("a lift of %v with %v is not found", lift, power), Do: "plan more units"}
			return governance.Readiness{Experiment: key, At: looked, Items: []governance.Item{item}}, w.failure
		}
	}
	return governance.Readiness{}, &catalog.Missing{What: "experiment " + key}
}

func (w *world) FindPast(_ context.Context, q catalog.FoundQuery) (catalog.FoundPage, error) {
	var all []catalog.Found
	for _, e := range w.all {
		all = append(all, catalog.FoundIn(catalog.Subject{Experiment: e, Iteration: &e.Iterations[0], Document: testDocument(), Now: looked}, []string{"=a note"})...)
	}
	return catalog.FindPast(all, q), w.failure
}

func (w *world) Writeup(_ context.Context, key string) (*catalog.Writeup, error) {
	for _, e := range w.all {
		if e.Key == key {
			return catalog.WriteUp(e, []*results.Document{testDocument()}, []catalog.WrittenLine{{Decision: 3, At: looked, Kind: "noted", By: "ada", Text: "learnt"}}, "ab12", looked), w.failure
		}
	}
	return nil, &catalog.Missing{What: "experiment " + key}
}

func (w *world) PrivacyNotice(_ context.Context, key string) (privacy.Notice, error) {
	for _, e := range w.all {
		if e.Key == key {
			return privacy.Of(&experiment.Version{Number: 7}, e, privacy.Terms{Attributes: []string{"country"}, Topics: []string{"assay.exposures"}}), w.failure
		}
	}
	return privacy.Notice{}, &catalog.Missing{What: "experiment " + key, Hint: "/api/v1/experiments lists them"}
}

func (w *world) Plan(_ context.Context, comparisons []planning.Comparison, q planning.Question) ([]planning.Answer, error) {
	return planning.PlanAll(comparisons, q), w.late
}

func (w *world) ExplainUnit(_ context.Context, key, unit string) ([]catalog.Explained, error) {
	w.unit = unit
	if key != w.all[0].Key {
		return nil, &catalog.Missing{What: "experiment " + key}
	}
	return []catalog.Explained{{At: looked, Type: "exposure", Topic: "assay.exposures", Partition: 1, Offset: 17, ID: "a1", What: key + " treatment", Finding: "counted", Metrics: []string{"conversion"}, Why: "the first exposure"}}, w.failure
}

func (w *world) Export(_ context.Context, out io.Writer, e Export) error {
	w.asked = append(w.asked, e)
	if w.failure != nil {
		return w.failure
	}
	_, err := io.WriteString(out, `{"experiment":"`+e.Experiment+`"}`+"\n")
	return err
}

func (w *world) Convert(_ context.Context, out io.Writer, format, structure string, rows io.Reader) error {
	body, err := io.ReadAll(rows)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n%s\n%s", format, structure, body)
	return err
}

// serve is the API of a world behind a mux.
func serve(t *testing.T, w *world) (*API, http.Handler) {
	t.Helper()
	a, err := New(Parts{Catalog: w, History: w, Journal: w, Configurations: w, Changes: fakeChanges{}, Explainer: w, Planner: w, Privacy: w, Signals: w, Governance: w, Past: w, Exporter: w, Hand: &w.hand, Tokens: &w.tokens, Explorer: &w.explorer, Code: "test",
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range a.Routes() {
		mux.Handle(pattern, h)
	}
	return a, mux
}
