package app

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/config"
)

// Reload is what takes place when a running process is told that its file changed.
type Reload struct {
	Asked <-chan os.Signal                         // each time that somebody says so
	Read  func() (config.Config, error)            // the file, with the flags over it
	Level *slog.LevelVar                           // of the log; nil: fixed
	Guard interface{ Restrain(guardrails.Limits) } // nil: none runs here
	// Observe is the guard's flag of that name, which no file takes back.
	Observe bool
}

// reloadable are the settings that a running process takes over: none of them has an
// effect on what is counted.
var reloadable = []string{"log.level", "guard.observe", "guard.kills_per_hour"}

// Run takes over what is safe to be taken over, and says what needs a new start. A file
// with a mistake changes nothing.
func (r Reload) Run(ctx context.Context, s *Stack) error {
	running := s.Config
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.Asked:
		}
		next, err := r.Read()
		if err != nil {
			s.Log.Error("configuration not reloaded, the old one holds", "error", err)
			continue
		}
		changed := config.Changed(&running, &next)
		waiting := slices.DeleteFunc(slices.Clone(changed), func(name string) bool { return slices.Contains(reloadable, name) })
		r.adopt(&running, &next)
		s.Log.Warn("configuration reloaded", "changed", strings.Join(changed, " "), "at_the_next_start", strings.Join(waiting, " "))
	}
}

// adopt takes over the reloadable settings.
func (r Reload) adopt(running, next *config.Config) {
	running.Log.Level = next.Log.Level
	running.Guard.Observe, running.Guard.KillsPerHour = next.Guard.Observe, next.Guard.KillsPerHour
	if r.Level != nil && next.Log.Level != "" {
		_ = r.Level.UnmarshalText([]byte(next.Log.Level)) // it was checked when it was read
	}
	if r.Guard != nil {
		r.Guard.Restrain(guardrails.Limits{PerHour: next.Guard.KillsPerHour, GlobalStop: next.Guard.Observe || r.Observe})
	}
}
