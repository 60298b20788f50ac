package tokenfile_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/tokenfile"
)

func make1(t *testing.T, name string) (string, access.Token) {
	t.Helper()
	secret, token, err := access.Order{Name: name, Role: access.Viewer, For: time.Hour}.Make(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return secret, token
}

// TestFile: what another process adds and revokes holds at the next question, and the
// file has no token in it.
func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "data", "tokens.json")
	door, command := tokenfile.Open(name), tokenfile.Open(name)
	secret, token := make1(t, "ci")
	if _, ok := door.Find(access.HashOf(secret)); ok {
		t.Fatal("found before it was made")
	}
	if err := command.Add(token); err != nil {
		t.Fatal(err)
	}
	if got, ok := door.Find(access.HashOf(secret)); !ok || got.Name != "ci" {
		t.Errorf("found %v, %+v", ok, got)
	}
	if _, ok := door.Find(access.HashOf(secret + "x")); ok {
		t.Error("another token was found")
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), secret) || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, content %s", info.Mode().Perm(), b)
	}
	if gone, err := command.Revoke(token.ID); err != nil || gone.Name != "ci" {
		t.Errorf("revoked %+v, %v", gone, err)
	}
	if _, ok := door.Find(access.HashOf(secret)); ok {
		t.Error("found after it was revoked")
	}
	if _, err := command.Revoke(token.ID); !errors.Is(err, tokenfile.ErrNoToken) {
		t.Errorf("revoked twice: %v", err)
	}
}

// TestFileRefuses: a file that others may read, or that is broken, lets nobody in.
func TestFileRefuses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "tokens.json")
	file := tokenfile.Open(name)
	secret, token := make1(t, "ci")
	if err := file.Add(token); err != nil {
		t.Fatal(err)
	}
	spoil := func(what, want string, how func() error) {
		t.Helper()
		if err := how(); err != nil {
			t.Fatal(err)
		}
		if _, ok := file.Find(access.HashOf(secret)); ok {
			t.Errorf("%s: found", what)
		}
		if _, err := file.List(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
		if err := file.Add(token); err == nil {
			t.Errorf("%s: written over", what)
		}
	}
	spoil("half a file", "tokens.json", func() error { return os.WriteFile(name, []byte(`{"tokens":[`), 0o600) })
	spoil("a role that is none", "unknown role", func() error {
		return os.WriteFile(name, []byte(`{"tokens":[{"role":"root"}]}`), 0o600)
	})
	spoil("for everybody", "chmod 600", func() error { return os.Chmod(name, 0o644) })
}

// TestManyWriters: processes that add tokens at once lose none.
func TestManyWriters(t *testing.T) {
	name := filepath.Join(t.TempDir(), "tokens.json")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, token := make1(t, fmt.Sprint("ci", i))
			if err := tokenfile.Open(name).Add(token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := tokenfile.Open(name).List(); err != nil || len(got) != 8 {
		t.Errorf("%d tokens, %v", len(got), err)
	}
}
