package watch

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// storedLook is what identifies the guard look that was stored last.
type storedLook struct {
	vector  map[uint16]uint64
	version uint32
	verdict string
	ramp    string // where it is, and why
	id      string
	at      time.Time
}

func identity(j *judged) storedLook {
	var words []byte
	for i := range j.steps {
		v := &j.steps[i].verdict
		words = fmt.Appendf(words, "%s/%s=%s/%s/%s;", v.Rule.Metric, v.Rule.Arm, v.Kind, v.Reason, v.Act)
	}
	return storedLook{vector: j.document.Vector, version: j.document.Version, verdict: string(words), at: j.document.At}
}

func (s storedLook) equal(o storedLook) bool {
	return s.version == o.version && s.verdict == o.verdict && s.ramp == o.ramp && maps.Equal(s.vector, o.vector)
}

// worthStoring tells whether a guard look says anything new. Looks are taken more often
// than they are stored; one that something is decided on always is.
func (w *Watch) worthStoring(j *judged, acting bool) bool {
	last, known := w.stored[j.key()]
	switch {
	case !known:
		return true
	case last.equal(j.identity):
		return false
	default:
		return acting || j.identity.at.Sub(last.at) >= w.config.Every
	}
}

// toStore names the looks that are worth keeping: every minute a full one of each
// experiment, and a guard look when the data, the version or a verdict changed. By run
// are those that stand for it from now on.
func (w *Watch) toStore(all []*judged, acting, full bool) (looks []*Look, byRun map[runKey]*Look) {
	byRun = map[runKey]*Look{}
	for _, j := range all {
		if w.worthStoring(j, acting) {
			guard := j.document.Guard()
			l := &Look{ID: w.parts.Looks.NewID(j.document.At), Verdict: j.overall(), Document: &guard}
			looks, byRun[j.key()] = append(looks, l), l
			j.identity.id = l.ID
			w.stored[j.key()] = j.identity
		}
		if full {
			looks = append(looks, &Look{ID: w.parts.Looks.NewID(j.document.At), Verdict: j.overall(), Document: j.document})
		}
	}
	return looks, byRun
}

// storeBeside begins to store the looks that something is to be decided on: a decision
// names its look before it is there. The function that is returned waits. What could
// not be stored is owed, and stored by a later round under the same id.
func (w *Watch) storeBeside(ctx context.Context, acting []*judged, full bool) (wait func() error) {
	looks, _ := w.toStore(acting, true, full)
	looks = append(looks, w.owed...)
	w.owed = nil
	done := make(chan error, 1)
	go func() { done <- w.write(ctx, looks) }()
	return func() error {
		err := <-done
		if err != nil {
			w.owed = looks
		}
		return err
	}
}

// store writes the looks on which nothing rests.
func (w *Watch) store(ctx context.Context, rest []*judged, full bool) error {
	looks, byRun := w.toStore(rest, false, full)
	err := w.write(ctx, looks)
	if err != nil { // the next round stores what it sees then
		maps.DeleteFunc(w.stored, func(key runKey, _ storedLook) bool { return byRun[key] != nil })
	}
	return err
}

func (w *Watch) write(ctx context.Context, looks []*Look) error {
	if len(looks) == 0 {
		return nil
	}
	// Half of the round at most.
	ctx, cancel := context.WithTimeout(ctx, w.config.Timeout/2)
	defer cancel()
	if err := w.parts.Looks.Store(ctx, looks); err != nil {
		return fmt.Errorf("store %d looks: %w", len(looks), err)
	}
	return nil
}

// lookOf is the id of the guard look that shows what j shows, of this round or of an
// earlier one.
func (w *Watch) lookOf(j *judged) string {
	if s, ok := w.stored[j.key()]; ok && s.equal(j.identity) {
		return s.id
	}
	return ""
}

// overall is the verdict of the experiment.
func (j *judged) overall() guardrails.Kind {
	verdicts := make([]guardrails.Verdict, len(j.steps))
	for i := range j.steps {
		verdicts[i] = j.steps[i].verdict
	}
	return guardrails.Overall(verdicts)
}
