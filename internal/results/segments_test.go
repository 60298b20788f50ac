package results_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// devices is the ramp, in one phase, with a dimension.
func devices() (*experiment.Version, *experiment.Experiment) {
	v, e := ramp()
	e.Dimensions = []experiment.Dimension{{Attribute: "device", Values: []string{"phone", "desk", "tablet"}}}
	it := &e.Iterations[1]
	it.Phases = []experiment.Phase{{Number: 1, From: it.Start, Shares: []float64{.5, .5}, Traffic: 1}}
	return v, e
}

// segmentCells are n units of each arm and device: errors with the control's
// probability, and the treatment's in each device.
func segmentCells(rng *rand.Rand, n int, control float64, treatment map[string]float64) []results.Cell {
	var cells []results.Cell
	total := map[string]int64{}
	for _, device := range []string{"phone", "desk", "tablet"} {
		for variant, p := range map[string]float64{"control": control, "treatment": treatment[device]} {
			var errors int64
			for range n {
				if rng.Float64() < p {
					errors++
				}
			}
			c := binary("errors", variant, 1, int64(n), errors)
			c.Dimension, c.Value = "device", device
			cells = append(cells, c)
			total[variant] += errors
		}
	}
	for _, variant := range []string{"control", "treatment"} {
		cells = append(cells, units(variant, 1, int64(3*n)), binary("errors", variant, 1, int64(3*n), total[variant]))
	}
	return cells
}

func segmentation(t *testing.T, cells []results.Cell) results.Segmentation {
	t.Helper()
	v, e := devices()
	d := results.Compute(v, e, 2, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
	for _, c := range d.Comparisons {
		if c.Metric == "errors" && len(c.Segments) == 1 {
			return c.Segments[0]
		}
	}
	t.Fatalf("no segments: %+v", d.Comparisons)
	return results.Segmentation{}
}

// TestSegmentsDiffer: an effect in one device only is found, and the best guess for
// each device is nearer to its own effect than to that of all.
func TestSegmentsDiffer(t *testing.T) {
	s := segmentation(t, segmentCells(rand.New(rand.NewPCG(1, 2)), 20000, 0.10, map[string]float64{"phone": 0.14, "desk": 0.10, "tablet": 0.10}))
	if s.Dimension != "device" || !s.Matured || s.DoF != 2 || !s.Suspect || !s.Differs || s.Segments[0].Value != "phone" {
		t.Errorf("%+v", s)
	}
	phone := s.Segments[0]
	if d := float64(phone.Absolute.Estimate); math.Abs(d-0.04) > 0.012 || math.Abs(float64(phone.Shrunk.Estimate)-d) > 0.005 {
		t.Errorf("phone: %v, shrunk %v, want about 0.04", d, phone.Shrunk.Estimate)
	}
	if phone.Treatment.Units != 20000 || !(phone.Together.Low < phone.Absolute.Sequential.Low) {
		t.Errorf("%+v", phone)
	}
}

// TestSegmentsAlike: where the effect is the same everywhere the segments are no
// finding, at the stated rate, and the best guess for each is that of all.
func TestSegmentsAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const runs = 400
	same := map[string]float64{"phone": 0.13, "desk": 0.13, "tablet": 0.13}
	suspect, differs := 0, 0
	var level, raw, shrunk float64
	for range runs {
		s := segmentation(t, segmentCells(rng, 2000, 0.10, same))
		level = s.Level
		if s.Suspect {
			suspect++
		}
		if s.Differs {
			differs++
		}
		for _, x := range s.Segments {
			raw += math.Pow(float64(x.Absolute.Estimate)-0.03, 2)
			shrunk += math.Pow(float64(x.Shrunk.Estimate)-0.03, 2)
		}
	}
	if level != 0.05/2 { // two metrics, one arm, one dimension
		t.Errorf("level %v", level)
	}
	if got, noise := float64(suspect)/runs, 3*math.Sqrt(level*(1-level)/runs); got > level+noise || differs > suspect {
		t.Errorf("suspect in %.3f, allowed %.3f + %.3f (Monte Carlo); shown to differ in %d", got, level, noise, differs)
	}
	if shrunk > 0.6*raw {
		t.Errorf("squared distance %g raw, %g shrunk", raw, shrunk)
	}
}

// TestSegmentsWithoutBasis: a value with no units, and cells that settle, are not in
// the comparison; what the file does not list is.
func TestSegmentsWithoutBasis(t *testing.T) {
	cells := segmentCells(rand.New(rand.NewPCG(5, 6)), 300, 0.10, map[string]float64{"phone": 0.10, "desk": 0.10, "tablet": 0.10})
	for i := range cells {
		if cells[i].Value == "tablet" {
			cells[i].Value = "(other)"
		}
	}
	settling := binary("errors", "treatment", 1, 500, 400)
	settling.Dimension, settling.Value, settling.Settling = "device", "desk", true
	s := segmentation(t, append(cells, settling))
	if s.DoF != 2 || len(s.Segments) != 4 || s.Segments[2].Treatment.Units != 0 || s.Segments[3].Value != "(other)" || s.Segments[1].Treatment.Units != 300 {
		t.Errorf("%+v", s)
	}
	if !math.IsNaN(float64(s.Segments[2].Shrunk.Estimate)) {
		t.Errorf("an effect of nobody: %+v", s.Segments[2])
	}
}

// TestImplausibleLift: only an effect whose whole interval is huge is doubted.
func TestImplausibleLift(t *testing.T) {
	for _, c := range []struct {
		control, treatment int64
		want               bool
	}{{1000, 1100, false}, {1000, 3000, true}, {1000, 200, true}, {4, 12, false}, {0, 50, false}} {
		t.Run(fmt.Sprint(c.control, " and ", c.treatment), func(t *testing.T) {
			v, e := devices()
			spend := func(variant string, sum int64) results.Cell {
				out := binary("errors", variant, 1, 5000, sum)
				out.Matured = results.Sums{N: 5000, NonZero: sum, Sum: big.NewInt(sum), SumSquares: big.NewInt(sum)}
				return out
			}
			d := results.Compute(v, e, 2, moments(units("control", 1, 5000), units("treatment", 1, 5000),
				spend("control", c.control), spend("treatment", c.treatment)), statuses(), noon().Add(2*time.Hour), results.Options{})
			got := false
			for _, w := range d.Comparisons[0].Open.Warnings {
				got = got || w.Code == "implausible_lift"
			}
			if got != c.want {
				t.Errorf("doubted: %v", got)
			}
		})
	}
}
