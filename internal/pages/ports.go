package pages

import (
	"context"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
)

// Reader is what was looked at and decided. What is not there is a *catalog.Missing.
type Reader interface {
	Rows(ctx context.Context) ([]catalog.Row, error)
	// Detail is of an experiment's iteration, 0 for the current one.
	Detail(ctx context.Context, key string, iteration uint32) (catalog.Detail, error)
	Health(ctx context.Context) (catalog.Health, error)
	// Past is what earlier looks at the same iteration showed.
	Past(ctx context.Context, d *catalog.Detail) (Past, error)
	// Log is the decision log, oldest first, with the hash that vouches for it; of one
	// experiment, or with an empty key of all.
	Log(ctx context.Context, key string) (entries []guardrails.Entry, head string, err error)
}

// Explorer computes exploratory analyses, and has those that are stored, oldest first.
type Explorer interface {
	Explore(ctx context.Context, who access.Principal, o catalog.Exploration) (catalog.AnalysisRun, error)
	Runs(ctx context.Context, key string) []catalog.AnalysisRun
	Analyses(ctx context.Context, key string, iteration uint32) ([]catalog.AnalysisHead, error)
	Analysis(ctx context.Context, key, which string) (*results.Analysis, error)
}

// Past is what earlier looks showed, oldest first.
type Past struct {
	Effects  map[Series][]plots.Point // of all units so far
	Verdicts []Judged                 // of all guardrails together
	Lanes    []Lane                   // of each guardrail in each arm
	Signals  *signals.Report          // nil: the file names none
}

// Lane is what one guardrail said of one arm through time.
type Lane struct {
	Series
	Verdicts []Judged
}

// Series names a metric of an arm through time.
type Series struct{ Metric, Arm string }

// Judged is what was said at a time.
type Judged struct {
	At      time.Time
	Verdict string
}

// Privacy says what is stored of an experiment's units. What is not there is a
// *catalog.Missing.
type Privacy interface {
	PrivacyNotice(ctx context.Context, key string) (privacy.Notice, error)
}

// Governance says whether an experiment may begin, and what is left to say of it. What is
// not there is a *catalog.Missing.
type Governance interface {
	Readiness(ctx context.Context, key string, lift, power float64) (governance.Readiness, error)
	Writeup(ctx context.Context, key string) (*catalog.Writeup, error)
}

// Effects are what experiments have shown.
type Effects interface {
	FindPast(ctx context.Context, q catalog.FoundQuery) (catalog.FoundPage, error)
}

// Explainer tells what became of each event of a unit.
type Explainer interface {
	ExplainUnit(ctx context.Context, experiment, unit string) ([]catalog.Explained, error)
}

// Planner says what can be found; planning.ErrLate where that takes too long.
type Planner interface {
	Plan(ctx context.Context, comparisons []planning.Comparison, q planning.Question) ([]planning.Answer, error)
}

// Hand is what people do by hand. It asks whether they may, and whether they act on the
// iteration that they saw.
type Hand interface {
	Kill(ctx context.Context, who access.Principal, o acts.Kill) (guardrails.Kill, error)
	Drill(ctx context.Context, who access.Principal, o acts.Kill) (acts.Drill, error)
	Resume(ctx context.Context, who access.Principal, o acts.Resume) (*experiment.Version, error)
	Snooze(ctx context.Context, who access.Principal, o acts.Snooze) (time.Time, error)
	Acknowledge(ctx context.Context, who access.Principal, o acts.Acknowledge) error
	Note(ctx context.Context, who access.Principal, o acts.Note) (uint64, error)
	Approve(ctx context.Context, who access.Principal, o acts.Approve) (*governance.Proposal, error)
	Ramp(ctx context.Context, who access.Principal, o acts.Ramp) (acts.Ramped, error)
}
