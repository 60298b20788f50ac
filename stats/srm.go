package stats

import "math"

// SRM is the sample-ratio test of one phase: do the arms have the intended shares?
type SRM struct {
	Counts     []int64
	Shares     []float64 // normalised to sum to one
	LogBF      float64   // log Bayes factor of "the shares are wrong" against "they are as intended"
	P          float64   // min(1, 1/BF): valid at every look
	ChiSquare  float64   // for display: valid at one look only
	ChiSquareP float64
	Warnings   []Warning
}

// SampleRatio tests counts against shares.
func SampleRatio(counts []int64, shares []float64) SRM { panic("todo") }

// SRMThreshold is the p below which phase (1, 2, …) of an iteration raises the
// sample-ratio alarm: 0.01·2^−phase, so that all phases together spend 0.01.
func SRMThreshold(phase int) float64 { return 0.01 * math.Pow(2, -float64(max(phase, 1))) }
