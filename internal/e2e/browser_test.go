package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/testref"
)

// browser is what a browser is driven with. Without it the test is skipped, in CI it
// fails.
func browser(t *testing.T) (modules, executable string) {
	t.Helper()
	missing := func(what string) {
		message := "no browser: " + what + "; install Node.js 20 and Chromium, then run make browser"
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	modules = filepath.Join(testref.Root(t), ".cache", "browser")
	if _, err := os.Stat(filepath.Join(modules, "fetched-lock.json")); err != nil {
		missing("what drives it was not fetched")
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing("node was not found")
	}
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return modules, path
		}
	}
	missing("Chromium was not found")
	return "", ""
}

// TestBrowserDemo drives the pages of the demo in a browser: what happens is seen
// without loading anything again, an experiment is killed with a reason and the decision
// appears; every page is accessible (axe-core), in light, dark and on a phone, and
// neither logs an error nor asks another host for anything. Screenshots stay in
// reports/screenshots.
func TestBrowserDemo(t *testing.T) {
	modules, executable := browser(t)
	dir, shots := t.TempDir(), filepath.Join(testref.Root(t), "reports", "screenshots")
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "assay.yaml"), []byte("clickhouse: {library: "+embeddedtest.Library(t)+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	demo := begin(t, dir, nil, "run", "--demo", "--data", dir+"/data")
	link := ""
	await(t, time.Minute, says("the link to act by was not written"), func() bool {
		files, _ := filepath.Glob(dir + "/data/demo/door-*.link")
		if len(files) == 0 {
			return false
		}
		b, err := os.ReadFile(files[0])
		link = strings.TrimSpace(string(b))
		return err == nil && link != ""
	})
	script, err := filepath.Abs("testdata/browser.mjs")
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	drive := exec.CommandContext(t.Context(), "node", script, modules, executable, link, shots)
	drive.Stdout, drive.Stderr = &out, &said
	if err := drive.Run(); err != nil {
		t.Fatalf("drive the browser: %v\n%s%s", err, out.String(), said.String())
	}
	var faults []string
	if err := json.Unmarshal(out.Bytes(), &faults); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, f := range faults {
		t.Error(f)
	}
	for _, name := range []string{"list-light", "list-dark", "list-mobile", "experiment-light", "experiment-dark", "experiment-mobile", "dialog-light"} {
		if info, err := os.Stat(filepath.Join(shots, name+".png")); err != nil || info.Size() < 5000 {
			t.Errorf("no screenshot %s: %v", name, err)
		}
	}
	demo.stop()
}
