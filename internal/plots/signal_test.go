package plots_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/signals"
)

// TestSignal: a line broken at a gap, a step of the exposure below it, and nothing that a
// name could break out of.
func TestSignal(t *testing.T) {
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	limit := 0.8
	s := &signals.Series{Signal: experiment.Signal{Name: `<p99>`, Unit: "s", Max: &limit}}
	for i, v := range []float64{0.3, 0.4, 0, 0.5, 0.6} {
		p := signals.Point{From: start.Add(time.Duration(i) * time.Minute), To: start.Add(time.Duration(i) * time.Minute)}
		if v > 0 {
			p.Mean, p.Low, p.High = &v, &v, &v
		}
		s.Points = append(s.Points, p)
	}
	r := &signals.Report{From: start, To: start.Add(4 * time.Minute), Phases: []signals.Exposed{{Phase: 1, From: start, Planned: 0.05}, {Phase: 2, From: start.Add(2 * time.Minute), Planned: 0.25}}}
	got := string(plots.Signal(s, r, nil))
	for what, want := range map[string]int{
		`<polyline class="line"`: 2, `<rect class="band"`: 2, "<p99>": 0, "&lt;p99&gt;": 1, "limit 0.800 s": 1, "phase 2: 25.0 %": 1, `x1="402.0" x2="402.0"`: 1,
		`points="84.0,136.0 243.0,112.0"`: 1, // 0.3 is the bottom, the limit the top, a minute a quarter of the width
	} {
		if n := strings.Count(got, what); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", what, n, want, got)
		}
	}
	for i := range s.Points {
		s.Points[i].Mean, s.Points[i].Low, s.Points[i].High = nil, nil, nil
	}
	if got := plots.Signal(s, r, nil); got != "" {
		t.Errorf("gaps alone are drawn: %s", got)
	}
	s.Points = s.Points[:1]
	if got := plots.Signal(s, r, nil); got != "" {
		t.Errorf("one point is drawn: %s", got)
	}
}
