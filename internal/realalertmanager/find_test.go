package realalertmanager

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

// TestVersion: another version than the one that is built would never be found, and
// the tests on it be skipped for ever.
func TestVersion(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(testref.Root(t), "deploy", "alertmanager", "fetch.sh"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(script), "\nversion="+version+"\n") {
		t.Errorf("deploy/alertmanager/fetch.sh does not build %s", version)
	}
}
