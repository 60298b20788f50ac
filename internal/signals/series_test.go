package signals_test

import (
	"math"
	"testing"

	"github.com/assay-dev/assay/internal/signals"
)

// TestShares: what was seen between two points is of one phase, and needs units.
func TestShares(t *testing.T) {
	_, it := ramp()
	point := func(minute int, phase uint16, known bool, units, treated int64) signals.Point {
		return signals.Point{From: minutes(minute), To: minutes(minute), Exposure: signals.Exposure{Phase: phase, Known: known, Units: units, Treated: treated}}
	}
	points := []signals.Point{
		point(10, 1, true, 100, 50), point(20, 1, true, 200, 90), point(30, 1, false, 0, 0), point(40, 1, true, 300, 150),
		point(50, 1, true, 300, 150), point(130, 2, true, 400, 200), point(140, 2, true, 600, 300),
	}
	signals.AddShares(it, points)
	want := []float64{math.NaN(), 0.004, math.NaN(), 0.006, math.NaN(), math.NaN(), 0.05}
	for i, p := range points {
		if (p.Share == nil) != math.IsNaN(want[i]) || p.Share != nil && math.Abs(*p.Share-want[i]) > 1e-12 {
			t.Errorf("point %d: %v, want %v", i, p.Share, want[i])
		}
	}
	e, _ := ramp()
	for i, p := range signals.ExposedPhases(e, it) {
		if planned := []float64{0.005, 0.05, 0.25}[i]; math.Abs(p.Planned-planned) > 1e-12 {
			t.Errorf("phase %d: planned %v, want %v", p.Phase, p.Planned, planned)
		}
	}
	if p := signals.PlannedExposure(e, nil); p != 0 {
		t.Errorf("before the first phase %v is exposed", p)
	}
}
