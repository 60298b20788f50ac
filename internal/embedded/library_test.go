package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindLibrary(t *testing.T) {
	if enginePackage() == "" {
		t.Skip("no library is pinned for this machine")
	}
	root := t.TempDir()
	fetched := filepath.Join(root, ".cache", "engine", "node_modules", enginePackage(), libraryFile)
	below := filepath.Join(root, "a", "b")
	for _, dir := range []string{filepath.Dir(fetched), below} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)

	_, err := FindLibrary(fetched)
	missing, ok := errors.AsType[*LibraryError](err)
	if !ok || !strings.Contains(err.Error(), fetched) || !strings.Contains(missing.Hint(), "make engine") {
		t.Fatalf("missing library: got %v", err)
	}
	if err := os.WriteFile(fetched, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{"", fetched} {
		if got, err := FindLibrary(given); got != fetched {
			t.Errorf("given %q: got %q, %v, want %q", given, got, err, fetched)
		}
	}
	if _, err := FindLibrary(root); err == nil {
		t.Error("a directory is taken for the library")
	}
}
