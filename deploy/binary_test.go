package deploy_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/assay-dev/assay/internal/testref"
)

// built is the binary, made once by the very line that the Dockerfile has.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// assay returns the path of the binary.
func assay(t *testing.T) string {
	t.Helper()
	built.once.Do(func() { built.dir, built.err = buildAsInImage(testref.Root(t)) })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "assay")
}

func removeBinary() {
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}

// buildAsInImage runs the Dockerfile's build, writing into a folder of ours.
func buildAsInImage(root string) (dir string, err error) {
	b, err := os.ReadFile("Dockerfile")
	if err != nil {
		return "", err
	}
	line := regexp.MustCompile(`(?m)^RUN (.*go build .* -o )/out/assay (\S+) \\$`).FindStringSubmatch(string(b))
	if line == nil {
		return "", fmt.Errorf("the Dockerfile has no line RUN … go build … -o /out/assay … \\")
	}
	if dir, err = os.MkdirTemp("", "assay-binary-"); err != nil {
		return "", err
	}
	cmd := exec.Command("sh", "-c", line[1]+filepath.Join(dir, "assay")+" "+line[2])
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "VERSION=of-the-image")
	return dir, said(cmd)
}

// run runs the binary to its end and returns what it said.
func run(ctx context.Context, binary string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func TestImageVersion(t *testing.T) {
	out, err := run(t.Context(), assay(t), nil, "version")
	if err != nil || !strings.Contains(out, "of-the-image") {
		t.Errorf("assay version says %q, %v", out, err)
	}
}
