package killswitch

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func request() Request {
	return Request{
		Target: Target{Experiment: "new-search"}, Key: "kill-1", Iteration: 1,
		DecidedAt: time.Date(2026, 3, 1, 11, 59, 59, 0, time.UTC), Reason: "errors beyond the margin", Evidence: "+6.1 pp",
	}
}

// TestOff runs every fault that a receiver can have. Times are seconds after the
// start; the clock moves only while the engine waits, and without jitter its
// pauses are 125 ms, 250 ms, 500 ms, 1 s, 2 s, then 2.5 s each.
func TestOff(t *testing.T) {
	applied := behaviour{apply: true, status: 200}
	seconds := func(after string) http.Header { return http.Header{"Retry-After": {after}} }
	tests := []struct {
		name   string
		script []behaviour
		change func(*Config, *receiver)

		kind     Kind
		sent     float64 // −1: never accepted
		readBack float64 // −1: never read as off
		attempts int
		detail   string
	}{
		{name: "applied", script: []behaviour{applied},
			kind: Applied, attempts: 1, detail: "200 OK"},
		{name: "already off, so no call is sent", script: []behaviour{applied},
			change: func(_ *Config, r *receiver) { r.enabled = false },
			kind:   AlreadyOff, sent: -1, detail: "off already"},
		{name: "no answer, but applied: the call that got no answer counts", script: []behaviour{{apply: true, hang: true}},
			change: func(c *Config, _ *receiver) { c.Timeout = 50 * time.Millisecond },
			kind:   Applied, attempts: 1, detail: "no answer in time; it reads as off all the same"},
		{name: "no answer and not applied: the second call counts", script: []behaviour{{hang: true}, applied},
			change: func(c *Config, _ *receiver) { c.Timeout = 50 * time.Millisecond },
			kind:   Applied, sent: 0.125, readBack: 0.125, attempts: 2, detail: "200 OK"},
		{name: "429 with Retry-After", script: []behaviour{{status: 429, header: seconds("7")}, applied},
			kind: Applied, sent: 7, readBack: 7, attempts: 2},
		{name: "429 that asks for more than there is: say so at once", script: []behaviour{{status: 429, header: seconds("61")}},
			kind: RateLimited, sent: -1, readBack: -1, attempts: 1, detail: "429 Too Many Requests"},
		{name: "429 as a date", script: []behaviour{{status: 429, header: seconds("Sun, 01 Mar 2026 12:00:09 GMT")}, applied},
			kind: Applied, sent: 9, readBack: 9, attempts: 2},
		{name: "425", script: []behaviour{{status: 425}, applied},
			kind: Applied, sent: 0.125, readBack: 0.125, attempts: 2},
		{name: "408", script: []behaviour{{status: 408}, applied},
			kind: Applied, sent: 0.125, readBack: 0.125, attempts: 2},
		{name: "conflict, then applied", script: []behaviour{{status: 409}, applied},
			kind: Applied, sent: 0.125, readBack: 0.125, attempts: 2},
		{name: "conflict because somebody else turned it off", script: []behaviour{{status: 409, apply: true}},
			kind: AlreadyOff, sent: -1, attempts: 1, detail: "409 Conflict; it now reads as off"},
		{name: "conflict until the deadline", script: []behaviour{{status: 409, body: "locked"}},
			kind: Conflict, sent: -1, readBack: -1, attempts: 28, detail: "409 Conflict: locked"},
		{name: "500, then applied", script: []behaviour{{status: 500}, applied},
			kind: Applied, sent: 0.125, readBack: 0.125, attempts: 2},
		{name: "502 of a proxy after it was applied", script: []behaviour{{status: 502, apply: true}},
			kind: Applied, attempts: 1, detail: "502 Bad Gateway; it reads as off all the same"},
		{name: "of two calls without a clear answer the one after which it was no longer on", script: []behaviour{{status: 503}, {status: 503, apply: true}},
			kind: Applied, sent: 0.125, readBack: 0.125, attempts: 2},
		{name: "a call never outlasts the deadline", script: []behaviour{{hang: true}},
			change: func(c *Config, _ *receiver) { c.Timeout, c.Deadline = time.Hour, 50*time.Millisecond },
			kind:   Unknown, sent: -1, readBack: -1, attempts: 1, detail: "no answer in time"},
		{name: "once accepted, it reads soon and not after the long pauses before",
			script: []behaviour{{status: 503}, {status: 503}, {status: 503}, applied},
			change: func(_ *Config, r *receiver) { r.unread = 5 },
			kind:   Applied, sent: 0.875, readBack: 1, attempts: 4},
		{name: "410", script: []behaviour{{status: 410}},
			kind: NotFound, sent: -1, readBack: -1, attempts: 1, detail: "410"},
		{name: "500 until the deadline", script: []behaviour{{status: 500}},
			kind: Unknown, sent: -1, readBack: -1, attempts: 28, detail: "500"},
		{name: "400", script: []behaviour{{status: 400, body: "bad flag"}},
			kind: Denied, sent: -1, readBack: -1, attempts: 1, detail: "400 Bad Request: bad flag"},
		{name: "401", script: []behaviour{{status: 401}},
			kind: Denied, sent: -1, readBack: -1, attempts: 1, detail: "401"},
		{name: "403", script: []behaviour{{status: 403}},
			kind: Denied, sent: -1, readBack: -1, attempts: 1, detail: "403"},
		{name: "422", script: []behaviour{{status: 422}},
			kind: Denied, sent: -1, readBack: -1, attempts: 1, detail: "422"},
		{name: "404", script: []behaviour{{status: 404}},
			kind: NotFound, sent: -1, readBack: -1, attempts: 1, detail: "404"},
		{name: "accepted, but still on", script: []behaviour{{status: 200}},
			kind: Unknown, readBack: -1, attempts: 1, detail: "accepted (200 OK), but it still reads as on"},
		{name: "accepted, and nothing to read", script: []behaviour{{status: 202, apply: true}},
			change: func(c *Config, r *receiver) { c.System = r.blind() },
			kind:   Unknown, readBack: -1, attempts: 1, detail: "a kill can never be verified"},
		{name: "the state cannot be read at first", script: []behaviour{applied},
			change: func(_ *Config, r *receiver) { r.unread = 3 },
			kind:   Applied, readBack: 0.375, attempts: 1},
		{name: "refused in the end, but the first call had worked",
			script: []behaviour{{status: 503, apply: true}, {status: 403}},
			change: func(_ *Config, r *receiver) { r.unread = 2 },
			kind:   Applied, readBack: 0.125, attempts: 2, detail: "403 Forbidden; an earlier call turned it off"},
		{name: "nothing to read, 503, then accepted", script: []behaviour{{status: 503}, applied},
			change: func(c *Config, r *receiver) { c.System = r.blind() },
			kind:   Unknown, sent: 0.125, readBack: -1, attempts: 2},
		{name: "two calls without an answer, applied, state unreadable meanwhile: the first counts",
			script: []behaviour{{status: 503}, {status: 503, apply: true}},
			change: func(_ *Config, r *receiver) { r.unread = 2 },
			kind:   Applied, readBack: 0.125, attempts: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, k := newReceiver(t, tt.script...), newClock()
			c := r.config()
			if tt.change != nil {
				tt.change(&c, r)
			}
			start := k.now
			got, err := r.open(t, c, k).Off(t.Context(), request())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got.Detail, tt.detail) {
				t.Errorf("detail %q, want %q in it", got.Detail, tt.detail)
			}
			want := Outcome{Kind: tt.kind, SentAt: after(start, tt.sent), ReadBackAt: after(start, tt.readBack), Attempts: tt.attempts, Detail: got.Detail}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if len(r.offs) != tt.attempts {
				t.Errorf("the receiver saw %d calls, want %d", len(r.offs), tt.attempts)
			}
			if spent := k.now.Sub(start); spent > time.Minute {
				t.Errorf("took %v, past the deadline", spent)
			}
		})
	}
}

func after(start time.Time, seconds float64) time.Time {
	if seconds < 0 {
		return time.Time{}
	}
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// TestOffAt: what the iteration's end is taken from.
func TestOffAt(t *testing.T) {
	sent, read := time.Unix(10, 0), time.Unix(11, 0)
	tests := []struct {
		name     string
		outcome  Outcome
		want     time.Time
		accepted bool
	}{
		{"applied", Outcome{Kind: Applied, SentAt: sent, ReadBackAt: read}, sent, false},
		{"already off", Outcome{Kind: AlreadyOff, ReadBackAt: read}, read, false},
		{"accepted only", Outcome{Kind: Unknown, SentAt: sent}, time.Time{}, true},
		{"denied", Outcome{Kind: Denied}, time.Time{}, false},
		{"nothing yet", Outcome{}, time.Time{}, false},
	}
	for _, tt := range tests {
		if got := tt.outcome.OffAt(); !got.Equal(tt.want) {
			t.Errorf("%s: off at %v, want %v", tt.name, got, tt.want)
		}
		if got := tt.outcome.Accepted(); got != tt.accepted {
			t.Errorf("%s: accepted %v, want %v", tt.name, got, tt.accepted)
		}
	}
}

func TestOffTellsItsStages(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 503}, behaviour{status: 200, apply: true}), newClock()
	start := k.now
	var got []string
	q := request()
	q.Progress = func(s Stage, at time.Time) { got = append(got, string(s)+" "+at.Sub(start).String()) }
	if _, err := r.open(t, r.config(), k).Off(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	want := []string{"sending 0s", "sending 125ms", "accepted 125ms", "verified 125ms"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
}

func TestOffEndsWithItsContext(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 503}), newClock()
	ctx, cancel := context.WithCancel(t.Context())
	world := k.runtime()
	world.Sleep = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return sleep(ctx, time.Hour)
	}
	s, err := New("demo", r.config(), world)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Off(ctx, request())
	if !errors.Is(err, context.Canceled) || got.Kind != Unknown || got.Attempts != 1 {
		t.Errorf("got %+v, %v; want an unknown outcome after one call, and the context's error", got, err)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := newReceiver(t, behaviour{status: 200, apply: true})
	to := http.Header{"Location": {elsewhere.URL + "/flags/new-search/off"}}
	r, k := newReceiver(t, behaviour{status: 307, header: to}), newClock()
	got, err := r.open(t, r.config(), k).Off(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind != Unknown || !got.SentAt.IsZero() || !strings.Contains(got.Detail, "redirects are not followed") {
		t.Errorf("outcome %+v, want an unknown one that names the redirect", got)
	}
	if len(elsewhere.offs) != 0 {
		t.Errorf("the call went to %d other places", len(elsewhere.offs))
	}
}

func TestState(t *testing.T) {
	r, k := newReceiver(t, behaviour{status: 200}), newClock()
	s := r.open(t, r.config(), k)
	for _, want := range []State{StateOn, StateOff} {
		r.enabled = want == StateOn
		if got, err := s.State(t.Context(), request().Target); err != nil || got != want {
			t.Errorf("state %v, %v; want %v", got, err, want)
		}
	}
	r.unread = 100
	if _, err := s.State(t.Context(), request().Target); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("the state of a system that is down: %v", err)
	}
	blind := r.config()
	blind.System = r.blind()
	if _, err := r.open(t, blind, k).State(t.Context(), request().Target); !errors.Is(err, ErrNoReadBack) {
		t.Errorf("the state without read-back: %v, want ErrNoReadBack", err)
	}
	if len(r.offs) != 0 {
		t.Error("looking turned it off")
	}
}
