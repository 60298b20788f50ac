package catalog

import (
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// Exploration orders an exploratory analysis.
type Exploration struct {
	Experiment string
	Iteration  uint32 // 0: the one that runs, or ran last
	Name       string // under which it is saved; "": it is stored without one
	Wish       results.AnalysisWish
}

// Words for how far an analysis is that is computed on request.
const (
	AnalysisRunning = "running"
	AnalysisDone    = "done"
	AnalysisFailed  = "failed"
)

// AnalysisRun is an analysis that is being computed, or was a while ago.
type AnalysisRun struct {
	ID         string    `json:"id"`
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"`
	Name       string    `json:"name,omitempty"`
	Changes    []string  `json:"changes"` // of the plan, in words
	Author     string    `json:"author"`
	Began      time.Time `json:"began"`
	State      string    `json:"state"` // running, done or failed
	Done       uint64    `json:"done"`  // stored events that were read
	Total      uint64    `json:"total"` // of so many; 0: not known yet
	Analysis   string    `json:"analysis,omitempty"`
	Problem    string    `json:"problem,omitempty"` // why it failed
}

// AnalysisHead is a stored analysis without its numbers.
type AnalysisHead struct {
	ID          string            `json:"id"`
	Name        string            `json:"name,omitempty"` // empty: it was only run
	Exploratory bool              `json:"exploratory"`    // always true
	Notice      string            `json:"notice"`         // what that means, for people
	Experiment  string            `json:"experiment"`
	Iteration   uint32            `json:"iteration"`
	Changes     []string          `json:"changes"` // of the plan, in words
	Author      string            `json:"author"`
	At          time.Time         `json:"at"`
	Version     uint32            `json:"version"`
	Code        string            `json:"code"`
	Number      int               `json:"number"` // of the iteration's different analyses
	Level       float64           `json:"level"`  // what a p-value must be below to stand for all of them
	Caps        map[string]string `json:"caps,omitempty"`
	Warnings    []results.Doubt   `json:"warnings,omitempty"`
}

// HeadOf is an analysis without its numbers.
func HeadOf(a *results.Analysis) AnalysisHead {
	return AnalysisHead{
		ID: a.ID, Name: a.Name, Exploratory: true, Notice: a.Notice, Experiment: a.Experiment, Iteration: a.Iteration, Changes: a.Changes,
		Author: a.Author, At: a.At, Version: a.Version, Code: a.Code, Number: a.Number, Level: a.Level, Caps: a.Caps, Warnings: a.Warnings,
	}
}
