package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
)

// TestExplorer: an order begins a run that ends among the stored analyses, under the
// person's name; what is wrong with an order is said at once, by its code, and begins
// nothing.
func TestExplorer(t *testing.T) {
	w := newAnalysed(t)
	x := w.Explorer(slog.New(slog.DiscardHandler))
	ann := access.Principal{Name: "ann", Role: access.Analyst, Login: "token"}
	run, err := x.Explore(t.Context(), ann, catalog.Exploration{Experiment: "cta", Name: "long", Wish: results.AnalysisWish{Window: "4d"}})
	if err != nil || run.State != catalog.AnalysisRunning || run.Author != "ann" || run.Iteration != 1 || len(run.Changes) != 1 || run.Changes[0] != "window 4d" {
		t.Fatalf("%+v, %v", run, err)
	}
	x.all.Wait()
	if run, err = x.Run(t.Context(), "cta", run.ID); err != nil || run.State != catalog.AnalysisDone || run.Done == 0 || run.Done != run.Total {
		t.Fatalf("%+v, %v", run, err)
	}
	all, err := x.Analyses(t.Context(), "cta", 0)
	if err != nil || len(all) != 1 || all[0].ID != run.Analysis || all[0].Author != "ann" || !all[0].Exploratory || all[0].Name != "long" {
		t.Errorf("%+v, %v", all, err)
	}
	if a, err := x.Analysis(t.Context(), "cta", run.Analysis); err != nil || a.Document == nil || a.Name != "long" {
		t.Errorf("%v", err)
	}
	var missing *catalog.Missing
	if _, err := x.Analysis(t.Context(), "cta", "short"); !errors.As(err, &missing) {
		t.Errorf("an analysis that is not there: %v", err)
	}
	if _, err := x.Run(t.Context(), "other", run.ID); !errors.As(err, &missing) {
		t.Errorf("a run of another experiment: %v", err)
	}

	viewer := access.Principal{Name: "vi", Role: access.Viewer, Login: "token"}
	for _, c := range []struct {
		who  access.Principal
		o    catalog.Exploration
		code acts.Code
	}{
		{viewer, catalog.Exploration{Experiment: "cta"}, acts.Forbidden},
		{access.Principal{Role: access.Analyst}, catalog.Exploration{Experiment: "cta"}, acts.Forbidden},
		{ann, catalog.Exploration{Experiment: "nope"}, acts.Unknown},
		{ann, catalog.Exploration{Experiment: "cta", Iteration: 4}, acts.Unknown},
		{ann, catalog.Exploration{Experiment: "cta", Wish: results.AnalysisWish{Window: "long"}}, acts.Invalid},
		{ann, catalog.Exploration{Experiment: "cta", Wish: results.AnalysisWish{Only: []string{"nope"}}}, acts.Invalid},
		{ann, catalog.Exploration{Experiment: "cta", Name: "two\nlines"}, acts.Invalid},
		{ann, catalog.Exploration{Experiment: "cta", Name: "long", Wish: results.AnalysisWish{Window: "5d"}}, acts.Conflict},
	} {
		if _, err := x.Explore(t.Context(), c.who, c.o); acts.CodeOf(err) != c.code {
			t.Errorf("%+v by %q: %v, want %s", c.o, c.who.Name, err, c.code)
		}
	}
	if runs := x.Runs(t.Context(), "cta"); len(runs) != 1 {
		t.Errorf("%d runs, want the one that was begun", len(runs))
	}
}

// TestExplorerIsBounded: so many run at once and no more, and of those that are over
// the oldest are forgotten.
func TestExplorerIsBounded(t *testing.T) {
	x := &Explorer{now: time.Now}
	var going []*catalog.AnalysisRun
	for range analysesAtOnce {
		run, err := x.keep(AnalysisRequest{Experiment: "cta"})
		if err != nil {
			t.Fatal(err)
		}
		going = append(going, run)
	}
	if _, err := x.keep(AnalysisRequest{Experiment: "cta"}); acts.CodeOf(err) != acts.Busy || !strings.Contains(err.Error(), "being computed") {
		t.Errorf("one too many: %v", err)
	}
	first := going[0].ID
	for range runsKept + 1 {
		going[0].State = catalog.AnalysisDone
		var err error
		if going[0], err = x.keep(AnalysisRequest{Experiment: "cta"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(x.runs); n != runsKept+analysesAtOnce {
		t.Errorf("%d runs are kept", n)
	}
	if _, err := x.Run(t.Context(), "cta", first); err == nil {
		t.Error("the oldest is known still")
	}
	if _, err := x.Run(t.Context(), "cta", going[1].ID); err != nil {
		t.Error("one that goes on is forgotten")
	}
}
