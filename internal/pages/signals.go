package pages

import (
	"html/template"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/signals"
)

// signal is one signal, drawn.
type signal struct {
	*signals.Series
	Plot template.HTML
}

func signalsOf(r *signals.Report, zone *time.Location) []signal {
	if r == nil {
		return nil
	}
	out := make([]signal, len(r.Signals))
	for i := range r.Signals {
		out[i] = signal{&r.Signals[i], plots.Signal(&r.Signals[i], r, zone)}
	}
	return out
}

// Tone is the colour of how the breaker stands.
func (s signal) Tone() catalog.Tone {
	switch {
	case s.Breaker == nil:
		return catalog.Neutral
	case s.Breaker.State == signals.Within:
		return catalog.Good
	case s.Breaker.State == signals.Breached:
		return catalog.Bad
	}
	return catalog.Warn
}
