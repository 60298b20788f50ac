package experiment

import "fmt"

// Kept is the share of the phase's units that are measured, 0..1.
func (p *Phase) Kept() float64 {
	if p.Sample == 0 {
		return 1
	}
	return p.Sample
}

// Samples tells whether a phase of the iteration measures some of its units only.
func (it *Iteration) Samples() bool {
	return it.Phases[len(it.Phases)-1].Sample != 0 // it never rises
}

// sample is what a phase writes, after the phase before it (0: all).
//
// It never rises within an iteration: units that were left out before would come in
// when they are seen again, and who is seen again may depend on the variant that they
// had been shown unrecorded. Those that are left in a lower share were in every higher.
func (e *experimentFile) sample(path string, share, before float64) float64 {
	was := (&Phase{Sample: before}).Kept()
	switch {
	case PartsOf(share) == 0:
		e.refuse(path, RuleSample, "nobody would be measured", "write a share above 0%, such as 10%; to end the measuring, end the iteration")
	case share > was:
		e.refuse(path, RuleSample, fmt.Sprintf("sample cannot rise from %s to %s within an iteration", percent(was), percent(share)),
			"units left out so far would come in by coming back, which their variant may have led to; "+hintNewIteration)
	case share < 1:
		return share
	}
	return before
}
