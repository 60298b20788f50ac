package guardrails

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// ErrNoEvidence says that a line of the decision log rests on no look: it was
// written by hand, or continues an earlier one.
var ErrNoEvidence = errors.New("it rests on no look")

// Replayed is a line of the decision log that was decided again.
type Replayed struct {
	Decision uint64    `json:"decision"`
	Kind     EntryKind `json:"kind"`
	Was      any       `json:"was"` // a Verdict; of a sample-ratio alarm its results.SRM, of a ramp's line its Move
	Is       any       `json:"is"`
	// Differences are what came out otherwise than then: integers, words and times by
	// themselves, other numbers beyond 12 significant digits.
	Differences []Difference `json:"differences,omitempty"`
}

// Same tells whether everything came out as it was.
func (r Replayed) Same() bool { return len(r.Differences) == 0 }

// judgement is what a replay compares: the numbers that a verdict is made of, as
// they follow from the exact sums, and what was said of them.
type judgement struct {
	Open    []Stratum `json:"open"`
	Matured []Stratum `json:"matured"`
	Verdict Verdict   `json:"verdict"`
}

// Replay decides again what the entry decided, from its evidence alone: from the
// exact sums to the moments, from these to the tests, the verdict and the act.
func (e Entry) Replay() (Replayed, error) {
	switch {
	case len(e.Evidence) == 0:
	case e.Kind == SRMAlarm:
		return e.replaySplit()
	case e.Kind == Decided, e.Kind == Held:
		return e.replayVerdict()
	case e.Kind.Moves() && e.Ramp != nil:
		return e.replayMove()
	}
	return Replayed{}, ErrNoEvidence
}

func (e Entry) replayVerdict() (Replayed, error) {
	var evidence Evidence
	if err := json.Unmarshal(e.Evidence, &evidence); err != nil {
		return Replayed{}, fmt.Errorf("decode the evidence of decision %d: %w", e.Seq, err)
	}
	o := evidence.recount()
	is := evidence.Replay()
	was := evidence.Observation
	return Replayed{
		Decision: e.Seq, Kind: e.Kind, Was: evidence.Verdict, Is: is,
		Differences: differences(judgement{was.Open, was.Matured, evidence.Verdict}, judgement{o.Open, o.Matured, is}),
	}, nil
}

// replayMove decides again where the ramp goes.
func (e Entry) replayMove() (Replayed, error) {
	var evidence RampEvidence
	if err := json.Unmarshal(e.Evidence, &evidence); err != nil {
		return Replayed{}, fmt.Errorf("decode the evidence of decision %d: %w", e.Seq, err)
	}
	var is Move
	if again := evidence.Replay(); again.Move != nil {
		is = *again.Move
	}
	return Replayed{Decision: e.Seq, Kind: e.Kind, Was: *e.Ramp, Is: is, Differences: differences(*e.Ramp, is)}, nil
}

// replaySplit tests the split again that an alarm was raised for.
func (e Entry) replaySplit() (Replayed, error) {
	var p results.Phase
	if err := json.Unmarshal(e.Evidence, &p); err != nil {
		return Replayed{}, fmt.Errorf("decode the evidence of decision %d: %w", e.Seq, err)
	}
	units, shares := make([]int64, len(p.Arms)), make([]float64, len(p.Arms))
	for i, a := range p.Arms {
		units[i], shares[i] = a.Units+a.Excluded, a.Share
	}
	s := stats.SampleRatio(units, shares)
	is := p.SRM
	is.P, is.LogBF, is.ChiSquare, is.ChiSquareP = results.Number(s.P), results.Number(s.LogBF), results.Number(s.ChiSquare), results.Number(s.ChiSquareP)
	is.Threshold = stats.SRMThreshold(int(p.Number))
	is.Alarm = s.P < is.Threshold
	return Replayed{Decision: e.Seq, Kind: e.Kind, Was: p.SRM, Is: is, Differences: differences(p.SRM, is)}, nil
}

// recount is the observation with its moments computed again from the exact sums.
// Evidence from before these were kept has the moments alone.
func (e Evidence) recount() Observation {
	o := e.Observation
	if len(e.Cells) == 0 {
		return o
	}
	arms := &pairSums{rule: e.Rule, cells: e.Cells}
	again := func(strata []Stratum, pick func(*results.CellSums) *results.Exact) []Stratum {
		var out []Stratum
		for _, s := range strata {
			out = append(out, arms.stratum(s.Phase, s.Share, pick))
		}
		return out
	}
	o.Open, o.Matured = again(o.Open, openExact), again(o.Matured, maturedExact)
	return o
}
