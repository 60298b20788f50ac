package report

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/results"
)

func TestLive(t *testing.T) {
	killed := document()
	killed.Experiment, killed.Verdicts[0].Verdict = "new-search", "breached"
	killed.Killed = &results.Killed{At: at("2026-03-02T09:59:30Z"), Reason: "errors"}
	split := document()
	split.Experiment, split.Phases[0].SRM = "price-badge", results.SRM{Alarm: true, P: 0.0004}
	golden.File(t, filepath.Join("testdata", "live.txt"), []byte(Live([]*results.Document{document(), killed, split})))
}

func TestBar(t *testing.T) {
	nan := results.Number(math.NaN())
	for _, c := range []struct {
		name string
		e    results.Effect
		want string
	}{
		{"inside", results.Effect{Estimate: 0.2, Sequential: results.Interval{Low: -0.2, High: 0.6}}, "            ├──¦──●─────┤      "},
		{"beyond the right edge", results.Effect{Estimate: 2, Sequential: results.Interval{Low: 0.8, High: 3}}, "               ¦           ├──●"},
		{"unbounded", results.Effect{Estimate: 0, Sequential: results.Interval{Low: nan, High: nan}}, "├──────────────●──────────────┤"},
		{"unknown", results.Effect{Estimate: nan}, "               ¦               "},
	} {
		if got := bar(c.e); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if n := len([]rune(axis())); n != liveWidth {
		t.Errorf("the axis is %d characters wide, the bars %d", n, liveWidth)
	}
	if !strings.HasPrefix(axis(), "−100 %") {
		t.Errorf("axis %q", axis())
	}
}
