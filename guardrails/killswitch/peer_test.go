package killswitch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// peer puts a fake of a flag system behind a Switch, in memory, and can fail in
// front of it. A fake answers only what its system documents: each answer in it
// stands beside the document that says so.
type peer struct {
	system http.Handler
	faults []fault  // each call that writes takes the next one, until none is left
	asked  []string // every call, as "METHOD path?query"
	bodies []string // of the calls that write
	read   []string // bodies of the calls that read

	// reads tells a call that reads although it is no GET.
	reads func(*http.Request) bool
}

// fault is what happens to one call that writes.
type fault struct {
	pass   bool // it reaches the system, whose answer is lost
	lost   bool // no answer comes back
	status int
	header http.Header
	body   string
}

// RoundTrip implements http.RoundTripper.
func (p *peer) RoundTrip(q *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	p.asked = append(p.asked, q.Method+" "+q.URL.RequestURI())
	out := httptest.NewRecorder()
	if q.Method == http.MethodGet || (p.reads != nil && p.reads(q)) {
		p.read = append(p.read, string(body))
		p.system.ServeHTTP(out, q)
		return out.Result(), nil
	}
	p.bodies = append(p.bodies, string(body))
	if len(p.faults) == 0 {
		p.system.ServeHTTP(out, q)
		return out.Result(), nil
	}
	f := p.faults[0]
	p.faults = p.faults[1:]
	if f.pass {
		p.system.ServeHTTP(out, q)
	}
	if f.lost {
		return nil, errors.New("connection reset")
	}
	r := answer(f.status, f.body)
	for name, values := range f.header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	return r, nil
}

// want is how a kill should end.
type want struct {
	kind     Kind
	attempts int
	waited   time.Duration // until the end
	detail   string        // a part of it
	link     string
}

// kill turns the request's target off in the system and holds the outcome
// against what is wanted. Pauses are 125 ms, 250 ms, 500 ms, 1 s, 2 s, then 2.5 s each.
func (p *peer) kill(t *testing.T, c Config, r Request, want want) Outcome {
	t.Helper()
	k := newClock()
	start, world := k.now, k.runtime()
	world.Transport = p
	s, err := New("demo", c, world)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Off(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind != want.kind || got.Attempts != want.attempts || !strings.Contains(got.Detail, want.detail) || got.Link != want.link {
		t.Errorf("got  %+v\nwant %+v\nasked %s", got, want, strings.Join(p.asked, "\n      "))
	}
	if waited := k.now.Sub(start); waited != want.waited {
		t.Errorf("it took %v, want %v", waited, want.waited)
	}
	return got
}

// reply writes a documented answer.
func reply(w http.ResponseWriter, status int, body string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, body, args...)
}
