package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/golden"
)

// do sends a request with headers "Name: value".
func do(h http.Handler, method, target, body string, headers ...string) *answered {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, target, r)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return &answered{rec.Code, fmt.Sprintf("%d %s", rec.Code, http.StatusText(rec.Code)), rec.Header(), rec.Body.String()}
}

// answered is a response that was read.
type answered struct {
	StatusCode int
	Status     string
	Header     http.Header
	body       string
}

// TestSpec: the committed document is the one that is served.
func TestSpec(t *testing.T) {
	a, h := serve(t, newWorld())
	golden.File(t, "../../docs/openapi.json", a.Spec())
	r := do(h, "GET", Prefix+"/openapi.json", "")
	if got := r.body; got != string(a.Spec()) || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: %.80s", r.Header.Get("Content-Type"), got)
	}
	if r := do(h, "GET", Prefix+"/openapi.json", "", "If-None-Match: "+r.Header.Get("ETag")); r.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %s", r.Status)
	}
}

// TestAnswers: what each route answers, in each form that people read.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct{ method, target, body string }{
		"experiments":           {"GET", "/experiments", ""},
		"experiments.csv":       {"GET", "/experiments?format=csv", ""},
		"experiments.ndjson":    {"GET", "/experiments?format=ndjson&state=running", ""},
		"experiment":            {"GET", "/experiments/checkout-cta", ""},
		"experiment-unlooked":   {"GET", "/experiments/search-rank", ""},
		"results":               {"GET", "/experiments/checkout-cta/results", ""},
		"results.csv":           {"GET", "/experiments/checkout-cta/results?format=csv", ""},
		"results.ndjson":        {"GET", "/experiments/checkout-cta/results?format=ndjson", ""},
		"results-unlooked":      {"GET", "/experiments/search-rank/results", ""},
		"history":               {"GET", "/experiments/checkout-cta/history?metric=conversion", ""},
		"history.csv":           {"GET", "/experiments/checkout-cta/history?format=csv", ""},
		"srm":                   {"GET", "/experiments/checkout-cta/srm", ""},
		"signals":               {"GET", "/experiments/checkout-cta/signals?points=2", ""},
		"signals.csv":           {"GET", "/experiments/checkout-cta/signals?format=csv", ""},
		"guardrails":            {"GET", "/experiments/checkout-cta/guardrails", ""},
		"guardrails.csv":        {"GET", "/experiments/checkout-cta/guardrails?format=csv", ""},
		"decisions":             {"GET", "/decisions?limit=2", ""},
		"decisions.csv":         {"GET", "/experiments/checkout-cta/decisions?format=csv&limit=1", ""},
		"power":                 {"GET", "/experiments/checkout-cta/power?lift=0.03&power=0.9", ""},
		"power-given":           {"POST", "/power", `{"lift":0.05,"metrics":[{"metric":"conversion","mean":0.04,"binary":true}]}`},
		"power-of-experiment":   {"POST", "/power", `{"experiment":"checkout-cta","metrics":[{"metric":"revenue","mean":20,"sd":50}]}`},
		"explain":               {"POST", "/experiments/checkout-cta/explain", `{"unit":"u-123"}`},
		"changes":               {"GET", "/changes", ""},
		"changes.csv":           {"GET", "/changes?format=csv", ""},
		"configurations":        {"GET", "/configurations", ""},
		"configuration":         {"GET", "/configurations/7", ""},
		"health":                {"GET", "/health", ""},
		"not-found":             {"GET", "/experiments/nope/results", ""},
		"not-acceptable":        {"GET", "/experiments/checkout-cta?format=csv", ""},
		"unknown-parameter":     {"GET", "/experiments?ownr=ada", ""},
		"wrong-parameter":       {"GET", "/experiments?state=gone&limit=0", ""},
		"power-of-a-mean-of-0":  {"POST", "/power", `{"metrics":[{"metric":"spend","mean":0,"sd":1}]}`},
		"explain-without-units": {"POST", "/experiments/checkout-cta/explain", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, h := serve(t, newWorld())
			r := do(h, c.method, Prefix+c.target, c.body)
			body := r.body
			if strings.Contains(r.Header.Get("Content-Type"), "json") && !strings.HasSuffix(name, ".ndjson") {
				var b bytes.Buffer
				if err := json.Indent(&b, []byte(body), "", "  "); err != nil {
					t.Fatalf("%v: %s", err, body)
				}
				body = b.String()
			}
			golden.File(t, filepath.Join("testdata", name), []byte(r.Status+"\n"+r.Header.Get("Content-Type")+"\n"+r.Header.Get("Link")+"\n\n"+body))
		})
	}
}

// TestNotModified: an answer that a client has is not sent again, one that changed is,
// and each form has a tag of its own.
func TestNotModified(t *testing.T) {
	for _, target := range []string{"/experiments", "/experiments/checkout-cta", "/experiments/checkout-cta/results", "/experiments/checkout-cta/srm", "/decisions", "/configurations/7", "/health"} {
		w := newWorld()
		_, h := serve(t, w)
		first := do(h, "GET", Prefix+target, "")
		tag := first.Header.Get("ETag")
		if first.StatusCode != http.StatusOK || len(tag) < 10 || first.Header.Get("Cache-Control") != "private, no-cache" || first.Header.Get("Vary") != "Accept" {
			t.Errorf("%s: %s %v", target, first.Status, first.Header)
		}
		again := do(h, "GET", Prefix+target, "", `If-None-Match: "other", W/`+tag)
		if body := again.body; again.StatusCode != http.StatusNotModified || body != "" || again.Header.Get("ETag") != tag {
			t.Errorf("%s asked again: %s %q", target, again.Status, body)
		}
		if r := do(h, "GET", Prefix+target, "", `If-None-Match: "other"`); r.StatusCode != http.StatusOK {
			t.Errorf("%s with another tag: %s", target, r.Status)
		}
		if r := do(h, "GET", Prefix+target+"?format=csv", "", "If-None-Match: "+tag); r.StatusCode == http.StatusNotModified {
			t.Errorf("%s: CSV has the tag of JSON", target)
		}
	}
	w := newWorld()
	_, h := serve(t, w)
	tag := do(h, "GET", Prefix+"/experiments", "").Header.Get("ETag")
	w.documents["checkout-cta"].Verdicts[0].Verdict = "breached"
	if r := do(h, "GET", Prefix+"/experiments", "", "If-None-Match: "+tag); r.StatusCode != http.StatusOK {
		t.Errorf("a list that changed: %s", r.Status)
	}
}

// TestAccept: the form follows the Accept header, in the client's order; the parameter wins.
func TestAccept(t *testing.T) {
	_, h := serve(t, newWorld())
	for _, c := range []struct{ accept, query, want string }{
		{"", "", "application/json"}, {"*/*", "", "application/json"}, {"text/html, application/*;q=0.9", "", "application/json"},
		{"text/csv", "", "text/csv"}, {"text/csv; charset=utf-8, application/json", "", "text/csv"}, {"application/json, text/csv", "", "application/json"},
		{"application/x-ndjson", "", "application/x-ndjson"}, {"application/vnd.apache.parquet", "", "application/vnd.apache.parquet"},
		{"text/csv", "?format=json", "application/json"}, {"", "?format=arrow", "application/vnd.apache.arrow.stream"},
		{"image/png", "", "application/problem+json"},
	} {
		r := do(h, "GET", Prefix+"/experiments"+c.query, "", "Accept: "+c.accept)
		if got := r.Header.Get("Content-Type"); got != c.want {
			t.Errorf("Accept %q%s: %s, want %s", c.accept, c.query, got, c.want)
		}
	}
	if got := do(h, "GET", Prefix+"/experiments/checkout-cta/srm?format=parquet", "").body; !strings.HasPrefix(got, "Parquet\nexperiment String, phase Int64, at Nullable(DateTime64(3, 'UTC'))") || !strings.Contains(got, `"arm":"control","units":5010,"p":0.7}`) {
		t.Errorf("the database was given %s", got)
	}
}

// TestFormulas: no text of a CSV can run in a spreadsheet, and numbers stay numbers.
func TestFormulas(t *testing.T) {
	for in, want := range map[any]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\ta": "'\ta", "\ra": "'\ra", "a=b": "a=b", "": "",
		int64(-5): "-5", true: "true",
	} {
		if got := csvCell(in); got != want {
			t.Errorf("%q is written %q, want %q", in, got, want)
		}
	}
	_, h := serve(t, newWorld())
	rows, err := csv.NewReader(strings.NewReader(do(h, "GET", Prefix+"/experiments/checkout-cta/results?format=csv", "").body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int {
		for i, c := range rows[0] {
			if c == name {
				return i
			}
		}
		t.Fatalf("no column %s", name)
		return -1
	}
	negative, quoted := false, false
	for _, r := range rows[1:] {
		negative = negative || r[at("relative")] == "-0.01"
		quoted = quoted || r[at("value")] == "'+other"
	}
	if !negative || !quoted {
		t.Errorf("negative numbers as numbers: %t; text quoted: %t", negative, quoted)
	}
}

// TestPages: following next reads all lines once, and says where the next page is.
func TestPages(t *testing.T) {
	_, h := serve(t, newWorld())
	var seen []uint64
	for target := Prefix + "/decisions?limit=2"; target != ""; {
		r := do(h, "GET", target, "")
		var page Decisions
		if err := json.Unmarshal([]byte(r.body), &page); err != nil || len(page.Items) > 2 {
			t.Fatal(page, err)
		}
		for _, d := range page.Items {
			seen = append(seen, d.Seq)
		}
		link, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Link"), "<"), ">")
		if (link == "") != (page.Next == 0) {
			t.Errorf("next is %d and the link %q", page.Next, link)
		}
		target = link
	}
	if d := cmp.Diff([]uint64{5, 4, 3, 2, 1}, seen); d != "" {
		t.Error(d)
	}
	var keys []string
	for target := Prefix + "/experiments?limit=1&sort=health&state=running,scheduled"; target != ""; {
		r := do(h, "GET", target, "")
		var page Experiments
		if err := json.Unmarshal([]byte(r.body), &page); err != nil || page.Of != 2 {
			t.Fatal(page, err)
		}
		keys = append(keys, page.Items[0].Key)
		target, _, _ = strings.Cut(strings.TrimPrefix(r.Header.Get("Link"), "<"), ">")
	}
	if d := cmp.Diff([]string{"search-rank", "checkout-cta"}, keys); d != "" {
		t.Error(d)
	}
}

// TestExport: rows come as the database writes them; what is not to be had says why.
func TestExport(t *testing.T) {
	w := newWorld()
	_, h := serve(t, w)
	r := do(h, "GET", Prefix+"/experiments/checkout-cta/export/exposures?format=parquet&from=2026-03-01T00:00:00Z", "")
	if body := r.body; r.StatusCode != http.StatusOK || body == "" || r.Header.Get("Content-Type") != "application/vnd.apache.parquet" {
		t.Errorf("%s %q", r.Status, body)
	}
	if d := cmp.Diff([]Export{{View: "exposures", Experiment: "checkout-cta", From: begun, Format: "Parquet"}}, w.asked); d != "" {
		t.Error(d)
	}
	for target, want := range map[string]int{"/experiments/nope/export/exposures": 404, "/experiments/checkout-cta/export/users": 422, "/experiments/checkout-cta/export/units?format=csv": 406} {
		if r := do(h, "GET", Prefix+target, ""); r.StatusCode != want {
			t.Errorf("%s: %s", target, r.Status)
		}
	}
	w.failure = errors.New("connection refused by 10.0.0.1")
	if r := do(h, "GET", Prefix+"/decisions", ""); r.StatusCode != http.StatusInternalServerError || strings.Contains(r.body, "10.0.0.1") {
		t.Errorf("a failure: %s", r.Status)
	}
}
