package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// faulty stands in front of a flag system and treats the calls that change each flag by a
// script; when that is over, and everything else, it hands on.
type faulty struct {
	*httptest.Server
	behind  http.Handler
	mu      sync.Mutex
	scripts map[string][]fault
	calls   map[string][]time.Time // those that change a flag, when they came
	release chan struct{}          // closed when hanging calls are to end
}

// fault is what becomes of one call.
type fault struct {
	apply  bool          // it is handed on, before whatever else is done
	after  time.Duration // it is handed on so much later
	status int           // what is answered; 0: what the system behind says
	header http.Header
	hang   bool // nothing is ever answered
	reset  bool // the connection is reset instead of an answer
}

func newFaulty(t *testing.T, behind string, scripts map[string][]fault) *faulty {
	t.Helper()
	to, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{behind: httputil.NewSingleHostReverseProxy(to), scripts: scripts, calls: map[string][]time.Time{}, release: make(chan struct{})}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		close(f.release)
		f.Close()
	})
	return f
}

func (f *faulty) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodPatch {
		f.behind.ServeHTTP(w, r)
		return
	}
	x := f.next(flagOf(r.URL.Path))
	select {
	case <-time.After(x.after):
	case <-f.release:
	}
	if x.apply && (x.hang || x.reset || x.status > 0) {
		f.behind.ServeHTTP(httptest.NewRecorder(), r)
	}
	switch {
	case x.hang:
		<-f.release
	case x.reset:
		reset(w)
	case x.status > 0:
		for name, values := range x.header {
			w.Header()[name] = values
		}
		w.WriteHeader(x.status)
	default:
		f.behind.ServeHTTP(w, r)
	}
}

// next is what is to be done with the next call that changes a flag.
func (f *faulty) next(flag string) fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.calls[flag])
	f.calls[flag] = append(f.calls[flag], time.Now())
	if n < len(f.scripts[flag]) {
		return f.scripts[flag][n]
	}
	return fault{}
}

// called is when the calls that change a flag came.
func (f *faulty) called(flag string) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Time(nil), f.calls[flag]...)
}

// flagOf is the flag in an address of Unleash: …/features/FLAG/…
func flagOf(path string) string {
	_, rest, _ := strings.Cut(path, "/features/")
	flag, _, _ := strings.Cut(rest, "/")
	return flag
}

// reset ends the connection of a request in the way that loses what was under way.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
