package pages

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestAnalyze: the form says what the engine is asked for, and leads to where the
// progress is.
func TestAnalyze(t *testing.T) {
	w := newWorld(t)
	got := send(w.mux(operator), "/experiments/checkout-button/analyze", url.Values{
		"name": {" german "}, "window": {"14d"}, "cap": {"p99"}, "where": {"country=DE\r\n\r\n platform = ios "}, "from": {"2026-03-01T00:00:00Z"},
		"only": {"revenue", "nothing of the plan"}, "file": {"name: large\r\n"},
	})
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/experiments/checkout-button/analyses" {
		t.Fatalf("status %d, to %q", got.Code, got.Header().Get("Location"))
	}
	want := []catalog.Exploration{{Experiment: "checkout-button", Iteration: 1, Name: "german", Wish: results.AnalysisWish{
		Window: "14d", Cap: "p99", Where: map[string]string{"country": "DE", "platform": "ios"}, From: "2026-03-01T00:00:00Z",
		Files: []experiment.File{{Name: "metric", Data: []byte("name: large\n")}}, Only: []string{"revenue"},
	}}}
	if diff := cmp.Diff(want, w.explored); diff != "" {
		t.Error(diff)
	}
}

// TestAnalyzeRefused: a no says why and keeps what was filled in.
func TestAnalyzeRefused(t *testing.T) {
	for _, c := range []struct {
		form   url.Values
		err    error
		status int
	}{
		{url.Values{"name": {"mine"}, "where": {"country"}}, nil, http.StatusUnprocessableEntity},
		{url.Values{"name": {"mine"}}, &acts.Error{Code: acts.Invalid, Err: http.ErrNoCookie}, http.StatusUnprocessableEntity},
		{url.Values{"name": {"mine"}}, &acts.Error{Code: acts.Conflict, Err: http.ErrNoCookie}, http.StatusConflict},
		{url.Values{"name": {"mine"}}, &acts.Error{Code: acts.Busy, Err: http.ErrNoCookie}, http.StatusTooManyRequests},
	} {
		w := newWorld(t)
		w.fails = c.err
		got := send(w.mux(operator), "/experiments/checkout-button/analyze", c.form)
		if body := got.Body.String(); got.Code != c.status || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, `value="mine"`) {
			t.Errorf("%v, %v: status %d", c.form, c.err, got.Code)
		}
	}
	viewer := access.Principal{Name: "vi", Role: access.Viewer, Login: "session"}
	if body := get(newWorld(t).mux(viewer), "/experiments/checkout-button/analyze").Body.String(); strings.Contains(body, "<form class") || !strings.Contains(body, "role analyst") {
		t.Error("a viewer is offered the form, or not told who may")
	}
}

// TestAnalysisPage: what it changes, that it is exploratory, and of better and worse
// only what stands for all analyses.
func TestAnalysisPage(t *testing.T) {
	w := newWorld(t)
	w.analyse("checkout-button", "019a", "german", 2)
	w.analyse("checkout-button", "019b", "", 1_000_000_000).Level = 0
	h := w.mux(reader)
	many, one := get(h, "/experiments/checkout-button/analyses/019b").Body.String(), html.UnescapeString(get(h, "/experiments/checkout-button/analyses/german").Body.String())
	for _, want := range []string{"Exploratory", "window 14d", `country "DE"`, "one of 2 analyses", "the cap of revenue became 250", "the iteration ends before the last window", "by ann", "below 0.025", ">better<"} {
		if !strings.Contains(one, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(many, ">better<") || !strings.Contains(many, "not shown") {
		t.Error("one of a billion analyses has shown something")
	}
	if got := get(h, "/experiments/checkout-button/analyses/nothing"); got.Code != http.StatusNotFound {
		t.Errorf("one that is not there: status %d", got.Code)
	}
	list := html.UnescapeString(get(h, "/experiments/checkout-button/analyses").Body.String())
	if i, k := strings.Index(list, "without a name"), strings.Index(list, "german"); i < 0 || k < i {
		t.Errorf("the list does not begin with the newest: %d, %d", i, k)
	}
}

// TestAnalysisProgress: the list shows how far a run is, and is another page when it
// has come further.
func TestAnalysisProgress(t *testing.T) {
	w := newWorld(t)
	w.runs = []catalog.AnalysisRun{{ID: "1", Experiment: "checkout-button", State: catalog.AnalysisRunning, Done: 10, Total: 40}}
	h := w.mux(reader)
	first := get(h, "/experiments/checkout-button/analyses")
	if body := first.Body.String(); !strings.Contains(body, `max="40" value="10"`) || !strings.Contains(body, "data-live") {
		t.Errorf("no progress: %s", body)
	}
	w.runs[0].Done, w.runs[0].State, w.runs[0].Analysis = 40, catalog.AnalysisDone, "019a"
	again := get(h, "/experiments/checkout-button/analyses", "If-None-Match", first.Header().Get("ETag"))
	if again.Code != http.StatusOK || !strings.Contains(again.Body.String(), "/analyses/019a") {
		t.Errorf("status %d when it is done", again.Code)
	}
}
