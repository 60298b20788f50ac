package stats

import (
	"math"
	"slices"
)

// Sample is a number that was read at a time, in any unit of time.
type Sample struct{ At, Value float64 }

// Shift is by how much the level of a series changes at a step.
type Shift struct {
	// Estimate is the step's coefficient, with the degrees of freedom of the blocks.
	Estimate

	Before, After float64 // mean of the samples on either side
	Drift         float64 // of the level, each unit of time, before and after alike
	Memory        float64 // readings that tell as much as one independent reading does: 1 without autocorrelation
	Blocks        [2]int  // before and after; 0 where nothing is estimated
	Warnings      []Warning
}

const (
	// blockMemories is how many times the memory a block is long. Measured with an hour of
	// readings on either side, AR(1) noise of 0.8: with two, the change is called in 8 % of
	// what is judged at α = 5 %, with three in 6 to 7 %, and with four little of it is judged.
	blockMemories = 3
	fewestBlocks  = 4  // on either side; below, a t of so few degrees of freedom finds nothing
	mostBlocks    = 12 // more take a shorter block and gain next to nothing
)

// ShiftAt compares the level of a series before and after a step at a known time by
// segmented regression (Wagner et al. 2002), on the means of blocks:
//
//	mean of block = level + drift·time + shift·[after the step] + error
//
// Readings of a service follow one another closely, so a t-test of readings would call
// nearly anything a change. A block is three times as long as the series remembers: the
// integrated autocorrelation time of the residuals by Geyer's (1992) initial positive
// sequence, or of AR(1) with Kendall's (1954) correction, of the readings or, where it shows
// clearly there, of their means, whichever is longest. Means of
// such blocks are nearly independent and nearly normal (batch means, Schmeiser 1982), and
// the shift has the t distribution of ordinary least squares. With fewer than four
// blocks on a side nothing is said: the Estimate is NaN, with the warning FewBlocks.
// Readings that don't differ have the error 0, with the warning ZeroVariance.
//
// Both sides are in the order of time and end and begin at the step; NaN and infinite
// readings are an error of the caller and have no basis either. A shift is no effect:
// nobody was randomised, and whatever else happens at the step is in it.
func ShiftAt(before, after []Sample) Shift {
	out := Shift{Estimate: Estimate{math.NaN(), math.NaN(), 0}, Before: meanReading(before), After: meanReading(after), Drift: math.NaN(), Memory: math.NaN()}
	fit, ok := segmented(before, after)
	if !ok {
		return out.unknown("there are too few readings on one side of the step")
	}
	if unvarying(fit.residuals, before, after) {
		out.Estimate = Estimate{Value: out.After - out.Before, DoF: 1}
		out.Warnings = append(out.Warnings, Warning{ZeroVariance, "the readings of a side do not differ, so there is no error to judge a step by"})
		return out
	}
	out.Memory = memory(fit.residuals)
	length := blockMemories * out.Memory
	blocks := [2]int{blocksOf(before, length), blocksOf(after, length)}
	if min(blocks[0], blocks[1]) < fewestBlocks {
		return out.unknown("the series moves too slowly for so few readings: what looks like a step may be its own drift")
	}
	fit, ok = segmented(inBlocks(before, blocks[0]), inBlocks(after, blocks[1]))
	if !ok || fit.Rank < len(fit.columns) {
		return out.unknown("the readings have no spread in time")
	}
	out.Blocks, out.Drift, out.Estimate = blocks, fit.Coefficients[1], fit.Coefficient(2, Classic)
	return out
}

// unvarying tells whether nothing is left of the readings but how numbers are rounded.
func unvarying(residuals []float64, sides ...[]Sample) bool {
	largest := 0.0
	for _, s := range slices.Concat(sides...) {
		largest = math.Max(largest, math.Abs(s.Value))
	}
	return dot(residuals, residuals) <= 1e-24*float64(len(residuals))*largest*largest
}

func (s Shift) unknown(why string) Shift {
	s.Warnings = append(s.Warnings, Warning{FewBlocks, why})
	return s
}

// segmented fits a level, a drift and a step. Times count from the step.
func segmented(before, after []Sample) (Regression, bool) {
	n := len(before) + len(after)
	if len(before) < 2 || len(after) < 2 {
		return Regression{}, false
	}
	y, ones, time, step := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		at, side := i, before
		if i >= len(before) {
			at, side, step[i] = i-len(before), after, 1
		}
		y[i], ones[i], time[i] = side[at].Value, 1, side[at].At-after[0].At
	}
	r := Regress(y, [][]float64{ones, time, step})
	return r, r.residuals != nil
}

// memory is the integrated autocorrelation time of residuals, in readings: 1 + 2Σρ, at
// the scale of the readings and of means of 2, 4, 8 … of them.
func memory(residuals []float64) float64 {
	longest := math.Max(1, initialPositive(residuals))
	for scale, means := 1.0, residuals; len(means) >= fewestMeans; scale, means = 2*scale, halved(means) {
		if r := firstOrder(means); scale == 1 || r*math.Sqrt(float64(len(means))) > 2 {
			longest = math.Max(longest, scale*(1+r)/math.Max(1-r, 0))
		}
	}
	return longest
}

// fewestMeans have an autocorrelation that is worth estimating.
const fewestMeans = 24

// autocorrelation is that of residuals, which have the mean zero.
func autocorrelation(residuals []float64, lag int) float64 {
	zero := dot(residuals, residuals)
	if !(zero > 0) {
		return 0
	}
	return dot(residuals[lag:], residuals[:len(residuals)-lag]) / zero
}

// firstOrder is the autocorrelation at lag 1, with what a fit of three coefficients hides
// of it on average (Kendall 1954, for a mean alone: 1 + 3ρ).
func firstOrder(residuals []float64) float64 {
	r := autocorrelation(residuals, 1)
	return math.Min(r+(3+5*r)/float64(len(residuals)), 1)
}

// initialPositive is Geyer's (1992) estimate: sums of neighbouring correlations as long as
// they are positive.
func initialPositive(residuals []float64) float64 {
	sum := 0.0
	for lag := 0; lag+1 < len(residuals)/2; lag += 2 {
		pair := autocorrelation(residuals, lag) + autocorrelation(residuals, lag+1)
		if pair <= 0 {
			break
		}
		sum += pair
	}
	return 2*sum - 1
}

// halved are the means of neighbours.
func halved(values []float64) []float64 {
	out := make([]float64, len(values)/2)
	for i := range out {
		out[i] = (values[2*i] + values[2*i+1]) / 2
	}
	return out
}

// blocksOf is how many blocks of at least that length the samples make.
func blocksOf(samples []Sample, length float64) int {
	return int(math.Min(mostBlocks, float64(len(samples))/math.Ceil(length)))
}

// inBlocks are the means of so many blocks, of lengths that differ by one at most.
func inBlocks(samples []Sample, blocks int) []Sample {
	out := make([]Sample, blocks)
	for i := range out {
		part := samples[i*len(samples)/blocks : (i+1)*len(samples)/blocks]
		for _, s := range part {
			out[i].At += s.At / float64(len(part))
		}
		out[i].Value = meanReading(part)
	}
	return out
}

// meanReading is NaN without samples.
func meanReading(samples []Sample) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	mean := 0.0
	for i, s := range samples {
		mean += (s.Value - mean) / float64(i+1)
	}
	return mean
}
