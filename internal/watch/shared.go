package watch

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/guardrails"
)

// sharedKey is the matter of what blinds experiments together: a consumer that stands
// still is one night's work, however many experiments count by it.
const sharedKey = "blind/shards"

// isShared tells whether a reason lies in the shards and not in an experiment.
func isShared(r guardrails.Reason) bool {
	switch r {
	case guardrails.NoStatus, guardrails.Stale, guardrails.ClockSkew, guardrails.Gap, guardrails.Partitions,
		guardrails.BrokenChain, guardrails.MisplacedUnits, guardrails.ShardStopped, guardrails.NodeAway:
		return true
	}
	return false
}

// shared is what blinds experiments together in one round.
type shared struct {
	any     bool
	lasting []string            // experiments that are blind for long enough to be told
	verdict *guardrails.Verdict // of the first of them
}

func (s *shared) add(v *guardrails.Verdict, lasting bool) {
	s.any = true
	if !lasting {
		return
	}
	s.lasting = append(s.lasting, v.Rule.Experiment)
	if s.verdict == nil {
		s.verdict = v
	}
}

// mostNamed is how many experiments an alert names one by one.
const mostNamed = 10

func (s *shared) names() string {
	named := s.lasting[:min(len(s.lasting), mostNamed)]
	text := strings.Join(named, ", ")
	if more := len(s.lasting) - len(named); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// tellShared raises one alert for all experiments that the same shards blind, again for
// each other reason, and ends it when none is blinded by a shard any more.
func (w *Watch) tellShared() {
	s := w.shared
	w.shared = shared{}
	switch {
	case !s.any:
		w.alerts.resolveKey(sharedKey, w.now(), "no shard blinds an experiment any more", "")
	case len(s.lasting) > 0:
		w.alerts.raise(Alert{
			Key: sharedKey, Matter: BlindMatter, Reason: string(s.verdict.Reason), At: s.verdict.At,
			Title: fmt.Sprintf("experiments cannot be judged: %s", s.verdict.Reason),
			Text:  fmt.Sprintf("%s (%d of them: %s)", s.verdict.Text, len(s.lasting), s.names()),
		})
	}
}
