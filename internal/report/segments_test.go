package report

import (
	"bytes"
	"html"
	"math"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestSegmentsAreShown: of a goal always, of another metric only what looks
// different; and the reader is told whether the segments are a finding.
func TestSegmentsAreShown(t *testing.T) {
	d := document()
	known := results.Segment{Value: "phone", Treatment: results.Arm{Units: 5100}, Control: results.Arm{Units: 5000},
		Absolute: effect(0.012, 0.006), Relative: effect(0.24, 0.1),
		Shrunk: results.Shrunk{Estimate: 0.0104, Interval: results.Interval{Low: 0.004, High: 0.017}}}
	known.Adjusted = &results.Adjusted{Family: "segments", Size: 10, Sequential: results.AdjustedEffect{P: 0.024, Rejected: true, Absolute: results.Interval{Low: 0.001, High: 0.02}}}
	nan := results.Number(math.NaN())
	nobody := results.Segment{Value: "(none)", Absolute: results.Effect{Estimate: nan}, Relative: results.Effect{Estimate: nan},
		Shrunk: results.Shrunk{Estimate: nan}}
	alike := results.Segmentation{Dimension: "device", Matured: true, Q: 1.2, DoF: 1, P: 0.27, I2: 0.17, Level: 0.025, Segments: []results.Segment{known, nobody}}
	apart := alike
	apart.Dimension, apart.Matured, apart.P, apart.Suspect, apart.Differs = "country", false, 0.0001, true, true
	d.Comparisons[0].Segments = []results.Segmentation{alike}
	d.Comparisons[1].Segments = []results.Segmentation{alike, apart}

	var text, page bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, Day{Experiments: []Entry{{Experiment: &experiment.Experiment{Key: "cta"}, Document: d}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"conversion in treatment by device, complete windows", "no difference by device is shown", "+1.04 pp", "phone", "+24.0 % (+9.00 % to +39.0 %)", "better (p 0.024)",
		"latency in treatment by country, all units so far", "the effect differs by country, shown at every look",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, text.String())
		}
		if !strings.Contains(html.UnescapeString(page.String()), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text.String(), "latency in treatment by device") {
		t.Error("the segments of a metric that is no goal are shown without a reason")
	}
}
