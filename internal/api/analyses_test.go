package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// fakeExplorer has one analysis and takes down what it is asked for.
type fakeExplorer struct {
	world *world
	asked []catalog.Exploration
	who   []string
	fail  error // of orders
}

func testAnalysis() results.Analysis {
	d := testDocument()
	d.Kind, d.Exploratory = results.KindAnalysis, "exploratory: analysis 3 of iteration 1"
	return results.Analysis{
		ID: "019c9a3f210-aa", Name: "=german", Exploratory: true, Notice: d.Exploratory, Experiment: d.Experiment, Iteration: 1,
		Definition: results.AnalysisDefinition{Where: experiment.Condition{"country": "DE"}}, Changes: []string{`units first exposed with country "DE"`, "window 14d"},
		Author: "ada", At: looked, Version: 7, Code: "v1", Vector: d.Vector, Number: 3, Level: 0.05 / 3, Caps: map[string]string{"revenue": "250"},
		Warnings: []results.Doubt{{Code: results.ExploratoryDoubt, Text: d.Exploratory}}, Document: d,
	}
}

func (f *fakeExplorer) Explore(_ context.Context, who access.Principal, o catalog.Exploration) (catalog.AnalysisRun, error) {
	f.asked, f.who = append(f.asked, o), append(f.who, who.Name)
	run, _ := f.Run(context.Background(), o.Experiment, "00ff")
	return run, f.fail
}

func (f *fakeExplorer) Run(_ context.Context, key, id string) (catalog.AnalysisRun, error) {
	if id != "00ff" {
		return catalog.AnalysisRun{}, &catalog.Missing{What: "run " + id}
	}
	return catalog.AnalysisRun{ID: id, Experiment: key, Iteration: 1, Changes: []string{"window 14d"}, Author: "ada", Began: looked,
		State: catalog.AnalysisRunning, Done: 10, Total: 40}, f.world.failure
}

func (f *fakeExplorer) Analyses(context.Context, string, uint32) ([]catalog.AnalysisHead, error) {
	old, young := testAnalysis(), testAnalysis()
	old.ID, old.Name = "019c9a3f210-99", ""
	return []catalog.AnalysisHead{catalog.HeadOf(&old), catalog.HeadOf(&young)}, f.world.failure
}

func (f *fakeExplorer) Analysis(_ context.Context, key, which string) (*results.Analysis, error) {
	a := testAnalysis()
	if key != a.Experiment || which != a.ID && which != a.Name {
		return nil, &catalog.Missing{What: fmt.Sprintf("analysis %q", which)}
	}
	return &a, f.world.failure
}

// TestStartAnalysis: all of an order reaches who computes it, with who gave it; the
// answer says where the progress is.
func TestStartAnalysis(t *testing.T) {
	w := newWorld()
	a, h := serve(t, w)
	h = as(h)
	const body = `{"name":"german","iteration":2,"window":"14d","cap":"p99","where":{"country":"DE"},"first_from":"2026-03-01T00:00:00Z","first_till":"2026-03-08T00:00:00Z",
		"metrics":["name: large"],"only":["revenue"],"quantiles":{"revenue":0.9}}`
	r := do(h, "POST", Prefix+"/experiments/checkout-cta/analyses", body)
	newContract(t, a, h).holds(t, "POST", Prefix+"/experiments/checkout-cta/analyses", r)
	if r.StatusCode != http.StatusAccepted || !strings.Contains(r.body, `"state":"running","done":10,"total":40`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if got := do(h, "GET", r.Header.Get("Location"), ""); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"id":"00ff"`) {
		t.Errorf("Location %q: %d %s", r.Header.Get("Location"), got.StatusCode, got.body)
	}
	want := []catalog.Exploration{{Experiment: "checkout-cta", Iteration: 2, Name: "german", Wish: results.AnalysisWish{
		Window: "14d", Cap: "p99", Where: map[string]string{"country": "DE"}, From: "2026-03-01T00:00:00Z", Until: "2026-03-08T00:00:00Z",
		Files: []experiment.File{{Name: "metrics[0]", Data: []byte("name: large")}}, Only: []string{"revenue"}, Quantiles: map[string]string{"revenue": "0.9"},
	}}}
	if diff := cmp.Diff(want, w.explorer.asked); diff != "" || !cmp.Equal(w.explorer.who, []string{"ada"}) {
		t.Errorf("by %q: %s", w.explorer.who, diff)
	}
}

// TestExploratoryIsSaid: in every form, of each analysis and in each of its rows.
func TestExploratoryIsSaid(t *testing.T) {
	_, h := serve(t, newWorld())
	const list, one = Prefix + "/experiments/checkout-cta/analyses", Prefix + "/experiments/checkout-cta/analyses/%3Dgerman"
	for _, path := range []string{list, one} {
		var told struct {
			Exploratory bool
			Items       []struct {
				ID          string
				Exploratory bool
			}
		}
		if err := json.Unmarshal([]byte(do(h, "GET", path, "").body), &told); err != nil {
			t.Fatal(err)
		}
		if path == one && !told.Exploratory || path == list && (len(told.Items) != 2 || !told.Items[0].Exploratory || told.Items[0].ID != testAnalysis().ID) {
			t.Errorf("%s: %+v", path, told)
		}
		rows, err := csv.NewReader(strings.NewReader(do(h, "GET", path+"?format=csv", "").body)).ReadAll()
		if err != nil || len(rows) < 3 || rows[0][0] != "exploratory" {
			t.Fatalf("%s: %v, %v", path, rows, err)
		}
		for _, row := range rows[1:] {
			if row[0] != "true" || row[5] != "3" {
				t.Errorf("%s: %q", path, row)
			}
		}
		if name := rows[1][2]; name != "'=german" {
			t.Errorf("a name that is a formula is written as %q", name)
		}
	}
}
