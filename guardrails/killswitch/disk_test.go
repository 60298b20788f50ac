package killswitch

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ask makes one call to the disk.
func ask(t *testing.T, method, path, match, body string) (status int, text, tag string) {
	t.Helper()
	q, err := http.NewRequest(method, fileURL(path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("If-Match", match)
	r, err := disk{}.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	read, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(read), r.Header.Get("Etag")
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "flags of the web.json"), filepath.Join(dir, "link.json")
	write(t, file, "one")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	status, text, tag := ask(t, http.MethodGet, link, "", "")
	if status != 200 || text != "one" {
		t.Fatalf("read %d %q", status, text)
	}
	if status, _, _ := ask(t, http.MethodPut, link, tag, "two"); status != 200 {
		t.Fatalf("write: %d", status)
	}
	if status, text, _ := ask(t, http.MethodPut, link, tag, "three"); status != 412 {
		t.Errorf("a write over somebody else's: %d %s", status, text)
	}
	read, err := os.ReadFile(file)
	if err != nil || string(read) != "two" {
		t.Errorf("the file behind the link is %q, %v", read, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link: %v, %v", info, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("beside the file stand %v, %v", left, err)
	}
	if status, text, _ := ask(t, http.MethodGet, filepath.Join(dir, "none"), "", ""); status != 404 || !strings.Contains(text, "no such file") {
		t.Errorf("a file that is not there: %d %s", status, text)
	}
	if status, text, _ := ask(t, http.MethodOptions, link, "", ""); status != 200 {
		t.Errorf("it may be replaced: %d %s", status, text)
	}
	if status, _, _ := ask(t, http.MethodGet, dir, "", ""); status != 500 {
		t.Errorf("a folder: %d", status)
	}
}

// TestDiskMayNot: what may not be written is known before, and left as it is.
func TestDiskMayNot(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	write(t, file, "one")
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	_, _, tag := ask(t, http.MethodGet, file, "", "")
	if status, text, _ := ask(t, http.MethodOptions, file, "", ""); status != 403 || !strings.Contains(text, "permission denied") {
		t.Errorf("to be written: %d %s", status, text)
	}
	if status, text, _ := ask(t, http.MethodPut, file, tag, "two"); status != 403 {
		t.Errorf("written: %d %s", status, text)
	}
	if read, err := os.ReadFile(file); err != nil || string(read) != "one" {
		t.Errorf("the file is %q, %v", read, err)
	}
	if status, text, _ := ask(t, http.MethodOptions, "/etc/passwd", "", ""); status != 403 || !strings.Contains(text, "owner could not be kept") {
		t.Errorf("root's file: %d %s", status, text)
	}
}

// TestDiskNeverTears: whoever reads while it is written sees the one text or the
// other.
func TestDiskNeverTears(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.json")
	texts := [2]string{strings.Repeat("a", 1<<16), strings.Repeat("b", 1<<17)}
	write(t, file, texts[0])
	done := make(chan error)
	go func() {
		for i := range 50 {
			if err := replaceFile(file, []byte(texts[(i+1)%2])); err != nil {
				done <- err
				return
			}
		}
		close(done)
	}()
	for {
		read, err := os.ReadFile(file)
		if err != nil || (!bytes.Equal(read, []byte(texts[0])) && !bytes.Equal(read, []byte(texts[1]))) {
			t.Errorf("read %d bytes, %v", len(read), err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
