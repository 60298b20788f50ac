package realkafka

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

// FindJars returns the folder of the jars below the root of a checkout.
func FindJars(root string) (string, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", errors.New("no real Kafka: java was not found")
	}
	dir := filepath.Join(root, ".cache", "kafka")
	if _, err := os.Stat(filepath.Join(dir, "fetched-pom.xml")); err != nil {
		return "", errors.New("no real Kafka: its jars were not fetched")
	}
	return filepath.Join(dir, "lib"), nil
}

// For starts a cluster for a test and ends it with the test. Without jars the
// test is skipped, in CI it fails.
func For(t testing.TB, brokers int) *Cluster {
	t.Helper()
	jars, err := FindJars(testref.Root(t))
	if err != nil {
		message := fmt.Sprintf("%v; install Java 17 and Maven 3, then run make kafka", err)
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	c, err := Start(t.Context(), Config{Jars: jars, Dir: t.TempDir(), Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		if t.Failed() {
			t.Logf("the brokers said last:\n%s", c.Said())
		}
	})
	return c
}
