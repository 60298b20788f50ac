package guardrails

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrNoEvidence says that a line of the decision log rests on no look: it was
// written by hand, or continues an earlier one.
var ErrNoEvidence = errors.New("it rests on no look")

// Replay decides again what the entry decided, from its evidence alone. was is the
// verdict of then; of the same program the two are equal.
func (e Entry) Replay() (was, is Verdict, err error) {
	if e.Kind != Decided && e.Kind != Held || len(e.Evidence) == 0 {
		return was, is, ErrNoEvidence
	}
	var evidence Evidence
	if err := json.Unmarshal(e.Evidence, &evidence); err != nil {
		return was, is, fmt.Errorf("decode the evidence of decision %d: %w", e.Seq, err)
	}
	return evidence.Verdict, evidence.Replay(), nil
}
