package experiment

import "time"

// MaxDecimals is the precision in which outcome values are stored.
const MaxDecimals = 12

// Find returns the experiment of that key, nil without one.
func (v *Version) Find(key string) *Experiment {
	for i := range v.Experiments {
		if v.Experiments[i].Key == key {
			return &v.Experiments[i]
		}
	}
	return nil
}

// VariantIndex returns the position of a variant's key, -1 without one.
func (e *Experiment) VariantIndex(key string) int {
	for i := range e.Variants {
		if e.Variants[i].Key == key {
			return i
		}
	}
	return -1
}

// At returns the iteration that covers t, nil without one.
func (e *Experiment) At(t time.Time) *Iteration {
	for i := range e.Iterations {
		it := &e.Iterations[i]
		if !t.Before(it.Start) && t.Before(it.End) {
			return it
		}
	}
	return nil
}

// Latest returns the last iteration, nil without one.
func (e *Experiment) Latest() *Iteration {
	if len(e.Iterations) == 0 {
		return nil
	}
	return &e.Iterations[len(e.Iterations)-1]
}

// Metric returns the pinned definition of that name, nil without one.
func (it *Iteration) Metric(name string) *Metric {
	for i := range it.Metrics {
		if it.Metrics[i].Name == name {
			return &it.Metrics[i]
		}
	}
	return nil
}

// PhaseAt returns the phase that covers t (t within the iteration).
func (it *Iteration) PhaseAt(t time.Time) *Phase {
	for i := len(it.Phases) - 1; i >= 0; i-- {
		if !t.Before(it.Phases[i].From) {
			return &it.Phases[i]
		}
	}
	return nil
}

// WindowOf returns a metric's attribution window: that after which a unit's y is
// final.
func (e *Experiment) WindowOf(m *Metric) Duration {
	if m.Kind == Retention {
		return m.To
	}
	if m.Window > 0 {
		return m.Window
	}
	return e.Window
}

// SlotOf returns the length of the exposure slot in which a metric with that
// window is kept: a minute up to one hour, an hour up to two days, else a day.
func SlotOf(window Duration) time.Duration {
	switch w := window.Std(); {
	case w <= time.Hour:
		return time.Minute
	case w <= 48*time.Hour:
		return time.Hour
	default:
		return 24 * time.Hour
	}
}
