package watch

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/results"
)

// PlaceboGauges publish what the engine makes of halves of the control.
type PlaceboGauges struct {
	alarms, outside, suspect *prometheus.GaugeVec
	shown                    map[placeboOf]bool
}

type placeboOf struct{ experiment, metric string }

// NewPlaceboGauges registers them; with no placebo yet they have no value.
func NewPlaceboGauges(r prometheus.Registerer) (*PlaceboGauges, error) {
	labels := []string{"experiment", "metric"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	g := &PlaceboGauges{
		alarms:  gauge("assay_placebo_false_alarms", "Of 20 random halvings of the control, those whose interval for every look ever excluded no difference; at most 20 times alpha is promised on average."),
		outside: gauge("assay_placebo_outside", "Of 20 random halvings of the control, those whose interval for one look excludes no difference now."),
		suspect: gauge("assay_placebo_suspect", "1 when chance does not explain the false alarms at the promised rate, else 0."),
		shown:   map[placeboOf]bool{},
	}
	var failed error
	for _, c := range []prometheus.Collector{g.alarms, g.outside, g.suspect} {
		failed = errors.Join(failed, r.Register(c))
	}
	return g, failed
}

// Set replaces what is shown; what is not in it is shown no more.
func (g *PlaceboGauges) Set(all []*results.Placebo) {
	shown := map[placeboOf]bool{}
	for _, p := range all {
		for i := range p.Metrics {
			m := &p.Metrics[i]
			key := placeboOf{p.Experiment, m.Metric}
			shown[key] = true
			g.alarms.WithLabelValues(key.experiment, key.metric).Set(float64(len(m.Ever)))
			g.outside.WithLabelValues(key.experiment, key.metric).Set(float64(m.Outside))
			suspect := g.suspect.WithLabelValues(key.experiment, key.metric)
			if suspect.Set(0); m.Suspect {
				suspect.Set(1)
			}
		}
	}
	for key := range g.shown {
		if shown[key] {
			continue
		}
		for _, vec := range []*prometheus.GaugeVec{g.alarms, g.outside, g.suspect} {
			vec.DeleteLabelValues(key.experiment, key.metric)
		}
	}
	g.shown = shown
}
