// Package testref finds the folder of reference data (real experiments and
// reference numbers) that lies beside a checkout. The project does not ship it:
// a test that needs it is skipped in a plain clone and fails in CI.
package testref

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Root returns the root folder of the checkout.
func Root(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("testref: cannot tell where the sources are")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Path returns the path of a file below the reference folder (ASSAY_REFERENCE,
// by default ../shared beside the checkout). Without the file the test is
// skipped, in CI it fails.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("ASSAY_REFERENCE")
	if dir == "" {
		dir = filepath.Join(Root(t), "..", "shared")
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("reference data is missing in CI: %v", err)
		}
		t.Skipf("reference data not here (%v); set ASSAY_REFERENCE to its folder", err)
	}
	return path
}
