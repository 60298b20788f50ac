package pages

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/access"
)

const (
	// fresh is how old a page may be: what it shows is read once a second, so that many
	// readers, and one reader's many tabs, cost what one does.
	fresh = time.Second
	// keptPages is how many pages are kept at most.
	keptPages = 256
)

// keeper keeps the pages that were made within the last second, each for the address
// and the person that it was made for.
type keeper struct {
	mu    sync.Mutex
	pages map[string]*kept
	now   func() time.Time
}

// kept is one page; its lock is held by who makes it.
type kept struct {
	mu     sync.Mutex
	at     time.Time // zero: it was not made, or not well
	header http.Header
	body   []byte
}

func newKeeper(now func() time.Time) *keeper { return &keeper{pages: map[string]*kept{}, now: now} }

// of is the place of what somebody asks for.
func (k *keeper) of(r *http.Request) *kept {
	key := fmt.Sprintf("%v %q %+v", part(r), r.URL.RequestURI(), access.From(r.Context()))
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pages[key] == nil {
		if len(k.pages) >= keptPages {
			clear(k.pages)
		}
		k.pages[key] = &kept{}
	}
	return k.pages[key]
}

// around answers with the page that is kept, or with one that is made now.
func (k *keeper) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := k.of(r)
		p.mu.Lock()
		if p.at.IsZero() || k.now().Sub(p.at) >= fresh {
			whole := r.Clone(r.Context())
			whole.Header.Del("If-None-Match")
			made := &recorder{header: http.Header{}, status: http.StatusOK}
			next.ServeHTTP(made, whole)
			if made.status != http.StatusOK || r.Context().Err() != nil {
				p.at = time.Time{}
				p.mu.Unlock()
				made.replay(w)
				return
			}
			p.at, p.header, p.body = k.now(), made.header, made.body.Bytes()
		}
		header, body := p.header, p.body
		p.mu.Unlock()
		for name, values := range header {
			w.Header()[name] = values
		}
		if r.Header.Get("If-None-Match") == header.Get("ETag") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(body) // whoever went away does not miss it
	})
}

// recorder takes an answer down.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// replay gives the answer to somebody.
func (r *recorder) replay(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()) // whoever went away does not miss it
}
