package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Signals says where the signals of experiment files are read. Without an address
// nothing is asked, and every signal is a gap.
type Signals struct {
	Prometheus string              `yaml:"prometheus"` // address of a Prometheus, or of what speaks its HTTP API, such as `http://prometheus:9090`
	Token      Secret              `yaml:"token"`      // sent to it as `Authorization: Bearer`
	Health     map[string]string   `yaml:"health"`     // health endpoints, by the names that experiment files use; asked by GET, without the token
	Every      experiment.Duration `yaml:"every"`      // between readings
	Timeout    experiment.Duration `yaml:"timeout"`    // of one question; less than `every`
}

// On tells whether anybody is to be asked.
func (s Signals) On() bool { return s.Prometheus != "" || len(s.Health) > 0 }

func (s Signals) check() error {
	if s.Prometheus != "" {
		if err := web("signals.prometheus", s.Prometheus); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Health)) {
		if err := web("signals.health."+name, s.Health[name]); err != nil {
			return err
		}
	}
	if s.Every < experiment.Duration(time.Second) || s.Every > experiment.Duration(10*time.Minute) {
		return errors.New("signals.every: it must be between 1s and 10m")
	}
	if s.Timeout <= 0 || s.Timeout >= s.Every {
		return fmt.Errorf("signals.timeout: it must be above 0s and below signals.every, which is %s", s.Every)
	}
	return nil
}
