package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/testref"
)

// apiWorld is a ledger with one experiment that was looked at, and the API over it.
func apiWorld(t *testing.T, key string) (*lookWorld, http.Handler) {
	t.Helper()
	w := &lookWorld{Stack: newStack(t), t: t, now: time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)}
	w.key = key
	w.apply("growth")
	w.now = w.now.Add(time.Second)
	w.countWith("control", 900, 90)
	w.countWith("treatment", 900, 140)
	w.look(0)
	engine := embeddedtest.ClickHouse(t)
	w.endpoints.HTTP, w.endpoints.Reader = engine.HTTPAddr(), Account(engine.Reader())
	w.Config.Data = t.TempDir()
	if _, err := makeUnitKey(ownUnitKey(w.Config)); err != nil {
		t.Fatal(err)
	}
	c := w.catalog()
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	routes, err := w.apiOf(c, w.LastingActs(w.Log), w.Explorer(w.Log), w.Log)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.Handle(pattern, h)
	}
	return w, mux
}

// TestDocumentedRequests runs every request of docs/api.md as it stands.
func TestDocumentedRequests(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no curl here")
	}
	b, err := os.ReadFile(filepath.Join(testref.Root(t), "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, h := apiWorld(t, "checkout-cta")
	server := httptest.NewServer(h)
	defer server.Close()
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(b), -1)
	if len(blocks) < 12 {
		t.Fatalf("found %d requests in docs/api.md", len(blocks))
	}
	dir := t.TempDir()
	for _, m := range blocks[1:] { // the first one says where the program listens
		script := strings.ReplaceAll(m[1], "curl -s", "curl -s -S --fail-with-body")
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "ASSAY="+server.URL, "NO_PROXY=*", "no_proxy=*")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s\n%v: %s", m[1], err, out)
		}
		if strings.Contains(m[1], "If-None-Match") && string(out) != "304\n" {
			t.Errorf("%s\n%s", m[1], out)
		}
	}
	for name, magic := range map[string]string{"results.parquet": "PAR1", "exposures.arrow": "\xff\xff\xff\xff"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(got), magic) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestDoorHasTheAPI: the door of run and serve answers the API, for who may read, from
// what the door itself reads on.
func TestDoorHasTheAPI(t *testing.T) {
	w, _ := apiWorld(t, "cta")
	w.Config.Listen = "127.0.0.1:0"
	door, err := w.Web(t.Context(), WebOptions{Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- door.Run(ctx) }()
	for path, want := range map[string]string{
		"/api/v1/experiments": `"key":"cta"`, "/api/v1/experiments/cta/results": `"metric":"sales"`,
		"/api/v1/configurations/0": `"number":1`, "/api/v1/openapi.json": `"openapi": "3.1.0"`, "/api/v1/health": `"shards":[{"shard":0`,
	} {
		r, err := http.Get("http://" + door.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s %.200s, %v", path, r.Status, body, err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// readParquet has the database read some columns back, as JSON.
func (w *lookWorld) readParquet(file string) string {
	w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("answer", "answer")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.WriteString(part, file); err != nil {
		w.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		w.t.Fatal(err)
	}
	q := url.Values{
		"query": {"SELECT * FROM answer"}, "default_format": {"JSONEachRow"}, "answer_format": {"Parquet"},
		"answer_structure": {"metric String, arm String, of String, mean Nullable(Float64), absolute Nullable(Float64), relative_sequential_low Nullable(Float64)"},
		"user":             {w.endpoints.Reader.Name}, "password": {w.endpoints.Reader.Password},
	}
	r, err := http.Post("http://"+w.endpoints.HTTP+"/?"+q.Encode(), form.FormDataContentType(), &body)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	rows, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		w.t.Fatal(r.Status, string(rows), err)
	}
	return string(rows)
}

// TestExplainWithoutAKey: where units cannot be hashed the answer says what to do.
func TestExplainWithoutAKey(t *testing.T) {
	w, h := apiWorld(t, "cta")
	if err := os.Remove(ownUnitKey(w.Config)); err != nil {
		t.Fatal(err)
	}
	rec, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/api/v1/experiments/cta/explain", strings.NewReader(`{"unit":"u"}`))
	if h.ServeHTTP(rec, r); rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "privacy.unit_key") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// TestSameNumbers: Parquet holds what JSON says; the database only writes it.
func TestSameNumbers(t *testing.T) {
	w, h := apiWorld(t, "cta")
	get := func(target string) string {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/v1/experiments/cta/"+target, nil))
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
		}
		return rec.Body.String()
	}
	back := w.readParquet(get("results?format=parquet"))
	lines := strings.Split(strings.TrimSpace(get("results?format=ndjson")), "\n")
	rows := strings.Split(strings.TrimSpace(back), "\n")
	if len(rows) != len(lines) || len(lines) < 4 {
		t.Fatalf("%d rows of Parquet, %d of JSON", len(rows), len(lines))
	}
	for i := range lines {
		var want, got map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(rows[i]), &got); err != nil {
			t.Fatal(err)
		}
		for _, column := range []string{"metric", "arm", "of", "absolute", "relative_sequential_low", "mean"} {
			if want[column] != got[column] {
				t.Errorf("row %d: %s is %v as Parquet and %v as JSON", i, column, got[column], want[column])
			}
		}
	}
}
