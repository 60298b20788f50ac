package realofrep

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

// Programs are what clients are run with.
type Programs struct {
	root string // of the checkout
	dir  string // of what was fetched
}

// Find returns the programs below the root of a checkout and on the machine.
func Find(root string) (Programs, error) {
	for _, tool := range []string{"node", "java"} {
		if _, err := exec.LookPath(tool); err != nil {
			return Programs{}, fmt.Errorf("no real clients: %s was not found", tool)
		}
	}
	dir := filepath.Join(root, ".cache", "openfeature")
	for _, stamp := range []string{"fetched-lock.json", "fetched.txt", "fetched-pom.xml", "growthbook-cases.json"} {
		if _, err := os.Stat(filepath.Join(dir, stamp)); err != nil {
			return Programs{}, errors.New("no real clients: they were not fetched")
		}
	}
	return Programs{root, dir}, nil
}

// Available returns the programs. Without them the test is skipped, in CI it fails.
func Available(t testing.TB) Programs {
	t.Helper()
	p, err := Find(testref.Root(t))
	if err == nil {
		return p
	}
	message := fmt.Sprintf("%v; install Node.js 20, Python 3.10, Java 17 and Maven, then run make openfeature", err)
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
	return Programs{}
}
