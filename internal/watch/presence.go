package watch

import (
	"context"
	"sync"
	"time"
)

const (
	beatEvery = time.Second
	// silentAfter is how long a guard may say nothing and count as running: together
	// with a beat and a round it is less than five seconds.
	silentAfter = 2500 * time.Millisecond
)

// Presence is where guards say that they run.
type Presence interface {
	Beat(ctx context.Context, instance string) error
	// Beats are the last words of all guards: of each a value that changes with every
	// word.
	Beats(ctx context.Context) (map[string]time.Time, error)
}

// presence is what was heard of other guards. Their clocks are not compared with this
// one's: it counts when a word was last seen to change.
type presence struct {
	mu    sync.Mutex
	heard map[string]heardOf
	asked time.Time // when the words were last read
}

type heardOf struct {
	word, at time.Time
	words    int // different ones: the first may be an old one
}

func (p *presence) hear(words map[string]time.Time, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heard == nil {
		p.heard = map[string]heardOf{}
	}
	for instance, word := range words {
		if before, known := p.heard[instance]; !known || !before.word.Equal(word) {
			p.heard[instance] = heardOf{word, now, before.words + 1}
		}
	}
	p.asked = now
}

// silent tells whether a guard that said that it runs no longer does. Who never said so
// (a person's command) is not known to be silent, nor is anybody while nothing can be
// read.
func (p *presence) silent(instance string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.heard[instance]
	return known && now.Sub(last.at) >= silentAfter && now.Sub(p.asked) < silentAfter
}

// beOn says that this guard runs, and hears who else does, until the context ends.
func (w *Watch) beOn(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		if err := w.beat(ctx); err != nil && ctx.Err() == nil {
			w.parts.Log.Warn("presence not told", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Watch) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.config.Timeout)
	defer cancel()
	if w.Ready(ctx) == nil { // one whose loop stands still does not run, whatever else of it does
		if err := w.parts.Presence.Beat(ctx, w.config.Instance); err != nil {
			return err
		}
	}
	words, err := w.parts.Presence.Beats(ctx)
	if err == nil {
		w.presence.hear(words, w.now())
	}
	return err
}
