package deploy_test

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
	if err := load(text); err == nil || !regexp.MustCompile(`required variable ASSAY_\w+`).MatchString(err.Error()) {
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
	loader := slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	if len(needed) > 0 || loader {
		t.Errorf("the binary is not static: it needs %v, and a loader: %v", needed, loader)
	}
	if !strings.HasPrefix(lastStage(t), "FROM scratch\n") {
		t.Error("the last stage is not an empty image")
	}
}

// lastStage is the end of the Dockerfile, which makes the image that is shipped.
func lastStage(t *testing.T) string {
	t.Helper()
	text := string(read(t, "Dockerfile"))
	return text[strings.LastIndex(text, "\nFROM ")+1:]
}

// TestImage builds the shipped stage without a daemon and without a registry, from the
// binary that the stage before it would have made, and runs it as its user.
func TestImage(t *testing.T) {
	tool := buildah(t)
	dir := t.TempDir()
	for from, to := range map[string]string{assay(t): "out/assay", "/etc/ssl/certs/ca-certificates.crt": "etc/ssl/certs/ca-certificates.crt"} {
		if err := copyFile(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(filepath.Join(dir, "out/assay"), 0o755), os.Mkdir(filepath.Join(dir, "out/state"), 0o755),
		os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch AS build\nCOPY . /\n\n"+lastStage(t)), 0o600)); err != nil {
		t.Fatal(err)
	}
	images := t.TempDir()
	command := func(args ...string) string {
		t.Helper()
		store := []string{"--root", filepath.Join(images, "root"), "--runroot", filepath.Join(images, "run"), "--storage-driver", "vfs"}
		cmd := exec.CommandContext(t.Context(), tool, append(store, args...)...)
		cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("buildah %v: %v\n%s%s", args, err, out, stderrOf(err))
		}
		return strings.TrimSpace(string(out))
	}
	command("bud", "--quiet", "--tag", "assay:test", dir)
	config := command("inspect", "--type", "image", "--format", "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.WorkingDir}}", "assay:test")
	if config != "65532:65532 [/usr/local/bin/assay] /var/lib/assay" {
		t.Errorf("the image is to run %q", config)
	}
	container := command("from", "--pull-never", "assay:test")
	if said := command("run", container, "--", "/usr/local/bin/assay", "version"); !strings.Contains(said, "of-the-image") {
		t.Errorf("assay version says %q in the image", said)
	}
}

func stderrOf(err error) []byte {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.Stderr
	}
	return nil
}
