package app

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// Show collects what a guard sees and prints it: each decision as it comes, and
// the table of experiments at every tick, in place when the terminal can.
type Show struct {
	out     io.Writer
	inPlace bool
	start   time.Time

	mu      sync.Mutex
	docs    map[string]*results.Document
	waiting []string // lines not printed yet
	entries []guardrails.Entry
	drawn   int // lines of the table on the screen
}

// NewShow prints to out; inPlace redraws the table instead of repeating it.
func NewShow(out io.Writer, inPlace bool, start time.Time) *Show {
	return &Show{out: out, inPlace: inPlace, start: start, docs: map[string]*results.Document{}}
}

// Observe takes what the guard says. It only notes it down.
func (s *Show) Observe(e watch.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case watch.Looked:
		s.docs[e.Document.Experiment] = e.Document
	case watch.Journalled:
		s.entries = append(s.entries, *e.Entry)
		s.waiting = append(s.waiting, fmt.Sprintf("%s  %s: %s", report.Since(s.start, e.At), e.Entry.Experiment, e.Entry.Text))
	case watch.Failed:
		s.waiting = append(s.waiting, fmt.Sprintf("%s  the guard could not look: %v", report.Since(s.start, e.At), e.Err))
	}
}

// Tick prints what came since the last one and the table.
func (s *Show) Tick(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	if s.inPlace && s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", s.drawn)
	}
	for _, line := range s.waiting {
		b.WriteString(line + "\n")
	}
	s.waiting = nil
	text := s.table(now)
	s.drawn = strings.Count(text, "\n")
	b.WriteString(text)
	_, _ = io.WriteString(s.out, b.String()) // a terminal that went away stops nothing
}

func (s *Show) table(now time.Time) string {
	docs := s.documents()
	if len(docs) == 0 {
		return ""
	}
	return fmt.Sprintf("\n%s since the start\n%s", report.Since(s.start, now), report.Live(docs))
}

func (s *Show) documents() []*results.Document {
	var docs []*results.Document
	for _, d := range s.docs {
		docs = append(docs, d)
	}
	slices.SortFunc(docs, func(a, b *results.Document) int { return strings.Compare(a.Experiment, b.Experiment) })
	return docs
}

// Summary is what the demo's last line says.
type Summary struct {
	Experiments    map[string]ExperimentSummary `json:"experiments"`
	Reconciliation struct {
		Difference int64 `json:"difference"`
	} `json:"reconciliation"`
	Events uint64 `json:"events"`
}

// ExperimentSummary is how one experiment ended up.
type ExperimentSummary struct {
	Verdict string       `json:"verdict"`
	SRM     string       `json:"srm"` // ok or alarm
	Kill    *KillSummary `json:"kill"`
}

// KillSummary dates the steps of a kill; a step that has not been is null.
type KillSummary struct {
	DecidedAt  *time.Time `json:"decided_at"`
	AppliedAt  *time.Time `json:"applied_at"`  // read back as off
	VerifiedAt *time.Time `json:"verified_at"` // exposures had stopped
}

// Summarize puts the last looks and the decision log together.
func (s *Show) Summarize() map[string]ExperimentSummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]ExperimentSummary{}
	for _, d := range s.documents() {
		sum := ExperimentSummary{Verdict: catalog.Overall(d), SRM: "ok"}
		if catalog.SRMAlarm(d) {
			sum.SRM = "alarm"
		}
		out[d.Experiment] = sum
	}
	for _, e := range s.entries {
		sum := out[e.Experiment]
		sum.Kill = sum.Kill.note(e)
		out[e.Experiment] = sum
	}
	return out
}

// note takes in one line of the decision log.
func (k *KillSummary) note(e guardrails.Entry) *KillSummary {
	at := e.At.UTC()
	switch {
	case e.Ramp != nil:
		return k
	case e.Kind == guardrails.Decided && e.Act == guardrails.DoKill:
		return &KillSummary{DecidedAt: &at}
	case k == nil:
		return nil
	case e.Kind == guardrails.Verified:
		k.AppliedAt = &at
	case e.Kind == guardrails.Effective:
		k.VerifiedAt = &at
	}
	return k
}
