package killswitch

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// system is a flag system in memory whose every answer is drawn.
type system struct {
	t     *rapid.T
	clock *clock
	off   bool
	sent  []time.Time // off calls
	last  int         // status of the last off call, 0 without an answer
	tries int         // off calls after an answer that forbids another
}

// RoundTrip implements http.RoundTripper.
func (s *system) RoundTrip(q *http.Request) (*http.Response, error) {
	s.clock.now = s.clock.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(s.t, "latency")) * time.Millisecond)
	if q.Method == http.MethodGet {
		if rapid.IntRange(0, 3).Draw(s.t, "read") == 0 {
			return nil, errors.New("connection refused")
		}
		body := `{"enabled":true}`
		if s.off {
			body = `{"enabled":false}`
		}
		return answer(http.StatusOK, body), nil
	}
	if s.last != 0 && s.last != 408 && s.last != 409 && s.last != 425 && s.last != 429 && s.last < 500 {
		s.tries++
	}
	s.sent = append(s.sent, s.clock.now)
	s.last = rapid.SampledFrom([]int{0, 0, 200, 202, 307, 400, 403, 404, 408, 409, 425, 429, 500, 503}).Draw(s.t, "status")
	s.off = s.off || rapid.Bool().Draw(s.t, "apply")
	if s.last == 0 {
		return nil, errors.New("connection reset")
	}
	return answer(s.last, ""), nil
}

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// TestOffNeverClaimsTooMuch draws whole histories of faults. Whatever happens:
// only a switch that reads as off is called off, nothing is sent after a final
// answer, and the deadline holds up to the call under way.
func TestOffNeverClaimsTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newClock()
		sys := &system{t: t, clock: k, off: rapid.Bool().Draw(t, "off before")}
		world := k.runtime()
		world.Transport = sys
		s, err := New("demo", Config{System: Webhook{
			URL: "http://flags.example/off", Secret: "s",
			ReadBack: ReadBack{URL: "http://flags.example/state", Path: "enabled", Off: "false"},
		}}, world)
		if err != nil {
			t.Fatal(err)
		}
		start := k.now
		got, err := s.Off(t.Context(), request())
		if err != nil {
			t.Fatal(err)
		}
		if got.Off() && (!sys.off || got.ReadBackAt.IsZero()) {
			t.Errorf("%+v, but the switch is off: %v", got, sys.off)
		}
		if got.Kind == Applied && (got.SentAt.IsZero() || got.SentAt.After(got.ReadBackAt)) {
			t.Errorf("applied, but sent at %v and read back at %v", got.SentAt, got.ReadBackAt)
		}
		if got.Kind == "" || got.Attempts != len(sys.sent) || sys.tries > 0 {
			t.Errorf("%+v after %d calls, %d of them after a final answer", got, len(sys.sent), sys.tries)
		}
		if spent := k.now.Sub(start); spent > DefaultDeadline+3*2*time.Second {
			t.Errorf("took %v", spent)
		}
	})
}
