package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

const (
	// trafficEvery is how often the traffic of a running ramp is read.
	trafficEvery = 30 * time.Second
	// trafficStale is how long a reading counts after which none succeeded.
	trafficStale = 3 * trafficEvery
)

// trafficReading is what a ramp's flag system was read as. Its fields below mu are written by
// the reader's goroutine.
type trafficReading struct {
	next time.Time
	of   phaseOf // what was compared with

	mu      sync.Mutex
	reading bool
	read    time.Time // the newest reading that succeeded; zero: none yet
	drift   string    // which other traffic it showed
	trouble string    // why the newest one failed
	again   bool      // the one before showed another traffic too
}

// phaseOf is a phase of a ramp with the moves that the log has of it: after another one
// its traffic has to be read anew.
type phaseOf struct {
	number uint16
	move   uint64 // decision of the newest move
	state  guardrails.EntryKind
}

// readTraffics reads which traffic the flag systems of running ramps have: it may be
// another one than the step's, set by a hand. No look waits for the answer.
func (w *Watch) readTraffics(life context.Context, looks []looked, now time.Time) {
	if w.parts.Traffic == nil {
		return
	}
	for _, l := range looks {
		it := l.iteration
		if it.Ramp == nil || it.Killed != nil || !now.Before(it.EnrolUntil) {
			continue
		}
		k := l.key()
		var log guardrails.RampLog
		w.book.read(func(all *guardrails.Log) { log = all.Ramp(k.experiment, k.iteration) })
		phase := it.PhaseAt(now)
		if phase == nil || log.Moving() || w.parts.Traffic.CannotSet(l.experiment.KillSwitch, it.Ramp) != "" {
			continue
		}
		of := phaseOf{phase.Number, log.Last.Decided.Seq, log.Last.State}
		t := w.traffics[k]
		if t == nil || t.of != of {
			t = &trafficReading{of: of}
			w.traffics[k] = t
		}
		if now.Before(t.next) || !t.begin() {
			continue
		}
		t.next = now.Add(trafficEvery)
		sw, key, wanted := l.experiment.KillSwitch, k.experiment, wantedTraffic(phase, log)
		w.carriers.Go(func() { w.readTraffic(life, t, sw, key, wanted) })
	}
}

// wantedTraffic is what the flag system may have: the phase's, and that of a move which
// was not carried out to its end, for nobody knows how far it came.
func wantedTraffic(phase *experiment.Phase, log guardrails.RampLog) []float64 {
	wanted := []float64{phase.Traffic}
	if m := log.Last.Decided.Ramp; m != nil && !log.Last.Ended {
		wanted = append(wanted, m.Traffic)
	}
	return wanted
}

// begin takes the turn to read; false when somebody has it.
func (t *trafficReading) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reading {
		return false
	}
	t.reading = true
	return true
}

func (w *Watch) readTraffic(ctx context.Context, t *trafficReading, sw, key string, wanted []float64) {
	ctx, cancel := context.WithTimeout(ctx, w.config.Timeout)
	defer cancel()
	has, reads, err := w.parts.Traffic.HasTraffic(ctx, sw, key, wanted...)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reading = false
	if err != nil {
		t.trouble = err.Error()
		return
	}
	t.read, t.trouble, t.again = w.now(), "", t.drift != ""
	t.drift = ""
	if !has {
		t.drift = fmt.Sprintf("the flag system has %s, and the step is %s: somebody has changed it, and it must be set back", reads, share(wanted[0]))
	}
}

// drift is which traffic a ramp's flag system has, when that is not the step's, and why
// nobody knows it.
func (w *Watch) drift(j *judged, f guardrails.RampFacts) (drift, unread string) {
	t := w.traffics[j.key()]
	switch {
	case f.Unable != "" || f.Log.Moving():
		return "", "" // it is held by that, or is being set
	case t == nil:
		return "", "the traffic in the flag system was not read yet"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.drift != "":
		return t.drift, ""
	case t.read.IsZero() && t.trouble == "":
		return "", "the traffic in the flag system was not read yet"
	case t.read.IsZero() || f.At.Sub(t.read) > trafficStale:
		return "", "the traffic in the flag system cannot be read: " + t.trouble
	}
	return "", ""
}

// tellDrift tells people that a flag system has another traffic than the step, once it
// was read twice: one answer may come from a cache.
func (w *Watch) tellDrift(j *judged, drift string) {
	key := fmt.Sprintf("drift/%s/%d", j.experiment.Key, j.iteration.Number)
	if drift == "" {
		w.alerts.resolveKey(key, w.now(), fmt.Sprintf("%s: the flag system has the traffic of its ramp's step again", j.experiment.Key), "")
		return
	}
	t := w.traffics[j.key()]
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.again {
		return
	}
	w.alerts.raise(Alert{
		Key: key, Matter: RampMatter, Reason: string(guardrails.RampDrift), Experiment: j.experiment.Key, Iteration: j.iteration.Number, At: j.document.At,
		Title: fmt.Sprintf("%s: the traffic of its ramp was changed by somebody else", j.experiment.Key), Text: drift,
	})
}
