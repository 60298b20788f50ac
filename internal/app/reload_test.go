package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/config"
)

// restrained remembers its limits.
type restrained struct{ guardrails.Limits }

func (r *restrained) Restrain(l guardrails.Limits) { r.Limits = l }

// TestReload: what is safe is taken over, what is not is named, and a file with a
// mistake changes nothing.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		s := &Stack{Config: config.Default(), Log: slog.New(slog.NewTextHandler(&said, nil))}
		file, mistake := s.Config, error(nil)
		asked, guard, level := make(chan os.Signal), &restrained{}, &slog.LevelVar{}
		r := Reload{Asked: asked, Read: func() (config.Config, error) { return file, mistake }, Level: level, Guard: guard}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx, s) }()
		reload := func() string {
			said.Reset()
			asked <- os.Interrupt
			synctest.Wait()
			return said.String()
		}
		file.Log.Level, file.Guard.Observe, file.Guard.KillsPerHour, file.Kafka.Group = "debug", true, 3, "other"
		if text := reload(); !strings.Contains(text, "at_the_next_start=kafka.group") || !strings.Contains(text, "guard.observe") {
			t.Errorf("it says %s", text)
		}
		if level.Level() != slog.LevelDebug || guard.Limits != (guardrails.Limits{PerHour: 3, GlobalStop: true}) {
			t.Errorf("level %v, limits %+v", level.Level(), guard.Limits)
		}
		file.Guard.Observe, mistake = false, errors.New("[1:1] unknown field")
		if text := reload(); !strings.Contains(text, "unknown field") || !guard.GlobalStop {
			t.Errorf("a mistake: %s, %+v", text, guard.Limits)
		}
		mistake = nil
		if text := reload(); !strings.Contains(text, "changed=\"guard.observe kafka.group\"") || guard.GlobalStop {
			t.Errorf("mended: %s, %+v", text, guard.Limits)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
