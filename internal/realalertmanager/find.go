package realalertmanager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

// version is that of deploy/alertmanager/fetch.sh.
const version = "v0.28.1"

// Find returns the program below the root of a checkout.
func Find(root string) (string, error) {
	path := filepath.Join(root, ".cache", "alertmanager", version, "alertmanager")
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("no real Alertmanager: it was not built")
	}
	return path, nil
}

// For starts a server for a test, which sends what it is told on to a receiver,
// and ends it with the test. Without the program the test is skipped, in CI it
// fails.
func For(t testing.TB, receiver string) *Server {
	t.Helper()
	program, err := Find(testref.Root(t))
	if err != nil {
		message := fmt.Sprintf("%v; run make alertmanager", err)
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	s, err := Start(t.Context(), program, t.TempDir(), receiver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Alertmanager said last:\n%s", s.Said())
		}
		s.Close()
	})
	return s
}
