package killswitch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

// disk serves files beside the network, so that a plan whose source is a file is
// a plan like any other: GET answers the text and an ETag, PUT with If-Match
// replaces it as a whole or not at all, OPTIONS says whether a PUT would be allowed.
type disk struct{ network http.RoundTripper }

// fileURL is the address of a file for disk.
func fileURL(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// RoundTrip implements http.RoundTripper.
func (d disk) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.URL.Scheme != "file" {
		return d.network.RoundTrip(q)
	}
	text, err := os.ReadFile(q.URL.Path)
	switch {
	case err == nil && q.Method == http.MethodPut:
		return putFile(q, text)
	case err == nil && q.Method == http.MethodOptions:
		return fileAnswer(nil, mayReplace(q.URL.Path)), nil
	default:
		return fileAnswer(text, err), nil
	}
}

func putFile(q *http.Request, before []byte) (*http.Response, error) {
	after, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	if q.Header.Get("If-Match") != etag(before) {
		return fileAnswer([]byte("somebody else wrote it meanwhile"), errStale), nil
	}
	return fileAnswer(nil, replaceFile(q.URL.Path, after)), nil
}

var errStale = errors.New("the file has changed")

func etag(text []byte) string {
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// fileAnswer says in HTTP's words how it went.
func fileAnswer(text []byte, err error) *http.Response {
	status := http.StatusOK
	switch {
	case err == nil:
	case errors.Is(err, errStale):
		status = http.StatusPreconditionFailed
	case errors.Is(err, fs.ErrNotExist):
		status = http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		status = http.StatusForbidden
	default:
		status = http.StatusInternalServerError
	}
	if err != nil && !errors.Is(err, errStale) {
		text = []byte(err.Error())
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Etag": {etag(text)}}, Body: io.NopCloser(bytes.NewReader(text))}
}

// mayReplace tells whether replaceFile would be allowed, and changes nothing.
func mayReplace(path string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(mayWrite(filepath.Dir(path)), mayOwn(info))
}

// replaceFile puts another text in the place of a file's, with the same owner and
// permissions: whoever reads it sees the one or the other, also after a crash. A
// link stays one.
func replaceFile(path string, text []byte) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), keepOwner(f, info), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write a copy beside it: %w", err)
	}
	return os.Rename(f.Name(), path)
}
