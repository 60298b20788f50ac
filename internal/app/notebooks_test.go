package app

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/testref"
)

// TestNotebooks runs the scripts of docs/notebooks as the reading account: each makes a
// number of a stored look from raw rows and fails when it is another. Then the stored
// look is changed, and each must fail.
func TestNotebooks(t *testing.T) {
	w := newAnalysed(t)
	engine := embeddedtest.ClickHouse(t)
	look, err := w.Look(t.Context(), w.version, w.e, 0, w.now)
	if err != nil {
		t.Fatal(err)
	}
	root, reader := testref.Root(t), engine.Reader()
	window := "172800" // two days, in seconds
	scripts := map[string]func() (string, error){
		"sql": func() (string, error) {
			text, err := os.ReadFile(filepath.Join(root, "docs", "notebooks", "report_number.sql"))
			if err != nil {
				return "", err
			}
			query := url.Values{"database": {w.Views()}, "param_experiment": {"cta"}, "param_metric": {"spend"}, "param_event": {"buy"}, "param_window": {window}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+engine.HTTPAddr()+"/?"+query.Encode(), strings.NewReader(string(text)))
			if err != nil {
				return "", err
			}
			req.SetBasicAuth(reader.Name, reader.Password)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err == nil && resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %d", resp.StatusCode)
			}
			return string(b), err
		},
		"go": func() (string, error) {
			cmd := exec.CommandContext(t.Context(), "go", "run", "./docs/notebooks/reportnumber", "-addr", engine.Addr(), "-user", reader.Name, "-password", reader.Password,
				"-database", w.Views(), "-experiment", "cta", "-metric", "spend", "-event", "buy", "-window", "48h")
			cmd.Dir = root
			b, err := cmd.CombinedOutput()
			return string(b), err
		},
	}
	python := filepath.Join(root, ".cache", "python", "bin", "python")
	if _, err := os.Stat(python); err == nil {
		scripts["python"] = func() (string, error) {
			where := url.URL{Scheme: "http", User: url.UserPassword(reader.Name, reader.Password), Host: engine.HTTPAddr(), Path: "/" + w.Views()}
			b, err := exec.CommandContext(t.Context(), python, filepath.Join(root, "docs", "notebooks", "report_number.py"), where.String(), "cta", "spend", "buy", window).CombinedOutput()
			return string(b), err
		}
	} else if os.Getenv("CI") == "true" {
		t.Errorf("no Python with clickhouse-connect: deploy/python/fetch.sh makes one")
	} else {
		t.Log("skipped: the script in Python, without .cache/python (make python)")
	}
	for name, run := range scripts {
		if out, err := run(); err != nil || !strings.Contains(out, "treatment") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	// Looks of a moment later that say something else: first of the standard error alone.
	wrong := func(what string) {
		t.Helper()
		if err := w.storeLook(t.Context(), look); err != nil {
			t.Fatal(err)
		}
		for name, run := range scripts {
			if out, err := run(); err == nil {
				t.Errorf("%s finds nothing wrong with %s:\n%s", name, what, out)
			}
		}
	}
	look.At = look.At.Add(time.Hour)
	for i := range look.Comparisons {
		look.Comparisons[i].Open.Absolute.StdError *= 1.001
	}
	wrong("a standard error that is wrong")
	look.Cells[len(look.Cells)-1].Open.N++
	for i := range look.Cells {
		if look.Cells[i].Metric == "spend" {
			look.Cells[i].Open.Sum = "1"
		}
	}
	look.At = look.At.Add(time.Hour)
	wrong("integers that are wrong")
}
