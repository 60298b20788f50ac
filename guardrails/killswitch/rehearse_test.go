package killswitch

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRehearse: all but the write. The host, the method and the body are shown, the
// path and the secrets are not, and the flag stays on.
func TestRehearse(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 200, apply: true}), newClock()
	c := r.config()
	system := c.System.(Webhook)
	system.Headers = map[string]Secret{"Authorization": "Bearer t0ken-of-the-operator"}
	c.System = system
	q := request()
	q.Reason = "a drill, and t0ken-of-the-operator must not be seen"
	got, err := r.open(t, c, k).Rehearse(t.Context(), q)
	if err != nil || got.State != StateOn || got.Trouble != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.Method != http.MethodPost || "http://"+got.Host != r.URL || got.Bytes < 100 || !slices.Contains(got.Headers, "Authorization") {
		t.Errorf("it would send %+v", got)
	}
	if !strings.Contains(got.Body, `"experiment.kill"`) || strings.Contains(got.Body, "t0ken") {
		t.Errorf("the body begins with %s", got.Body)
	}
	if len(r.offs) != 0 || !r.enabled || r.reads != 1 {
		t.Errorf("%d off calls, %d reads, the flag is on: %t", len(r.offs), r.reads, r.enabled)
	}
}

// TestRehearseWithoutState: what keeps a kill from being verified is said, and the
// call is shown all the same.
func TestRehearseWithoutState(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 200}), newClock()
	r.unread = 100
	got, err := r.open(t, r.config(), k).Rehearse(t.Context(), request())
	if err != nil || got.State != StateUnknown || !strings.Contains(got.Trouble, "503") || !strings.Contains(got.Remedy, "the system is up") || got.Method != http.MethodPost {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRehearseAPlan: the looks that a plan begins with are made, and its write is not.
func TestRehearseAPlan(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { asked = append(asked, q.Method) }))
	defer server.Close()
	s := &Switch{name: "demo", vendor: editor{server.URL}, door: newDoor(Config{Timeout: time.Second, System: Webhook{}}, &http.Transport{DisableKeepAlives: true}), deadline: time.Second, world: Runtime{}.withDefaults()}
	got, err := s.Rehearse(t.Context(), request())
	if err != nil || got.Method != http.MethodPut || got.Body != "edited" {
		t.Errorf("%+v, %v", got, err)
	}
	if !slices.Equal(asked, []string{"GET", "GET"}) { // the state, and the look before the write
		t.Errorf("asked %v", asked)
	}
}

// editor is a system whose flags are read, edited and written.
type editor struct{ url string }

func (e editor) get(then func(Answer) Reply) Step {
	return Step{Call: Call{Method: http.MethodGet, URL: e.url}, Aside: true, Then: then}
}

func (e editor) Off(Request, time.Time) (Step, error) {
	return e.get(func(Answer) Reply {
		return Reply{Next: &Step{Call: Call{Method: http.MethodPut, URL: e.url, Body: []byte("edited")}, Then: plain}}
	}), nil
}

func (e editor) Needs() string { return "nothing" }

func (e editor) Read(Target) (Step, bool) {
	return e.get(func(Answer) Reply { return Reply{State: StateOn} }), true
}
