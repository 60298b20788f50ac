package killswitch

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// versioned is a vendor whose plan has four calls: it reads a version, writes on
// condition of it, asks for an approval when the write is refused with 405, and
// refreshes something when it is taken.
type versioned struct{}

func (v versioned) Off(Request, time.Time) (Step, error) {
	return Step{Call: Call{Method: http.MethodGet, URL: "http://flags.example/version"}, Aside: true, Then: func(a Answer) Reply {
		if a.Status != http.StatusOK {
			return plain(a)
		}
		write := v.write(string(a.Body))
		return Reply{Next: &write, Saved: string(a.Body)}
	}}, nil
}

func (v versioned) write(version string) Step {
	return Step{Call: Call{Method: http.MethodPut, URL: "http://flags.example/flag?version=" + version}, Then: func(a Answer) Reply {
		if a.Status == http.StatusMethodNotAllowed {
			return Reply{Next: &Step{Call: Call{Method: http.MethodPost, URL: "http://flags.example/approvals"}, Aside: true, Lost: ClassPendingApproval,
				Then: func(Answer) Reply { return Reply{Class: ClassPendingApproval, Link: "http://flags.example/1"} }}}
		}
		if r := plain(a); r.Class != ClassAccepted {
			return r
		}
		return Reply{Next: &Step{Call: Call{Method: http.MethodPost, URL: "http://flags.example/refresh"}, Aside: true, Lost: ClassAccepted,
			Then: func(Answer) Reply { return Reply{Class: ClassAccepted} }}}
	}}
}

func (versioned) Read(Target) (Step, bool) {
	// Reading takes two calls as well.
	return Step{Call: Call{Method: http.MethodGet, URL: "http://flags.example/id"}, Then: func(a Answer) Reply {
		if a.Status != http.StatusOK {
			return Reply{Class: classifyStatus(a.Status), Why: "no id"}
		}
		return Reply{Next: &Step{Call: Call{Method: http.MethodGet, URL: "http://flags.example/flag"}, Then: func(a Answer) Reply {
			return readState(a, func(body []byte) (bool, error) { return string(body) == "off", nil })
		}}}
	}}, true
}

func (versioned) Needs() string { return "nothing" }

// store is that vendor's system, in which each call may fail in every way.
type store struct {
	t       *rapid.T
	clock   *clock
	version int
	off     bool
	writes  int  // writes of ours that arrived
	asked   bool // an approval
	refused bool // a final refusal was answered
	after   int  // writes after that
}

// RoundTrip implements http.RoundTripper.
func (s *store) RoundTrip(q *http.Request) (*http.Response, error) {
	s.clock.now = s.clock.now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(s.t, "latency")) * time.Millisecond)
	lost := rapid.IntRange(0, 4).Draw(s.t, "lost") == 0
	r := s.answer(q)
	if lost {
		return nil, errors.New("connection reset")
	}
	if r.StatusCode == http.StatusForbidden {
		s.refused = true
	}
	return r, nil
}

func (s *store) answer(q *http.Request) *http.Response {
	trouble := rapid.SampledFrom([]int{0, 0, 0, 0, 0, 403, 405, 429, 500, 503}).Draw(s.t, "trouble")
	switch {
	case q.Method == http.MethodPost && q.URL.Path == "/approvals":
		s.asked = true
		return answer(201, "")
	case q.Method == http.MethodPost:
		return answer(rapid.SampledFrom([]int{200, 401, 500}).Draw(s.t, "refresh"), "")
	case q.Method == http.MethodPut:
		return s.put(q, trouble)
	case trouble == 500 || trouble == 429:
		return answer(trouble, "")
	case q.URL.Path == "/version":
		body := strconv.Itoa(s.version)
		if rapid.IntRange(0, 3).Draw(s.t, "edit") == 0 {
			s.version++ // somebody else writes between our read and our write
		}
		return answer(200, body)
	case q.URL.Path == "/flag" && s.off:
		return answer(200, "off")
	default:
		return answer(200, "on")
	}
}

func (s *store) put(q *http.Request, trouble int) *http.Response {
	s.writes++
	if s.refused {
		s.after++
	}
	switch {
	case trouble == 403 || trouble == 405 || trouble == 429 || trouble == 503:
		return answer(trouble, "")
	case q.URL.Query().Get("version") != strconv.Itoa(s.version):
		return answer(409, "")
	}
	s.version++
	s.off = true
	if trouble == 500 {
		return answer(500, "") // after it was applied
	}
	return answer(200, "")
}

// TestPlansNeverClaimTooMuch draws whole histories of a plan of several calls.
// Whatever fails in between: only what reads as off is called off, its time is
// that of a write, a stale version is never written, and nothing is written
// after a refusal.
func TestPlansNeverClaimTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newClock()
		s := &store{t: t, clock: k, off: rapid.Bool().Draw(t, "off before")}
		start := k.now
		var sent []time.Time
		q := request()
		q.Progress = func(stage Stage, at time.Time) {
			if stage == Sending {
				sent = append(sent, at)
			}
		}
		sw := planned(k, s)
		got, err := sw.Off(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got.Off() && (!s.off || got.ReadBackAt.IsZero()) {
			t.Errorf("%+v, but it is off: %v", got, s.off)
		}
		if got.Kind == Applied && s.writes == 0 {
			t.Errorf("%+v, but no write of ours arrived", got)
		}
		if at := got.SentAt; !at.IsZero() && !contains(sent, at) {
			t.Errorf("sent at %v, but writes left at %v", at, sent)
		}
		if got.Attempts != len(sent) || got.Attempts != s.writes || s.after > 0 {
			t.Errorf("%d attempts, %d told, %d writes arrived, %d of them after a refusal", got.Attempts, len(sent), s.writes, s.after)
		}
		if got.Kind == PendingApproval && got.Link == "" && !s.asked {
			t.Errorf("%+v, but nobody was asked", got)
		}
		if got.Saved != "" && got.Kind != Applied && got.Kind != Unknown {
			t.Errorf("%+v: nothing was overwritten", got)
		}
		if spent := k.now.Sub(start); spent > DefaultDeadline+4*1500*time.Millisecond {
			t.Errorf("took %v", spent)
		}
	})
}

func contains(all []time.Time, at time.Time) bool {
	for _, t := range all {
		if t.Equal(at) {
			return true
		}
	}
	return false
}

func planned(k *clock, transport http.RoundTripper) *Switch {
	world := k.runtime()
	world.Transport = transport
	return newSwitch("demo", versioned{}, Config{System: Webhook{}}.withDefaults(), world)
}

// script answers one call after the other; an empty status is a lost connection.
type script struct {
	answers []string
	asked   []string
}

// RoundTrip implements http.RoundTripper.
func (s *script) RoundTrip(q *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, q.Method+" "+q.URL.RequestURI())
	next := s.answers[0]
	s.answers = s.answers[1:]
	status, _ := strconv.Atoi(next[:min(len(next), 3)])
	if status == 0 {
		return nil, errors.New("connection reset")
	}
	return answer(status, next[min(len(next), 4):]), nil
}

// TestReadsWait: a read that is asked to wait is not repeated before, and a wait
// beyond the deadline ends the kill at once.
func TestReadsWait(t *testing.T) {
	for asked, end := range map[string]want{
		"9":   {kind: Applied, attempts: 1, waited: 9 * time.Second},
		"600": {kind: Unknown, attempts: 1, detail: "429 Too Many Requests"},
	} {
		server, limited := &unleashServer{enabled: true}, false
		p := &peer{system: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Method == http.MethodGet && !server.enabled && !limited {
				limited = true
				w.Header().Set("Retry-After", asked)
				reply(w, 429, "")
				return
			}
			server.ServeHTTP(w, q)
		})}
		p.kill(t, unleashConfig(), request(), end)
	}
}

// TestPlan walks through a plan of several calls.
func TestPlan(t *testing.T) {
	const id, flag, version, write, ask, refresh = "GET /id", "GET /flag", "GET /version", "PUT /flag?version=", "POST /approvals", "POST /refresh"
	tests := []struct {
		name    string
		answers []string
		asked   []string
		want    Outcome
		sent    float64 // −1: never accepted
	}{
		{"all goes well", []string{"200", "200 on", "200 7", "200", "200", "200", "200 off"},
			[]string{id, flag, version, write + "7", refresh, id, flag}, Outcome{Kind: Applied, Attempts: 1, Saved: "7"}, 0},
		{"the look before the write fails: nothing was applied, and nothing has to be doubted", []string{"200", "200 on", "", "200 7", "200", "200", "200", "200 off"},
			[]string{id, flag, version, version, write + "7", refresh, id, flag}, Outcome{Kind: Applied, Attempts: 1, Saved: "7"}, 0.125},
		{"a lost race begins with another look", []string{"200", "200 on", "200 7", "409", "200", "200 on", "200 8", "200", "200", "200", "200 off"},
			[]string{id, flag, version, write + "7", id, flag, version, write + "8", refresh, id, flag}, Outcome{Kind: Applied, Attempts: 2, Saved: "7"}, 0.125},
		{"the refresh is lost: the write counts", []string{"200", "200 on", "200 7", "200", "", "200", "200 off"},
			[]string{id, flag, version, write + "7", refresh, id, flag}, Outcome{Kind: Applied, Attempts: 1, Saved: "7"}, 0},
		{"an approval is asked for", []string{"200", "200 on", "200 7", "405", "201"},
			[]string{id, flag, version, write + "7", ask}, Outcome{Kind: PendingApproval, Attempts: 1, Link: "http://flags.example/1"}, -1},
		{"it is asked for, and no answer comes", []string{"200", "200 on", "200 7", "405", ""},
			[]string{id, flag, version, write + "7", ask}, Outcome{Kind: PendingApproval, Attempts: 1}, -1},
		{"the look is refused", []string{"200", "200 on", "403"},
			[]string{id, flag, version}, Outcome{Kind: Denied}, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, s := newClock(), &script{answers: tt.answers}
			start := k.now
			got, err := planned(k, s).Off(t.Context(), request())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.asked, s.asked); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			tt.want.SentAt, tt.want.ReadBackAt, tt.want.Detail = after(start, tt.sent), got.ReadBackAt, got.Detail
			if diff := cmp.Diff(tt.want, got); diff != "" || got.Off() == got.ReadBackAt.IsZero() {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}
