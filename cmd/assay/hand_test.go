package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

// TestHandHint: whoever cannot do something by hand learns what to do instead,
// and a mistyped key is a mistake of the command line.
func TestHandHint(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		hint string
	}{
		{experiment.ErrUnknown, exitUsage, "lists the experiments"},
		{watch.ErrNotRunning, exitFailure, "nothing to turn off"},
		{watch.ErrKilled, exitFailure, "decision show"},
		{watch.ErrStale, exitFailure, "what has become"},
		{watch.ErrArm, exitUsage, "as a whole"},
		{watch.ErrNoAlarm, exitFailure, "split of every phase"},
		{experiment.ErrNotKilled, exitFailure, "new iteration"},
		{experiment.ErrPlanned, exitFailure, "begins by itself"},
		{experiment.ErrNoSwitch, exitFailure, "kill_switch"},
	} {
		var b bytes.Buffer
		code := fail(&b, handHint(fmt.Errorf("checkout: %w", c.err)))
		text := b.String()
		if code != c.code || !strings.Contains(text, "assay: error: checkout: ") || !strings.Contains(text, "\nassay: hint: ") || !strings.Contains(text, c.hint) {
			t.Errorf("%v: exit code %d, want %d:\n%s", c.err, code, c.code, text)
		}
	}
	if err := errors.New("no route to host"); !errors.Is(handHint(err), err) || handHint(err).Error() != err.Error() {
		t.Error("another error was changed")
	}
}

// TestResumeFlags: what does not go together is refused before anything is opened.
func TestResumeFlags(t *testing.T) {
	hour := time.Hour
	for _, c := range []struct {
		flags resumeCmd
		ok    bool
	}{
		{resumeCmd{Experiment: "checkout"}, true},
		{resumeCmd{Experiment: "checkout", Rearm: .05}, true},
		{resumeCmd{Experiment: "checkout", Acknowledge: 1}, true},
		{resumeCmd{Experiment: "checkout", Snooze: &hour}, true},
		{resumeCmd{All: true, Snooze: &hour}, true},
		{resumeCmd{}, false},
		{resumeCmd{All: true}, false},
		{resumeCmd{Snooze: &hour}, false},
		{resumeCmd{Experiment: "checkout", All: true, Snooze: &hour}, false},
		{resumeCmd{Experiment: "checkout", Snooze: &hour, Rearm: .05}, false},
		{resumeCmd{Experiment: "checkout", Snooze: &hour, Acknowledge: 1}, false},
		{resumeCmd{Experiment: "checkout", Rearm: .05, Acknowledge: 1}, false},
		{resumeCmd{Experiment: "checkout", Rearm: .5}, false},
	} {
		if err := c.flags.check(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.flags, err)
		}
	}
}
