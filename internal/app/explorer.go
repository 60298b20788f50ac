package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// What bounds analyses that people order by HTTP.
const (
	analysesAtOnce = 2                // each takes all threads of the server
	analysisLasts  = 30 * time.Minute // at most
	runsKept       = 64               // that are over, to be asked for
	mostName       = 100              // characters
)

// Explorer computes exploratory analyses for people who come by HTTP. How far a run is
// stands in this process's memory; what it finds is stored.
type Explorer struct {
	stack *Stack
	audit *slog.Logger
	now   func() time.Time

	life context.Context // of the process: a run goes on when who asked for it is gone
	all  sync.WaitGroup
	mu   sync.Mutex
	runs []*catalog.AnalysisRun // oldest first
}

// Explorer makes the service; what it computes ends with the stack.
func (s *Stack) Explorer(audit *slog.Logger) *Explorer {
	life, end := context.WithCancel(context.Background())
	x := &Explorer{stack: s, audit: audit, now: time.Now, life: life}
	s.onClose(func() error { end(); x.all.Wait(); return nil })
	return x
}

// Explore begins an analysis. What is wrong with the order is said at once.
func (x *Explorer) Explore(ctx context.Context, who access.Principal, o catalog.Exploration) (catalog.AnalysisRun, error) {
	run, err := x.begin(ctx, who, o)
	if err != nil {
		x.audit.Warn("act refused", "action", string(access.AdHoc), "experiment", o.Experiment, "iteration", o.Iteration,
			"actor", who.Name, "role", who.Role.String(), "code", string(acts.CodeOf(err)), "error", err)
	}
	return run, err
}

func (x *Explorer) begin(ctx context.Context, who access.Principal, o catalog.Exploration) (catalog.AnalysisRun, error) {
	none := catalog.AnalysisRun{}
	if who.Anonymous() || !who.May(access.AdHoc, access.Experiment{Key: o.Experiment}) {
		return none, &acts.Error{Code: acts.Forbidden, Err: fmt.Errorf("%s needs %s", access.AdHoc, access.AdHoc.Needs())}
	}
	if err := checkName(o.Name); err != nil {
		return none, err
	}
	v, err := x.stack.DB.Version(ctx)
	if err != nil {
		return none, fmt.Errorf("read the configuration in force: %w", err)
	}
	r := AnalysisRequest{Experiment: o.Experiment, Name: o.Name, Author: who.Name}
	if r.Iteration, r.Definition, err = x.read(ctx, &v, o, r); err != nil {
		return none, err
	}
	run, err := x.keep(r)
	if err != nil {
		return none, err
	}
	x.all.Go(func() { x.compute(&v, r, run) })
	return x.copyOf(run), nil
}

// read holds an order against the configuration and what was analysed before.
func (x *Explorer) read(ctx context.Context, v *experiment.Version, o catalog.Exploration, r AnalysisRequest) (uint32, results.AnalysisDefinition, error) {
	none := results.AnalysisDefinition{}
	e := v.Find(o.Experiment)
	if e == nil {
		return 0, none, &acts.Error{Code: acts.Unknown, Err: fmt.Errorf("experiment %s: %w", o.Experiment, experiment.ErrUnknown)}
	}
	it, err := iterationAnalysed(e, o.Iteration, x.now())
	if err != nil {
		return 0, none, &acts.Error{Code: acts.Unknown, Err: err}
	}
	if r.Definition, err = o.Wish.Definition(e, it); err == nil {
		_, _, err = r.Definition.Apply(e, it)
	}
	if err != nil {
		return 0, none, &acts.Error{Code: acts.Invalid, Err: err}
	}
	if _, err = x.stack.numberOf(ctx, r, it.Number); errors.Is(err, errNameTaken) {
		err = &acts.Error{Code: acts.Conflict, Err: err}
	}
	return it.Number, r.Definition, err
}

// checkName refuses what would not be found again in a list.
func checkName(name string) error {
	if utf8.RuneCountInString(name) > mostName || strings.ContainsFunc(name, unicode.IsControl) || strings.TrimSpace(name) != name {
		return &acts.Error{Code: acts.Invalid, Err: fmt.Errorf("a name has at most %d characters in one line, with no space around", mostName)}
	}
	return nil
}

// keep takes a run down, unless too many go on.
func (x *Explorer) keep(r AnalysisRequest) (*catalog.AnalysisRun, error) {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("name a run: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	going := 0
	for _, run := range x.runs {
		if run.State == catalog.AnalysisRunning {
			going++
		}
	}
	if going >= analysesAtOnce {
		return nil, &acts.Error{Code: acts.Busy, Err: fmt.Errorf("%d analyses are being computed: another one begins when one of these has ended", going)}
	}
	if over := len(x.runs) - going; over > runsKept {
		oldest := slices.IndexFunc(x.runs, func(run *catalog.AnalysisRun) bool { return run.State != catalog.AnalysisRunning })
		x.runs = slices.Delete(x.runs, oldest, oldest+1)
	}
	run := &catalog.AnalysisRun{
		ID: hex.EncodeToString(id), Experiment: r.Experiment, Iteration: r.Iteration, Name: r.Name, Changes: r.Definition.Words(),
		Author: r.Author, Began: x.now().UTC().Truncate(time.Millisecond), State: catalog.AnalysisRunning,
	}
	x.runs = append(x.runs, run)
	return run, nil
}

func (x *Explorer) copyOf(run *catalog.AnalysisRun) catalog.AnalysisRun {
	x.mu.Lock()
	defer x.mu.Unlock()
	return *run
}

// compute carries a run out.
func (x *Explorer) compute(v *experiment.Version, r AnalysisRequest, run *catalog.AnalysisRun) {
	ctx, cancel := context.WithTimeout(x.life, analysisLasts)
	defer cancel()
	r.Progress = func(done, total uint64) {
		x.mu.Lock()
		defer x.mu.Unlock()
		run.Done, run.Total = done, total
	}
	a, err := x.stack.Analyse(ctx, v, r, x.now())
	if err != nil {
		x.stack.Log.Error("analysis failed", "experiment", r.Experiment, "run", run.ID, "error", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case err == nil:
		run.State, run.Analysis = catalog.AnalysisDone, a.ID
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		run.State, run.Problem = catalog.AnalysisFailed, fmt.Sprintf("it was not done within %s", analysisLasts)
	case errors.Is(err, errNameTaken):
		run.State, run.Problem = catalog.AnalysisFailed, err.Error()
	default:
		run.State, run.Problem = catalog.AnalysisFailed, "it could not be computed: the program's log says why"
	}
}

// Run is how far one is.
func (x *Explorer) Run(_ context.Context, key, id string) (catalog.AnalysisRun, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, run := range x.runs {
		if run.ID == id && run.Experiment == key {
			return *run, nil
		}
	}
	return catalog.AnalysisRun{}, &catalog.Missing{What: "run " + id + " of " + key + " in this process", Hint: "what is done stands among the analyses"}
}

// Runs are those of an experiment that go on, or are over and not forgotten; newest first.
func (x *Explorer) Runs(_ context.Context, key string) []catalog.AnalysisRun {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []catalog.AnalysisRun
	for _, run := range slices.Backward(x.runs) {
		if run.Experiment == key {
			out = append(out, *run)
		}
	}
	return out
}

// Analyses are the stored ones of an experiment, oldest first; iteration 0 means all.
func (x *Explorer) Analyses(ctx context.Context, key string, iteration uint32) ([]catalog.AnalysisHead, error) {
	all, err := x.stack.Analyses(ctx, key, iteration)
	if err != nil {
		return nil, err
	}
	out := make([]catalog.AnalysisHead, len(all))
	for i := range all {
		out[i] = catalog.HeadOf(&all[i])
	}
	return out, nil
}

// Analysis is one of them, by its id or name.
func (x *Explorer) Analysis(ctx context.Context, key, which string) (*results.Analysis, error) {
	a, err := x.stack.Analysis(ctx, key, which)
	if errors.Is(err, clickhouse.ErrNotFound) {
		err = &catalog.Missing{What: fmt.Sprintf("analysis %q of %s", which, key), Hint: "its analyses are listed beside it"}
	}
	return a, err
}
