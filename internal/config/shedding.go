package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Shedding is the plan for more than consumers count. Without shares a guard never takes
// a step by itself.
type Shedding struct {
	Keep []float64           `yaml:"keep"` // shares of all units, falling, such as [0.5, 0.25]: a step each time that counting is overloaded; none: people decide
	Lag  experiment.Duration `yaml:"lag"`  // counting must be so far behind
	For  experiment.Duration `yaml:"for"`  // and not catch up for so long
}

func (s Shedding) check() error {
	was := 1.0
	for _, keep := range s.Keep {
		if !(keep > 0 && keep < was) {
			return fmt.Errorf("shedding.keep: %v is not below the share before, or not above 0", keep)
		}
		was = keep
	}
	if s.Lag < experiment.Duration(time.Minute) || s.For < experiment.Duration(time.Minute) {
		return errors.New("shedding: lag and for are a minute at least: what a restart leaves is over by then")
	}
	return nil
}
