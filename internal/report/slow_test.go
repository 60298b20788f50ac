package report

import (
	"bytes"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

func slowDocument() *results.Document {
	estimate := results.Estimate{
		Treatment: results.Arm{Units: 1200, Mean: 231.5}, Control: results.Arm{Units: 1180, Mean: 240},
		Absolute: results.Effect{Estimate: -8.5, StdError: 2, Sequential: results.Interval{Low: -15, High: -2}, SequentialP: 0.01},
		Relative: results.Effect{Estimate: -0.0354, Fixed: results.Interval{Low: -0.05, High: -0.02}, Sequential: results.Interval{Low: -0.06, High: -0.01}},
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return &results.Document{Experiment: "cta", At: at.Add(190 * time.Second), Control: "control", Slow: &results.Slow{At: at, Version: 4, Comparisons: []results.SlowComparison{
		{Metric: "latency", Arm: "treatment", Kind: "quantile", Quantile: 0.999, Unit: "ms", DesignEffect: 3.21, Matured: true, Estimate: estimate},
		{Metric: "spend", Arm: "treatment", Kind: "mean", Covariate: experiment.PrePeriod, Reduction: 0.42, Estimate: estimate},
		{Metric: "tier", Arm: "treatment", Kind: "proportion", Covariate: "attrs.plan + pre_period", Estimate: estimate},
	}}}
}

// TestSlowIsShown: the reader sees how old the numbers are, of which units, and
// what the method did, on the terminal and on the page.
func TestSlowIsShown(t *testing.T) {
	d := slowDocument()
	var text, page bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	day := Day{Experiments: []Entry{{Experiment: &experiment.Experiment{Key: "cta"}, Document: d}}}
	if err := HTML(&page, day); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"latency, 99.9th percentile", "complete windows, design effect 3.2", "spend, adjusted by the 30 days before",
		"variance −42.0 %", "tier, adjusted by plan and the 30 days before", "3m10s before the look", "configuration 4",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, text.String())
		}
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	d.Slow = nil
	text.Reset()
	if err := Text(&text, d); err != nil || strings.Contains(text.String(), "stored events") {
		t.Errorf("without slow metrics: %v\n%s", err, text.String())
	}
}

// TestChecksAreShown: of a goal always, of another metric only an alarm.
func TestChecksAreShown(t *testing.T) {
	d := slowDocument()
	quiet := results.Balance{Covariate: experiment.PrePeriod, Treatment: results.Arm{Units: 1200}, Control: results.Arm{Units: 1180}, Absolute: effect(0.3, 0.4)}
	alarm, without := quiet, quiet
	alarm.Alarm, alarm.Covariate = true, "attrs.plan"
	without.Alarm, without.Covariate, without.Missing = true, "attrs.plan", true
	goal, other := &d.Slow.Comparisons[1], &d.Slow.Comparisons[2]
	goal.Goal, goal.Balances, goal.ByDay = true, []results.Balance{quiet}, &results.Trend{Days: 7, Absolute: effect(-0.5, 0.1), Moves: true}
	goal.ByDay.Effects = []results.AgeEffect{{Day: 1, Absolute: effect(3, 1)}, {Day: 2, Absolute: effect(2.5, 1)}, {Day: 3, Absolute: effect(2, 1)}}
	other.Balances, other.ByDay = []results.Balance{alarm, without}, &results.Trend{Days: 7, Absolute: effect(0, 0.1)}
	var text, page bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, Day{Experiments: []Entry{{Experiment: &experiment.Experiment{Key: "cta"}, Document: d}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before the experiment: spend in the 30 days before in treatment, " + words.Count(1200) + " units and " + words.Count(1180) + " in control: difference +0.3",
		"The arms differed before the experiment: plan in treatment", "The arms differed before the experiment: units without plan in treatment", "spend in treatment: the effect grows by −0.5",
		"a day over the first 7 days since exposure: the mean over the window is not what will last",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, text.String())
		}
		if !strings.Contains(html.UnescapeString(page.String()), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, want := range []string{`aria-label="difference of spend in treatment by the day since first exposure"`, "<title>day 2: +2.50 (+1.50 to +3.50)</title>", ">day 3</text>"} {
		if !strings.Contains(html.UnescapeString(page.String()), want) {
			t.Errorf("the page does not draw %q", want)
		}
	}
	if strings.Contains(text.String(), "tier in treatment: the effect grows") {
		t.Error("a trend of a metric that is no goal is shown though there is none")
	}
}

func TestOrdinal(t *testing.T) {
	for x, want := range map[float64]string{50: "50th", 95: "95th", 99.9: "99.9th", 91: "91st", 92: "92nd", 93: "93rd", 11: "11th", 0.1: "0.1th"} {
		if got := ordinal(x); got != want {
			t.Errorf("%v: %s", x, got)
		}
	}
}
