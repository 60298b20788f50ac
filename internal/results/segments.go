package results

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Segmentation compares the effect between the values of one dimension.
type Segmentation struct {
	Dimension string `json:"dimension"`
	Matured   bool   `json:"matured"` // of units whose window has passed; else of all units so far

	Q    Number `json:"q"` // Cochran's, with segments − 1 degrees of freedom
	DoF  int    `json:"dof"`
	P    Number `json:"p"` // of Q: of one look that was planned
	I2   Number `json:"i2"`
	Tau2 Number `json:"tau2"`
	// Level is alpha divided by the segmentations of the look. Suspect tells whether p
	// is at most that, Differs whether the effect is shown to differ: two segments'
	// intervals for every look, which hold together with that error rate, exclude one
	// another. Without it the segments are no finding.
	Level   float64 `json:"level"`
	Suspect bool    `json:"suspect"`
	Differs bool    `json:"differs"`

	Segments []Segment `json:"segments"`
}

// Segment is the effect among the units with one value of a dimension.
type Segment struct {
	Value     string `json:"value"`
	Treatment Arm    `json:"treatment"`
	Control   Arm    `json:"control"`
	Absolute  Effect `json:"absolute"`
	Relative  Effect `json:"relative"`
	// Together is the interval for every look, as wide as it must be for those of all
	// segments to hold together.
	Together Interval `json:"together"`
	// Shrunk is the absolute effect drawn towards that of all segments by as much as
	// chance explains, with its interval: the best guess for this segment.
	Shrunk Shrunk `json:"shrunk"`
	// Adjusted is the segment of a goal within the family of all segments of goals.
	Adjusted *Adjusted `json:"adjusted,omitempty"`
}

// Shrunk is an estimate with its interval.
type Shrunk struct {
	Estimate Number `json:"estimate"`
	StdError Number `json:"std_error"`
	Interval
}

// segmentKey is where a cell of a dimension belongs.
type segmentKey struct {
	metric, variant, dimension, value string
	phase                             uint16
}

// segments compares the effect of every comparison by every dimension that has
// cells; guards' looks have none.
func (c *computation) segments() {
	if len(c.segmented) == 0 {
		return
	}
	cells := map[segmentKey]Cell{}
	for _, cell := range c.segmented {
		if !cell.Settling {
			cells[segmentKey{cell.Metric, cell.Variant, cell.Dimension, cell.Value, cell.Phase}] = cell
		}
	}
	tests := len(c.doc.Comparisons) * len(c.e.Dimensions)
	for i := range c.doc.Comparisons {
		cmp := &c.doc.Comparisons[i]
		if cmp.Overflow > 0 {
			continue
		}
		for _, d := range c.e.Dimensions {
			s := segmentation{c, c.it.Metric(cmp.Metric), c.e.VariantIndex(cmp.Arm), d, cells, c.e.Alpha / float64(tests), cmp.Goal}
			if out, ok := s.compute(); ok {
				cmp.Segments = append(cmp.Segments, out)
			}
		}
	}
}

type segmentation struct {
	*computation
	metric    *experiment.Metric
	arm       int
	dimension experiment.Dimension
	cells     map[segmentKey]Cell
	level     float64
	goal      bool
}

// compute takes matured units once two segments have a basis, as goals do. There is
// nothing to compare below two segments.
func (s segmentation) compute() (Segmentation, bool) {
	tests := len(s.segmentTests)
	if !s.doc.Freshness.IsZero() {
		if out := s.of(maturedSums); out.DoF > 0 {
			out.Matured = true
			return out, true
		}
	}
	s.segmentTests = s.segmentTests[:tests] // what has not matured is no test
	out := s.of(openSums)
	if out.DoF == 0 {
		s.segmentTests = s.segmentTests[:tests]
	}
	return out, out.DoF > 0
}

func (s segmentation) of(pick which) Segmentation {
	out := Segmentation{Dimension: s.dimension.Attribute, Level: s.level}
	var effects []stats.Estimate
	values := s.values()
	for _, value := range values {
		segment, effect := s.segment(value, pick, s.level/float64(len(values)))
		out.Segments, effects = append(out.Segments, segment), append(effects, effect)
	}
	h := stats.Heterogeneous(effects)
	out.Q, out.DoF, out.P, out.I2, out.Tau2 = Number(h.Q), h.DoF, Number(h.P), Number(h.I2), Number(h.Tau2)
	out.Suspect = h.DoF > 0 && h.P <= s.level
	for i, e := range h.Shrunk {
		shown := e.Student(s.e.Alpha)
		out.Segments[i].Shrunk = Shrunk{Number(e.Value), Number(e.StdError), Interval{Number(shown.Low), Number(shown.High)}}
	}
	out.Differs = apart(out.Segments)
	return out
}

// values are those of the file, and then what else there is: (other) and (none).
func (s segmentation) values() []string {
	var more []string
	arm := s.e.Variants[s.arm].Key
	for k := range s.cells {
		if k.metric == s.metric.Name && k.dimension == s.dimension.Attribute && k.variant == arm &&
			!slices.Contains(s.dimension.Values, k.value) && !slices.Contains(more, k.value) {
			more = append(more, k.value)
		}
	}
	slices.Sort(more)
	return slices.Concat(s.dimension.Values, more)
}

func (s segmentation) segment(value string, pick which, level float64) (Segment, stats.Estimate) {
	scale := ScaleOf(s.metric)
	arm := func(variant string, phase uint16) stats.Moments {
		cell := s.cells[segmentKey{s.metric.Name, variant, s.dimension.Attribute, value, phase}]
		return scale.Moments(pick(&cell))
	}
	var strata []stats.Stratum
	for _, p := range s.it.Phases {
		strata = append(strata, stats.Stratum{
			Name: fmt.Sprint(p.Number), Treatment: arm(s.e.Variants[s.arm].Key, p.Number), Control: arm(s.e.Control, p.Number),
		})
	}
	pair := stats.Combine(strata)
	plan := s.plan(s.arm)
	fixed, together := pair.Fixed(plan.Alpha), pair.SequentialAt(plan, level)
	e := newEstimate(pair, fixed, pair.Sequential(plan))
	out := Segment{Value: value, Treatment: e.Treatment, Control: e.Control, Absolute: e.Absolute, Relative: e.Relative,
		Together: Interval{Number(together.Absolute.Low), Number(together.Absolute.High)}}
	if s.goal && segmentsOf(s.e, s.it) != nil {
		t := newTest(pair, plan, 0)
		out.Adjusted, s.segmentTests = t.into, append(s.segmentTests, t)
	}
	return out, stats.Estimate{Value: fixed.Absolute.Estimate, StdError: fixed.Absolute.StdError, DoF: math.Inf(1)}
}

// apart tells whether two segments' intervals exclude one another.
func apart(segments []Segment) bool {
	lows, highs := []float64{}, []float64{}
	for _, s := range segments {
		lows, highs = append(lows, float64(s.Together.Low)), append(highs, float64(s.Together.High))
	}
	return len(segments) > 0 && cmp.Compare(slices.Max(lows), slices.Min(highs)) > 0
}
