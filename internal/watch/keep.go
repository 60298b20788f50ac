package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// keepWithin is how old a decision may be whose look is still to be kept. Any
// look lives for a day; what was not kept by then is gone.
const keepWithin = 23 * time.Hour

// note remembers that a decision rests on a look. It is called for every line of
// the decision log, at the start too: who wrote the line may have died before it
// could keep the look, and a look kept twice is kept once.
func (w *Watch) note(e guardrails.Entry) {
	if e.Look == "" || w.now().Sub(e.At) > keepWithin {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unkept[e.Look] = e.Seq
}

// keepLooks sees to it that the looks on which decisions rest stay for ever. What
// fails is tried again in the next round.
func (w *Watch) keepLooks(ctx context.Context) {
	w.mu.Lock()
	due := maps.Clone(w.unkept)
	w.mu.Unlock()
	for id, decision := range due {
		err := w.parts.Looks.Keep(ctx, id, decision)
		switch {
		case errors.Is(err, ErrNoLook) && w.isOwed(id):
			continue
		case errors.Is(err, ErrNoLook): // whoever decided died before the look was stored
			w.parts.Log.Warn("the look of a decision was never stored: its evidence stands in the decision log alone", "look", id, "decision", decision)
		case err != nil:
			w.parts.Log.Warn("look not kept, trying again", "look", id, "decision", decision, "error", err)
			continue
		}
		w.mu.Lock()
		delete(w.unkept, id)
		w.mu.Unlock()
	}
}

func (w *Watch) isOwed(id string) bool {
	return slices.ContainsFunc(w.owed, func(l *Look) bool { return l.ID == id })
}
