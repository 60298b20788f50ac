package report

import (
	"bytes"
	"html"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/results"
)

// TestDaysAreShown: with what they may be read for, and the conclusion.
func TestDaysAreShown(t *testing.T) {
	d := slowDocument()
	d.Days = []results.Days{{Metric: "spend", Arm: "treatment", Kind: "mean", Slope: 0.4, Fixed: results.Interval{Low: 0.3, High: 0.5}, P: 0.001, Drifts: true,
		Days: []results.DayEffect{{Day: "2026-03-01", Phase: 1, Treatment: results.Arm{Units: 80}, Control: results.Arm{Units: 720}, Absolute: effect(2, 0.3)}}}}
	var text bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{results.DayNote, "spend in treatment: the effect grows by +0.400 (+0.300 to +0.500) with each day", "average of different effects", "2026-03-01", "+2.00"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, text.String())
		}
	}
	d.Days[0].Drifts = false
	text.Reset()
	if err := Text(&text, d); err != nil || !strings.Contains(text.String(), "no drift is shown") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestDriftIsShown: a warning that only complete windows can give is told too.
func TestDriftIsShown(t *testing.T) {
	d := slowDocument()
	drift := results.Doubt{Code: results.EffectDrifts, Text: "the effect is larger in phase 1"}
	d.Comparisons = []results.Comparison{{Metric: "spend", Arm: "treatment", Matured: results.Estimate{Warnings: []results.Doubt{drift, {Code: "no_basis", Text: "hidden"}}}}}
	var text bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); !strings.Contains(got, "spend in treatment: the effect is larger in phase 1") || strings.Contains(got, "hidden") {
		t.Error(got)
	}
}

// daysPage is the page of an experiment whose goal has so many days.
func daysPage(t *testing.T, days ...results.DayEffect) string {
	t.Helper()
	d := day()
	d.Experiments = d.Experiments[:1]
	d.Experiments[0].Document.Days = []results.Days{{Metric: "spend", Arm: "treatment", Kind: "mean", Unit: "EUR",
		Slope: 0.4, Fixed: results.Interval{Low: -0.1, High: 0.9}, P: 0.1, Days: days}}
	var b bytes.Buffer
	if err := HTML(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDaysOnThePage: every day has its mark with estimate and interval, drawn where its
// numbers are; what is not bounded has no end.
func TestDaysOnThePage(t *testing.T) {
	one := results.DayEffect{Day: "2026-03-01", Phase: 1, Treatment: results.Arm{Units: 80}, Control: results.Arm{Units: 720}, Absolute: effect(2, 1)}
	two := results.DayEffect{Day: "2026-03-02", Phase: 1, Treatment: results.Arm{Units: 70}, Control: results.Arm{Units: 710}, Absolute: effect(0, 1)}
	none := results.Number(math.NaN())
	open := results.DayEffect{Day: "2026-03-03", Phase: 2, Absolute: results.Effect{Estimate: 1, Fixed: results.Interval{Low: none, High: none}}}
	page := daysPage(t, one, two, open)
	for _, want := range []string{
		"By day of first exposure", results.DayNote, "spend in treatment: the effect grows by +0.400 EUR (−0.100 EUR to +0.900 EUR) with each day",
		"<title>2026-03-01, phase 1: +2.00 EUR (+1.00 EUR to +3.00 EUR), 80 and 720 units</title>", "2026-03-03, phase 2: +1.00 EUR (−∞ to +∞)",
		">03-02</text>", `<td class="num">2026-03-02</td>`,
	} {
		if !strings.Contains(html.UnescapeString(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	_, plot, _ := strings.Cut(page, "By day of")
	marks := regexp.MustCompile(`whisker" x1="([\d.]+)" x2="([\d.]+)" y1="([\d.]+)" y2="([\d.]+)"/><line class="whisker"[^>]*/><line class="whisker"[^>]*/><circle class="dot" cx="([\d.]+)" cy="([\d.]+)"`).FindAllStringSubmatch(plot, -1)
	if len(marks) != 2 { // the third has no ends
		t.Fatalf("%d marks with both ends", len(marks))
	}
	var m [2][6]float64
	for i := range m {
		for k := range m[i] {
			m[i][k], _ = strconv.ParseFloat(marks[i][k+1], 64)
		}
	}
	half := (m[0][2] - m[0][3]) / 2 // 1 EUR in pixels, downwards
	if !(half > 0) || math.Abs(m[0][2]-half-m[0][5]) > .2 || math.Abs(m[1][5]-m[0][5]-2*half) > .2 || !(m[0][4] < m[1][4]) || m[0][0] != m[0][4] {
		t.Errorf("marks %v", m)
	}
	if page := daysPage(t, one); strings.Contains(page, "By day of first exposure") {
		t.Error("one day is compared with nothing")
	}
	if text := dayConclusion(results.Days{Metric: "spend", Arm: "treatment", Slope: none}); !strings.Contains(text, "needs two days") {
		t.Error(text)
	}
}
