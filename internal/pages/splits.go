package pages

import (
	"html/template"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// split is one phase with the units that it brought, drawn.
type split struct {
	Phase   uint16
	From    time.Time
	Broken  bool
	State   string
	P       results.Number
	Alarm   *results.Alarm
	Arms    []splitArm
	Settled int64   // units of the time in which it settled
	Kept    float64 // share of all units that consumers keep; 0: all
	Sample  float64 // share of the units that are measured; 0: all
}

type splitArm struct {
	results.PhaseArm
	Got  float64 // share of the units
	Plot template.HTML
}

func splits(d *results.Document) []split {
	var out []split
	for i := range d.Phases {
		p := &d.Phases[i]
		s := split{Phase: p.Number, From: p.From, Broken: catalog.SplitBroken(p), P: p.SRM.P, Alarm: p.Alarm, Sample: p.Sample, Kept: p.Kept, State: "as intended"}
		switch {
		case s.Broken:
			s.State = "broken"
		case p.Alarm != nil:
			s.State = "broken, acknowledged by " + p.Alarm.By + ": " + p.Alarm.Why
		}
		all := int64(0)
		for _, a := range p.Arms {
			all += a.Units
		}
		for _, a := range p.Arms {
			got := 0.0
			if all > 0 {
				got = float64(a.Units) / float64(all)
			}
			label := a.Variant + ": " + words.Share(results.Number(got)) + " of the units, " + words.Share(results.Number(a.Share)) + " intended"
			s.Arms = append(s.Arms, splitArm{a, got, plots.Share(got, a.Share, label)})
		}
		for _, a := range p.Settling {
			s.Settled += a.Units
		}
		out = append(out, s)
	}
	return out
}

// segmentation is a goal by one dimension, drawn on one scale.
type segmentation struct {
	Metric, Arm, Dimension string
	Differs                bool
	Conclusion             string
	Rows                   []segmentRow
}

type segmentRow struct {
	Value          string
	Units, Control int64
	Effect         string
	Tone           catalog.Tone
	Plot           template.HTML
}

// segmentations are those of goals, and of other metrics where something differs: a
// table for each of them would be read for what chance made.
func segmentations(d *results.Document) []segmentation {
	var out []segmentation
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		for _, s := range c.Segments {
			if c.Goal || s.Suspect || s.Differs {
				out = append(out, segmentationOf(c, s))
			}
		}
	}
	return out
}

func segmentationOf(c *results.Comparison, s results.Segmentation) segmentation {
	out := segmentation{Metric: c.Metric, Arm: c.Arm, Dimension: s.Dimension, Differs: s.Differs, Conclusion: "no difference between the segments is shown"}
	switch {
	case s.Differs:
		out.Conclusion = "the effect differs between the segments"
	case s.Suspect:
		out.Conclusion = "it looks different, which one look alone does not show"
	}
	var all, shown []results.Interval
	for _, x := range s.Segments {
		all = append(all, x.Relative.Sequential)
		shown = append(shown, results.Interval{Low: x.Relative.Estimate, High: x.Relative.Estimate})
	}
	scale := plots.ScaleOf(metricPlotWidth, append(shown, plots.Clip(all)...)...)
	for _, x := range s.Segments {
		tone := catalog.EffectTone(results.Estimate{Absolute: x.Absolute}, c.Direction)
		out.Rows = append(out.Rows, segmentRow{
			Value: x.Value, Units: x.Treatment.Units, Control: x.Control.Units, Tone: tone,
			Effect: words.PercentWithin(x.Relative.Estimate, x.Relative.Sequential), Plot: plots.Interval(x.Relative, scale, string(tone)),
		})
	}
	return out
}
