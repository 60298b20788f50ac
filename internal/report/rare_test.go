package report

import (
	"math"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/results"
)

func TestRareRows(t *testing.T) {
	d := &results.Document{Comparisons: []results.Comparison{
		{Metric: "conversion", Arm: "treatment"},
		{Metric: "crashes", Arm: "treatment", Open: results.Estimate{FirstEvents: &results.FirstEvents{
			Treatment: 60, Control: 20, Ratio: 3, Sequential: results.Interval{Low: 1.25, High: results.Number(math.Inf(1))},
			SequentialP: .004, HarmP: .002, Margin: .1,
		}}},
	}}
	rows := rareRows(d)
	if len(rows) != 1 {
		t.Fatalf("%q", rows)
	}
	for _, want := range []string{"crashes\ttreatment\t60\t20\t×3\t×1.25 to ?", "10 %"} {
		if !strings.Contains(rows[0], want) {
			t.Errorf("%q lacks %q", rows[0], want)
		}
	}
}
