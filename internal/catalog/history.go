package catalog

import (
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// Stretch is which looks of an iteration are asked for.
type Stretch struct {
	Experiment string
	Iteration  uint32 // 0: the one that runs, or ran last
	Metric     string // "": all
	Arm        string // "": all
	From, To   time.Time
	Points     int // at most so many of each series, evenly spread over the time; 0: as many as a plot shows
}

// Series is one metric of one arm over time.
type Series struct {
	Metric string  `json:"metric"`
	Arm    string  `json:"arm"`
	Points []Point `json:"points"` // the oldest first
}

// Point is what one stored look said.
type Point struct {
	At      time.Time `json:"at"`
	Look    string    `json:"look"`
	Open    Measured  `json:"open"`    // of all units so far
	Matured Measured  `json:"matured"` // of units whose windows had passed
}

// Measured is an effect with both intervals.
type Measured struct {
	Units    Units `json:"units"`
	Absolute Span  `json:"absolute"`
	Relative Span  `json:"relative"`
}

// Span is an estimate with the interval for one look and the one that holds at every look.
type Span struct {
	Estimate   results.Number   `json:"estimate"`
	Fixed      results.Interval `json:"fixed"`
	Sequential results.Interval `json:"sequential"`
}

// SplitPoint is the split of one phase in one stored look.
type SplitPoint struct {
	At    time.Time        `json:"at"`
	Look  string           `json:"look"`
	Phase uint16           `json:"phase"`
	Units map[string]int64 `json:"units"` // of each arm, by first exposure
	P     results.Number   `json:"p"`     // of the sample-ratio test, for every look
}
