package report

import (
	"bytes"
	"errors"
	"html"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
)

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
		Budget: results.Budget{
			Alpha: 0.05, AlphaKill: 0.05, Rules: 1, Spent: 0.1,
			Iterations: []results.BudgetIteration{
				{Number: 1, AlphaKill: 0.05, Rules: 1, Start: at("2026-02-01T00:00:00Z"), End: at("2026-02-09T12:00:00Z"), Killed: true},
				{Number: 2, AlphaKill: 0.05, Rules: 1, Start: at("2026-03-01T00:00:00Z"), End: at("2026-03-27T00:00:00Z")},
			},
			Parts: []results.BudgetPart{
				{Metric: "latency", Arm: "treatment", Alpha: 0.05, Declared: true, Mode: "kill", Method: "mean"},
				{Metric: "crashes", Arm: "treatment", Alpha: 0.05, Mode: "notify", Method: "count", Limit: "added_later"},
			},
			Checks: []results.BudgetCheck{{Check: "srm", Alpha: 0.01, OnAlarm: "hold"}},
		},
		CrossoverChecks: []results.CrossoverCheck{{Phase: 1, Units: 20400, Crossed: 3, Share: 0.000147, P: 1, Limit: 0.01, Threshold: 0.005, OnAlarm: "hold"}},
		Phases: []results.Phase{{
			Number: 1, From: at("2026-03-01T00:00:00Z"), Traffic: 1,
			Arms: []results.PhaseArm{{Variant: "control", Share: 0.5, Units: 10213, Left: 10210}, {Variant: "treatment", Share: 0.5, Units: 10187, Left: 10184}},
			SRM:  results.SRM{P: 1, ChiSquareP: 0.86, Threshold: 0.005}, SRMLeft: results.SRM{P: 1, ChiSquareP: 0.85, Threshold: 0.005},
		}},
		Comparisons: []results.Comparison{
			{
				Metric: "conversion", Arm: "treatment", Kind: "proportion", Direction: "increase", Window: "7d", Goal: true,
				Open: results.Estimate{
					Treatment: results.Arm{Units: 10184, NonZero: 611, Mean: 0.06}, Control: results.Arm{Units: 10210, NonZero: 510, Mean: 0.05},
					Absolute: effect(0.01, 0.004), Relative: effect(0.2, 0.08),
				},
				Matured: results.Estimate{ // not enough yet: the interval holds zero
					Treatment: results.Arm{Units: 4000, NonZero: 236, Mean: 0.059}, Control: results.Arm{Units: 4010, NonZero: 201, Mean: 0.05},
					Absolute: effect(0.009, 0.007), Relative: effect(0.18, 0.14),
				},
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
		Anomalies: []results.Anomaly{
			{Code: results.OutcomesStopped, Blind: true, Metric: "latency", Since: at("2026-03-02T09:58:00Z"), Text: "no unit with an event for 2m0s"},
			{Code: results.DeadLetters, Topic: "orders", Since: at("2026-03-02T09:59:00Z"), Text: "3 % are no events"},
		},
		Crossovers: []results.Crossover{{Phase: 1, First: "control", Other: "treatment", Units: 3}},
		Aside:      results.Aside{Moved: 4, Outside: 1234567},
		Verdicts:   []results.Verdict{{Metric: "latency", Arm: "treatment", Mode: "kill", Verdict: "inconclusive", Reason: "not_shown", Text: "No harm is shown & none is ruled out."}},
	}
}

func day() Day {
	history := map[Series][]plots.Point{}
	for i := range 5 {
		e := effect(0.2, 0.4/float64(i+1))
		history[Series{"conversion", "treatment"}] = append(history[Series{"conversion", "treatment"}],
			plots.Point{At: at("2026-03-01T00:00:00Z").Add(time.Duration(i) * time.Hour), Estimate: e.Estimate, Sequential: e.Sequential})
	}
	from, to := at("2026-02-28T23:00:00Z"), at("2026-03-01T23:00:00Z") // 1 March in Berlin
	it := experiment.Iteration{Number: 2, Start: at("2026-02-28T12:00:00Z"), EnrolUntil: at("2026-03-20T00:00:00Z"), End: at("2026-03-27T00:00:00Z"),
		Metrics: []experiment.Metric{{Name: "conversion", Kind: experiment.Proportion}, {Name: "latency", Kind: experiment.Mean}, {Name: "revenue", Kind: experiment.Sum}},
		Phases:  []experiment.Phase{{Number: 1, From: at("2026-02-28T12:00:00Z"), Traffic: 1, Shares: []float64{.5, .5}}}}
	e := &experiment.Experiment{
		Key: "checkout-cta", Owner: "growth", Hypothesis: "A <b>bigger</b> button sells more.", Control: "control",
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}}, Goals: []string{"conversion", "revenue"},
		PlannedUnits: 100_000, Alpha: .05, Window: experiment.Duration(7 * 24 * time.Hour), Iterations: []experiment.Iteration{{Number: 1}, it},
	}
	return Day{
		Date: daily.Date{Year: 2026, Month: time.March, Day: 1}, Zone: berlin(), From: from, To: to, AsOf: at("2026-03-01T22:59:30Z"), Code: "v1", Head: "ab12",
		Records: []results.Fates{{Topic: "assay.exposures", Records: 1_204_312, Dead: 3}, {Topic: "assay.outcomes", Records: 8_812_001}},
		Experiments: []Entry{
			{
				Experiment: e, Iteration: &it, Document: today(), Before: yesterday(), History: history, Since: from, Until: to,
				Decisions: []Decision{{Seq: 3, At: at("2026-03-01T09:00:00Z"), Kind: "decided", Actor: "guard", Text: "observe only"}},
			},
			{Experiment: &experiment.Experiment{Key: "unseen", Owner: "growth"}, Since: from, Until: to},
		},
		Over: []Entry{{Experiment: &experiment.Experiment{Key: "old-banner", Owner: "brand"}, Since: from, Until: to}},
	}
}

func berlin() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return zone
}

// today is the document at the end of the day.
func today() *results.Document {
	d := document()
	d.At, d.Freshness, d.Newest, d.Start = at("2026-03-01T22:59:30Z"), at("2026-03-01T22:59:29Z"), at("2026-03-01T22:59:28Z"), at("2026-02-28T12:00:00Z")
	d.Phases[0].From = d.Start
	d.Anomalies = nil
	return d
}

// yesterday is the document at the end of the day before: half the units, twice the
// width, a guardrail that could not be judged and a warning of its own.
func yesterday() *results.Document {
	d := today()
	d.At = at("2026-02-28T22:59:40Z")
	d.Phases[0].Arms[0].Units, d.Phases[0].Arms[1].Units = 5011, 4987
	c := &d.Comparisons[0]
	c.Open.Absolute, c.Open.Relative = effect(0.012, 0.016), effect(0.24, 0.32)
	c.Open.Treatment.Units, c.Open.Control.Units = 4987, 5011
	c.Matured.Treatment.Units, c.Matured.Control.Units = 0, 0
	c.Open.Warnings = []results.Doubt{{Code: "few_events", Text: "few units have had an event"}}
	d.Verdicts[0].Verdict = "blind"
	return d
}

// TestPages: the index, the page of an experiment, and all in one file; nothing in them is
// markup of somebody else's, and nothing is loaded from elsewhere.
func TestPages(t *testing.T) {
	d := day()
	for name, write := range map[string]func(io.Writer) error{
		"index.html":      func(w io.Writer) error { return Index(w, d) },
		"experiment.html": func(w io.Writer) error { return Page(w, d, d.Experiments[0]) },
		"unseen.html":     func(w io.Writer) error { return Page(w, d, d.Experiments[1]) },
		"day.html":        func(w io.Writer) error { return HTML(w, d) },
		"mail.html":       func(w io.Writer) error { return MailHTML(w, d) },
		"day.md":          func(w io.Writer) error { return Markdown(w, d) },
		"day.txt":         func(w io.Writer) error { return Plain(w, d) },
	} {
		var b, again bytes.Buffer
		if err := errors.Join(write(&b), write(&again)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Errorf("%s is another the second time", name)
		}
		golden.File(t, filepath.Join("testdata", name), b.Bytes())
		for _, never := range []string{"<b>bigger", "NaN", "http://", "https://", "<script"} {
			if strings.Contains(b.String(), never) && !(name == "day.txt" && never == "<b>bigger") {
				t.Errorf("%s contains %q", name, never)
			}
		}
	}
}

// TestLines: a chat gets a line for each experiment, what has to be acted on first.
func TestLines(t *testing.T) {
	d := day()
	killed := *d.Experiments[0].Document
	killed.Killed = &results.Killed{Reason: "errors rose", At: d.From}
	d.Experiments = append(d.Experiments, Entry{Experiment: &experiment.Experiment{Key: "new-search"}, Document: &killed, Until: d.To})
	d.Gaps = []string{"7 records were lost"}
	want := []string{
		"Gap: 7 records were lost",
		"new-search: Stopped. Stopped: errors rose.",
		"unseen: Can’t tell. No look has been taken yet.",
		"checkout-cta: Keep running. Better on conversion (+20.0 %, +8.00 % to +32.0 %) so far; windows are not complete yet. Keep running.",
	}
	if diff := cmp.Diff(want, Lines(d)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	d.URL = "https://assay.example.com/reports/"
	if got := d.Link(); got != "https://assay.example.com/reports/2026-03-01/index.html" {
		t.Errorf("the link is %s", got)
	}
	if got := d.Title(); got != "Experiments on 1 March 2026: 1 to stop or stopped, 1 of which nothing can be said, 1 to keep running" {
		t.Errorf("the title is %s", got)
	}
}

// TestChange: units, verdicts, calls and warnings are told by what differs; a new iteration
// is compared with nothing.
func TestChange(t *testing.T) {
	e := day().Experiments[0]
	c := e.Change()
	if c.First || len(c.Effects) != 2 || c.Effects[0].Then != "+24.0 %, −24.0 % to +72.0 %, so far" || c.Effects[0].Now != "+18.0 %, −3.00 % to +39.0 %, units whose time is over" {
		t.Errorf("%+v", c.Effects)
	}
	if len(c.New) != 0 || len(c.Gone) != 1 || !strings.Contains(c.Gone[0], "few units have had an event") {
		t.Errorf("new %q, gone %q", c.New, c.Gone)
	}
	e.Before, e.Document = e.Document, e.Before
	if back := e.Change(); len(back.New) != 1 || len(back.Gone) != 0 || !slices.Contains(back.Lines, "−10\u202f402 units, 9\u202f998 now.") {
		t.Errorf("the other way round: %+v", back)
	}
	e.Before = nil
	if first := e.Change(); !first.First || len(first.Effects) != 0 {
		t.Errorf("without a look before: %+v", first)
	}
	older := *e.Document
	older.Iteration = 1
	e.Before = &older
	if c := e.Change(); len(c.Effects) != 0 || !strings.Contains(c.Lines[0], "Iteration 2 began") {
		t.Errorf("a new iteration: %+v", c)
	}
	e.Document = nil
	if c := e.Change(); !c.Quiet() {
		t.Errorf("without a look: %+v", c)
	}
}

// TestWaiting: how long it takes follows from the plan and the rate, and stops at the end
// of the enrolment; who has decided waits for nothing.
func TestWaiting(t *testing.T) {
	with := func(change func(*Entry)) string {
		e := day().Experiments[0]
		d, it, x := *e.Document, *e.Iteration, *e.Experiment
		e.Document, e.Iteration, e.Experiment = &d, &it, &x
		change(&e)
		return e.Waiting()
	}
	for want, change := range map[string]func(*Entry){
		"the plan is full in about 6 days":     func(*Entry) {},
		"by then it will be about":             func(e *Entry) { e.Experiment.PlannedUnits = 1_000_000 },
		"The planned 10\u202f000 units are in": func(e *Entry) { e.Experiment.PlannedUnits = 10_000 },
		"the rest comes within a day":          func(e *Entry) { e.Experiment.PlannedUnits = 21_000 },
		"no more are taken in":                 func(e *Entry) { e.Iteration.EnrolUntil = e.Until.Add(-time.Hour) },
		"":                                     func(e *Entry) { e.Document.Killed = &results.Killed{Reason: "errors rose"} },
	} {
		if got := with(change); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestWarningsAreSeen: a doubt stands where the effects are, not behind a click.
func TestWarningsAreSeen(t *testing.T) {
	d := day()
	var b bytes.Buffer
	if err := Page(&b, d, d.Experiments[0]); err != nil {
		t.Fatal(err)
	}
	shown, _, _ := strings.Cut(b.String(), "<h3>Guardrails</h3>")
	if !strings.Contains(shown, "<h3>Warnings</h3>\n<ul><li>latency in treatment: too few units &lt;yet&gt;</li></ul>") {
		t.Error("the warning is not above the guardrails")
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
	golden.File(t, filepath.Join("testdata", "analyze.txt"), b.Bytes())
}

// eventful is a document with everything that an iteration can meet.
func eventful() *results.Document {
	d := document()
	d.Phases = append(d.Phases, results.Phase{
		Number: 2, From: at("2026-03-02T00:00:00Z"), Traffic: 1, Settle: "10m",
		Arms: []results.PhaseArm{{Variant: "control", Share: 0.5, Units: 520, Left: 500}, {Variant: "treatment", Share: 0.5, Units: 480, Left: 300, Excluded: 9}},
		SRM:  results.SRM{P: 1, ChiSquareP: 0.2, ExactP: 0.21, Threshold: 0.0025},
		SRMBy: []results.SRMBy{
			{Dimension: "device", Value: "desktop", Units: []int64{260, 300}, SRM: results.SRM{P: 1, Threshold: 0.0001}},
			{Dimension: "device", Value: "phone", Units: []int64{260, 180}, SRM: results.SRM{P: 0.00002, Threshold: 0.0001, Alarm: true, Missing: 0.308}},
		},
		SRMLeft:  results.SRM{P: 0.0001, Threshold: 0.0025, Alarm: true},
		Settling: []results.PhaseArm{{Variant: "control", Share: 0.5, Units: 31}, {Variant: "treatment", Share: 0.5, Units: 7}},
	})
	d.Phases[0].Alarm = &results.Alarm{At: at("2026-03-01T01:00:00Z"), Acknowledged: at("2026-03-01T02:00:00Z"), By: "ada", Why: "a bot"}
	d.Comparisons[2] = results.Comparison{
		Metric: "revenue", Arm: "treatment", Kind: "sum", Direction: "increase", Unit: "EUR", Window: "7d",
		Open: results.Estimate{
			Treatment: results.Arm{Units: 10184, Mean: 1.21, Total: "12322.64"}, Control: results.Arm{Units: 10210, Mean: 1.2, Total: "12252"},
			Absolute: effect(0.01, 0.1), Relative: effect(0.0083, 0.08),
		},
	}
	d.LogHead = "ab12"
	d.ArmKills = []results.Kill{{Arm: "slow", State: "verified", Decision: 2, By: "guard@a", DecidedAt: at("2026-03-02T08:00:00Z"), OverriddenAt: at("2026-03-02T08:30:00Z")}}
	d.Limits, d.Verdicts[0].Limit = []string{"notify_only"}, "notify_only"
	d.Aside.OutOfRange = map[string]int64{"revenue": 2}
	d.Gaps = []results.Gap{{Topic: "assay.outcomes", Partition: 3, Records: 1200, AcceptedAt: at("2026-03-01T12:00:00Z")}}
	d.Troubles = []results.Trouble{{Code: "gap", Detail: "shard 3 stands still"}}
	d.AfterEnd = []results.AfterEnd{{Variant: "treatment", Exposures: 4, Newest: at("2026-03-02T09:00:05Z")}}
	d.Killed = &results.Killed{At: at("2026-03-02T09:00:01Z"), Decision: 3, Reason: "latency rose"}
	d.Kill = &results.Kill{
		State: "verified", Decision: 3, By: "guard@a", Reason: "latency rose", DecidedAt: at("2026-03-02T09:00:00Z"),
		SentAt: at("2026-03-02T09:00:01Z"), ReadBackAt: at("2026-03-02T09:00:02Z"), Effect: "effective",
		After: []results.AfterDecision{{Variant: "treatment", Units: 12, NonZero: 3}, {Variant: "control", Units: -1, NonZero: 0}},
	}
	return d
}

// TestNothingIsLeftOut: what a look knows of its doubts stands in every form of it.
func TestNothingIsLeftOut(t *testing.T) {
	d := eventful()
	var text, page bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join("testdata", "eventful.txt"), text.Bytes())
	one := day()
	one.Experiments = one.Experiments[:1]
	one.Experiments[0].Document, one.Zone = d, time.UTC // as the text has it
	if err := HTML(&page, one); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"iteration 2 of 2", "split over 1; all iterations together 10.0 %", // how often one has tried, and what that cost
		"(notify_only)", "resumed without a new budget",
		"decision log head", "ab12", "slow alone, decision 2 by guard@a at 2026-03-02 08:00:00 UTC, and was TURNED ON AGAIN (seen at 2026-03-02 08:30:00 UTC)", "+0.400 pp to +1.60 pp", "12322.64", "2 values of revenue",
		"2, settling 10m", "acknowledged by ada: a bot", "after crossovers and excluded units were taken out the split is not the intended one (p 0.0001)",
		"1\u202f200 records of assay.outcomes, partition 3, were lost before they were read",
		"decision 3 by guard@a at 2026-03-02 09:00:00 UTC, sent at 2026-03-02 09:00:01 UTC, read back as off at 2026-03-02 09:00:02 UTC, the exposures stopped",
		"+12 units in treatment, +3 with an event", "−1 units in control, +0 with an event",
		"4 exposures to treatment", "gap shard 3 stands still", "3 units saw control, then treatment", "configuration 7",
		"phase 2, device phone: the split is broken (control 260, treatment 180; p < 0.0001, threshold 0.0001), at least 30.8 % of treatment's units are missing",
		"too few units", "9 units of treatment (phase 2)",
	} {
		for form, got := range map[string]string{"text": text.String(), "page": html.UnescapeString(page.String())} {
			if !strings.Contains(got, want) {
				t.Errorf("the %s does not say %q", form, want)
			}
		}
	}
}

func TestHeadline(t *testing.T) {
	with := func(change func(*results.Document)) *results.Document {
		d := document()
		change(d)
		return d
	}
	complete := func(d *results.Document) { d.Comparisons[0].Matured = d.Comparisons[0].Open }
	for _, c := range []struct {
		doc  *results.Document
		want string
	}{
		{document(), "Better on conversion (+20.0 %, +8.00 % to +32.0 %) so far; windows are not complete"},
		{with(func(d *results.Document) { // the control has none: no lift is bounded
			e := &d.Comparisons[0].Open
			e.Relative = results.Effect{Estimate: results.Number(math.NaN()), Sequential: results.Interval{Low: results.Number(math.Inf(-1)), High: results.Number(math.Inf(1))}}
			e.Absolute = results.Effect{Estimate: 0.02, Sequential: results.Interval{Low: 0.01, High: 0.03}}
		}), "Better on conversion (+2.00 pp, +1.00 pp to +3.00 pp) so far"},
		{with(func(d *results.Document) { d.Verdicts[0].Verdict = "healthy" }), "so far; windows are not complete yet. Keep running."},
		{with(func(d *results.Document) { d.Comparisons[0].Direction = "decrease" }), "Worse on conversion (+20.0 %, +8.00 % to +32.0 %) so far"},
		{with(complete), "Keep running until the guardrails are healthy"},
		{with(func(d *results.Document) { complete(d); d.Verdicts[0].Verdict = "healthy" }), "can be shipped"},
		{with(func(d *results.Document) { d.Verdicts[0].Verdict = "breached" }), "A guardrail is breached"},
		{with(func(d *results.Document) { d.Verdicts[0].Verdict = "blind" }), "No judgement"},
		{with(func(d *results.Document) { d.Phases[0].SRM.Alarm = true }), "split is broken"},
		{with(func(d *results.Document) { d.Phases[0].SRM.Alarm, d.Phases[0].SRM.Trivial = true, true }), "off by a trivial amount, at most 0.2"},
		{with(func(d *results.Document) { d.Phases[0].Alarm = &results.Alarm{At: d.At} }), "split is broken"},
		{with(func(d *results.Document) {
			d.Phases[0].SRM.Alarm = true
			d.Phases[0].Alarm = &results.Alarm{At: d.At, Acknowledged: d.At}
		}), "Better on conversion"},
		{with(func(d *results.Document) { d.Killed = &results.Killed{Reason: "errors rose"} }), "Stopped: errors rose"},
		{with(func(d *results.Document) { d.Kill = &results.Kill{State: "denied", Reason: "errors rose"} }), "could NOT be turned off (denied) and goes on: errors rose"},
		{with(func(d *results.Document) { complete(d); d.Comparisons[0].Direction = "decrease" }), "Worse on conversion (+20.0 %, +8.00 % to +32.0 %). Consider stopping."},
		{with(func(d *results.Document) { d.Comparisons = d.Comparisons[1:] }), "Nothing is shown yet"},
		{with(func(d *results.Document) { complete(d); d.At = d.End }), "It has ended: better on conversion"},
		{with(func(d *results.Document) { d.At = d.End }), "It has ended and shows no difference"},
		{with(func(d *results.Document) { d.At, d.Comparisons = d.End, nil }), "It has ended and shows no difference"},
		{with(func(d *results.Document) { complete(d); d.Verdicts = nil }), "No guardrail says"},
		{with(func(d *results.Document) { complete(d); d.Comparisons[1].Arm = "other" }), "Better on conversion in treatment"},
	} {
		if got := catalog.Headline(c.doc); !strings.Contains(got, c.want) {
			t.Errorf("headline = %q, want %q in it", got, c.want)
		}
	}
}
