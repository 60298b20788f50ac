package realunleash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

// Programs are what a server is run with.
type Programs struct {
	Modules  string // folder of Node's modules, unleash-server and unleash-client among them
	Postgres string // folder of PostgreSQL's programs
}

// Find returns the programs below the root of a checkout and on the machine.
func Find(root string) (Programs, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return Programs{}, errors.New("no real Unleash: node was not found")
	}
	dir := filepath.Join(root, ".cache", "unleash")
	if _, err := os.Stat(filepath.Join(dir, "fetched-lock.json")); err != nil {
		return Programs{}, errors.New("no real Unleash: it was not fetched")
	}
	postgres, err := findPostgres()
	return Programs{Modules: filepath.Join(dir, "node_modules"), Postgres: postgres}, err
}

// findPostgres looks where distributions keep the server's programs, which is
// rarely in PATH.
func findPostgres() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("no real Unleash: PostgreSQL was not found")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// Available returns the programs. Without them the test is skipped, in CI it fails.
func Available(t testing.TB) Programs {
	t.Helper()
	p, err := Find(testref.Root(t))
	if err == nil {
		return p
	}
	message := fmt.Sprintf("%v; install Node.js 20 and PostgreSQL, then run make unleash", err)
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
	return Programs{}
}

// For starts a server for a test and ends it with the test.
func For(t testing.TB) *Server {
	t.Helper()
	s, err := Start(t.Context(), Available(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Unleash said last:\n%s", s.Said())
		}
		s.Close()
	})
	return s
}
