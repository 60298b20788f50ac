package watch

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// readyFor is how long ago a guard that is ready has finished a round at most.
	readyFor = 15 * time.Second
	// aliveFor is how long ago a round has ended at most, well or not: none takes longer
	// than its Timeout unless the loop is stuck.
	aliveFor = 6
)

// pulse is how the loop goes, for whoever asks from outside.
type pulse struct {
	mu       sync.Mutex
	finished time.Time // the last round that went well; at first when the guard was made
	ended    time.Time // the last round, well or not
	why      error     // why the last one did not go well
}

func (p *pulse) beat(now time.Time, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.why = now, why
	if why == nil {
		p.finished = now
	}
}

// Ready says why this guard would see no harm now: no round was finished lately.
func (w *Watch) Ready(context.Context) error {
	w.pulse.mu.Lock()
	defer w.pulse.mu.Unlock()
	since := w.now().Sub(w.pulse.finished)
	switch {
	case since < readyFor:
		return nil
	case w.pulse.why != nil:
		return fmt.Errorf("no round was finished for %s: %w", since.Round(time.Second), w.pulse.why)
	}
	return fmt.Errorf("no round was finished for %s", since.Round(time.Second))
}

// Alive says that the loop is stuck: to start the process anew is all that helps.
func (w *Watch) Alive(context.Context) error {
	w.pulse.mu.Lock()
	defer w.pulse.mu.Unlock()
	if since := w.now().Sub(w.pulse.ended); since >= aliveFor*w.config.Timeout {
		return fmt.Errorf("the guard's loop has not come round for %s", since.Round(time.Second))
	}
	return nil
}
