package deploy_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// exposure is the most that systemd may find exposed in a unit, of 10.
const exposure = 1.5

// TestUnits: systemd-analyze verify exits with 0 whatever it finds, so what it
// says on standard error must be nothing.
func TestUnits(t *testing.T) {
	tool, binary := systemdAnalyze(t), assay(t)
	dir := t.TempDir()
	for _, unit := range units(t) {
		here := filepath.Join(dir, filepath.Base(unit))
		installed := strings.ReplaceAll(string(read(t, unit)), "/usr/local/bin/assay", binary)
		if err := os.WriteFile(here, []byte(installed), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), tool, "verify", here).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
		out, err := exec.CommandContext(t.Context(), tool, "security", "--offline=true", here).CombinedOutput()
		m := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
		if err != nil || m == nil {
			t.Errorf("%s: %v\n%s", unit, err, out)
			continue
		}
		level, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil || level > exposure {
			t.Errorf("%s: exposure %s, at most %v is allowed (%v)", unit, m[1], exposure, err)
		}
		t.Logf("%s: exposure %s", unit, m[1])
	}
}

// TestCompose has compose-go load the file as docker compose would: an unknown
// key, a missing variable or a broken reference is an error.
func TestCompose(t *testing.T) {
	tool := compose(t)
	load := func(text string) error {
		// Beside the real one, so that relative paths mean the same.
		file, err := os.CreateTemp("compose", ".test-*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file.Name())
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		return do(t.Context(), ".", tool, file.Name())
	}
	text := string(read(t, "compose/compose.yaml"))
	if err := load(text); err == nil || !strings.Contains(err.Error(), "required variable ASSAY_READER_PASSWORD") {
		t.Errorf("it is accepted without passwords: %v", err)
	}
	text = regexp.MustCompile(`\$\{\w+:\?[^}]*\}`).ReplaceAllString(text, "x")
	if err := load(text); err != nil {
		t.Error(err)
	}
	if load(strings.Replace(text, "read_only:", "readonly:", 1)) == nil {
		t.Error("the tool accepts an unknown key, so it checks nothing")
	}
}

// TestDockerfile lints it, and sees that its last stage can run the binary: one
// that asks for the system's loader starts in no empty image.
func TestDockerfile(t *testing.T) {
	if err := do(t.Context(), ".", hadolint(t), "--no-color", "Dockerfile"); err != nil {
		t.Error(err)
	}
	file, err := elf.Open(assay(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	needed, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(read(t, "Dockerfile")), -1)
	last := stages[len(stages)-1][1]
	if withGlibc := strings.HasPrefix(last, "gcr.io/distroless/base-"); len(needed) > 0 && !withGlibc {
		t.Errorf("the binary needs %v, which the image %s may not have", needed, last)
	}
}
