package gitfiles

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository is one with a branch main and a branch of ours that left it after the first
// commit.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "assay/experiments/x.yaml", "first\n")
	write(t, root, "assay/experiments/notes.txt", "no file of ours\n")
	write(t, root, "assay/experiments/deep/y.yaml", "not in the folder itself\n")
	write(t, root, "assay/metrics/m.yml", "a metric\nwith two lines")
	write(t, root, "assay/metrics/empty.yaml", "")
	run(t, root, "init", "--quiet", "--initial-branch=main")
	commit(t, root, "first")
	run(t, root, "branch", "ours")
	write(t, root, "assay/experiments/x.yaml", "what others did meanwhile\n")
	commit(t, root, "second")
	run(t, root, "checkout", "--quiet", "ours")
	return root
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, root, text string) {
	t.Helper()
	run(t, root, "add", ".")
	run(t, root, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", text)
}

func run(t *testing.T, root string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

// The files are those of the commit that the branch left main at, also where the folder
// is gone from disk by now.
func TestRead(t *testing.T) {
	root := repository(t)
	metrics, experiments := filepath.Join(root, "assay/metrics"), filepath.Join(root, "assay/experiments")
	write(t, root, "assay/experiments/x.yaml", "edited, not committed\n")
	if err := os.RemoveAll(metrics); err != nil {
		t.Fatal(err)
	}
	at, err := Read(t.Context(), "main", metrics, experiments, filepath.Join(root, "never"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range at.Files {
		got[f.Name] = string(f.Data)
	}
	want := map[string]string{
		filepath.Join(metrics, "empty.yaml"): "",
		filepath.Join(metrics, "m.yml"):      "a metric\nwith two lines",
		filepath.Join(experiments, "x.yaml"): "first\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !at.Based || len(at.Commit) != 40 {
		t.Errorf("commit %q, based %v", at.Commit, at.Based)
	}
}

// Without a history in common it is the reference itself.
func TestReadWithoutHistory(t *testing.T) {
	root := repository(t)
	run(t, root, "checkout", "--quiet", "--orphan", "alone")
	commit(t, root, "alone")
	at, err := Read(t.Context(), "main", filepath.Join(root, "assay/experiments"))
	if err != nil || at.Based || len(at.Files) != 1 || string(at.Files[0].Data) != "what others did meanwhile\n" {
		t.Errorf("%+v, %v", at, err)
	}
}

func TestReadRefuses(t *testing.T) {
	root := repository(t)
	for ref, want := range map[string]error{"nowhere": ErrNoCommit, "--upload-pack=touch x": ErrNoCommit, "main:assay": ErrNoCommit} {
		if _, err := Read(t.Context(), ref, filepath.Join(root, "assay/experiments")); !errors.Is(err, want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := Read(t.Context(), "main", t.TempDir()); !errors.Is(err, ErrNoRepository) {
		t.Errorf("outside of any: %v", err)
	}
}
