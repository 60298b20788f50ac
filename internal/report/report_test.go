package report

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// effect is a relative effect whose always-valid interval is half as wide again.
func effect(estimate, half float64) results.Effect {
	n := func(x float64) results.Number { return results.Number(x) }
	return results.Effect{
		Estimate: n(estimate), StdError: n(half / 2), FixedP: 0.012, SequentialP: 0.031,
		Fixed:      results.Interval{Low: n(estimate - half), High: n(estimate + half)},
		Sequential: results.Interval{Low: n(estimate - 1.5*half), High: n(estimate + 1.5*half)},
	}
}

func document() *results.Document {
	unknown := results.Number(math.NaN())
	return &results.Document{
		Experiment: "checkout-cta", Iteration: 2, Iterations: 2, Version: 7, Code: "v1", Kind: "full",
		At: at("2026-03-02T10:00:00Z"), Freshness: at("2026-03-02T09:59:59Z"), Vector: map[uint16]uint64{0: 12, 1: 9},
		Control: "control", Start: at("2026-03-01T00:00:00Z"), EnrolUntil: at("2026-03-20T00:00:00Z"), End: at("2026-03-27T00:00:00Z"),
		Budget: results.Budget{Alpha: 0.05, AlphaKill: 0.05, Rules: 1, Spent: 0.1},
		Phases: []results.Phase{{
			Number: 1, From: at("2026-03-01T00:00:00Z"), Traffic: 1,
			Arms: []results.PhaseArm{{Variant: "control", Share: 0.5, Units: 10213, Left: 10210}, {Variant: "treatment", Share: 0.5, Units: 10187, Left: 10184}},
			SRM:  results.SRM{P: 1, ChiSquareP: 0.86, Threshold: 0.005},
		}},
		Comparisons: []results.Comparison{
			{
				Metric: "conversion", Arm: "treatment", Kind: "proportion", Direction: "increase", Window: "7d", Goal: true,
				Open: results.Estimate{
					Treatment: results.Arm{Units: 10184, NonZero: 611, Mean: 0.06}, Control: results.Arm{Units: 10210, NonZero: 510, Mean: 0.05},
					Absolute: effect(0.01, 0.004), Relative: effect(0.2, 0.08),
				},
				Matured: results.Estimate{Treatment: results.Arm{Units: 4000}, Control: results.Arm{Units: 4010}},
			},
			{
				Metric: "latency", Arm: "treatment", Kind: "mean", Direction: "decrease", Unit: "ms", Window: "7d", Guardrail: true,
				Open: results.Estimate{
					Treatment: results.Arm{Units: 10184, Mean: 120}, Control: results.Arm{Units: 10210, Mean: 118},
					Absolute: effect(2, 5), Relative: results.Effect{Estimate: 0.017, Fixed: results.Interval{Low: unknown, High: unknown}, Sequential: results.Interval{Low: unknown, High: unknown}},
					Warnings: []results.Doubt{{Code: "few_units", Text: "too few units <yet>"}},
				},
			},
			{Metric: "revenue", Arm: "treatment", Kind: "sum", Direction: "increase", Overflow: 3, Goal: true},
		},
		Crossovers: []results.Crossover{{Phase: 1, First: "control", Other: "treatment", Units: 3}},
		Aside:      results.Aside{Moved: 4, Outside: 1234567},
		Verdicts:   []results.Verdict{{Metric: "latency", Arm: "treatment", Mode: "kill", Verdict: "inconclusive", Reason: "not_shown", Text: "No harm is shown & none is ruled out."}},
	}
}

func day() Day {
	history := map[Series][]Point{}
	for i := range 5 {
		e := effect(0.2, 0.4/float64(i+1))
		history[Series{"conversion", "treatment"}] = append(history[Series{"conversion", "treatment"}],
			Point{At: at("2026-03-01T00:00:00Z").Add(time.Duration(i) * time.Hour), Estimate: e.Estimate, Sequential: e.Sequential})
	}
	return Day{
		At: at("2026-03-02T10:00:00Z"), From: at("2026-03-01T10:00:00Z"), To: at("2026-03-02T10:00:00Z"), Code: "v1", Head: "ab12",
		Experiments: []Entry{
			{
				Experiment: &experiment.Experiment{Key: "checkout-cta", Owner: "growth", Hypothesis: "A <b>bigger</b> button sells more."},
				Document:   document(), History: history,
				Decisions: []Decision{{Seq: 3, At: at("2026-03-02T09:00:00Z"), Kind: "decided", Actor: "guard", Text: "observe only"}},
			},
			{Experiment: &experiment.Experiment{Key: "unseen", Owner: "growth"}},
		},
	}
}

func TestHTML(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, day()); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.html", b.Bytes())
	for _, never := range []string{"<b>bigger", "NaN", "http://", "https://", "<script"} {
		if strings.Contains(b.String(), never) {
			t.Errorf("the report contains %q", never)
		}
	}
}

func TestHTMLSaysWhenCountsAreWrong(t *testing.T) {
	d := day()
	d.Difference = 12
	var b bytes.Buffer
	if err := HTML(&b, d); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "12 records are unaccounted for") {
		t.Error("a difference in the reconciliation is not shown")
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, document()); err != nil {
		t.Fatal(err)
	}
	golden(t, "analyze.txt", b.Bytes())
}

func TestHeadline(t *testing.T) {
	with := func(change func(*results.Document)) *results.Document {
		d := document()
		change(d)
		return d
	}
	for _, c := range []struct {
		doc  *results.Document
		want string
	}{
		{document(), "Better on conversion"},
		{with(func(d *results.Document) { d.Verdicts[0].Verdict = "healthy" }), "can be shipped"},
		{with(func(d *results.Document) { d.Verdicts[0].Verdict = "breached" }), "A guardrail is breached"},
		{with(func(d *results.Document) { d.Verdicts[0].Verdict = "blind" }), "No judgement"},
		{with(func(d *results.Document) { d.Phases[0].SRM.Alarm = true }), "split is broken"},
		{with(func(d *results.Document) { d.Killed = &results.Killed{Reason: "errors rose"} }), "Stopped: errors rose"},
		{with(func(d *results.Document) { d.Comparisons[0].Direction = "decrease" }), "Worse on conversion"},
		{with(func(d *results.Document) { d.Comparisons = d.Comparisons[1:] }), "Nothing is shown yet"},
		{with(func(d *results.Document) { d.At = d.End }), "It has ended: better on conversion"},
		{with(func(d *results.Document) { d.At, d.Comparisons = d.End, nil }), "It has ended and shows no difference"},
		{with(func(d *results.Document) { d.Verdicts = nil }), "No guardrail says"},
		{with(func(d *results.Document) { d.Comparisons[1].Arm = "other" }), "Better on conversion in treatment"},
	} {
		if got := headline(c.doc); !strings.Contains(got, c.want) {
			t.Errorf("headline = %q, want %q in it", got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	nan := results.Number(math.NaN())
	for _, c := range []struct{ got, want string }{
		{Percent(0.123456), "+12.3 %"},
		{Percent(-0.00421), "−0.421 %"},
		{Percent(0), "0.0 %"},
		{Percent(-0.0000000001), "0.00000 %"},
		{Percent(nan), "–"},
		{PercentRange(results.Interval{Low: -0.5, High: nan}), "−50.0 % to +∞"},
		{Mean(0.05, "proportion", ""), "5.00 %"},
		{Mean(118, "mean", "ms"), "118 ms"},
		{Difference(-0.012, "proportion", ""), "−1.20 pp"},
		{Difference(2.5, "mean", "EUR"), "+2.50 EUR"},
		{PValue(0.00001), "< 0.0001"},
		{PValue(0.0312), "0.031"},
		{Count(1234567), "1\u202f234\u202f567"},
		{Count(-999), "−999"},
		{Instant(time.Time{}), "–"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got; run with -update after reading it):\n%s", file, d)
	}
}
