package killswitch

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// receiver is a flag system with faults. Each off call takes the next behaviour
// of its script; the last one stays.
type receiver struct {
	*httptest.Server
	script []behaviour

	mu      sync.Mutex
	enabled bool
	reads   int
	unread  int // so many reads fail before one works
	offs    []arrival
	release chan struct{} // closing it lets hanging answers go
}

// arrival is an off call as it came in.
type arrival struct {
	Path, ID, Timestamp, Signature string
	Body                           []byte
}

// behaviour is what the receiver does with one off call.
type behaviour struct {
	apply  bool // turns the flag off
	hang   bool // and never answers
	status int
	header http.Header
	body   string
}

func newReceiver(t *testing.T, script ...behaviour) *receiver {
	t.Helper()
	r := &receiver{script: script, enabled: true, release: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /flags/{key}/off", r.off)
	mux.HandleFunc("GET /flags/{key}", r.state)
	r.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		close(r.release)
		r.Close()
	})
	return r
}

func (r *receiver) off(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	next := r.script[min(len(r.offs), len(r.script)-1)]
	r.offs = append(r.offs, arrival{
		Path: q.URL.Path, Body: body, ID: q.Header.Get("webhook-id"),
		Timestamp: q.Header.Get("webhook-timestamp"), Signature: q.Header.Get("webhook-signature"),
	})
	r.enabled = r.enabled && !next.apply
	r.mu.Unlock()
	if next.hang {
		<-r.release
		return
	}
	for name, values := range next.header {
		w.Header()[name] = values
	}
	w.WriteHeader(next.status)
	io.WriteString(w, next.body)
}

func (r *receiver) state(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	if r.reads <= r.unread {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"key": q.PathValue("key"), "enabled": r.enabled}})
}

// clock is a time that passes only by waiting.
type clock struct {
	now   time.Time
	waits []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Sleep(_ context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	return nil
}

// runtime has no jitter: every pause is half of its step.
func (c *clock) runtime() Runtime {
	return Runtime{Now: c.Now, Sleep: c.Sleep, Random: func() float64 { return 0 }, Transport: &http.Transport{DisableKeepAlives: true}}
}

const testSecret = "a-secret-of-the-demo"

func (r *receiver) config() Config {
	return Config{Timeout: 2 * time.Second, System: Webhook{
		URL:      r.URL + "/flags/{flag}/off",
		Secret:   testSecret,
		ReadBack: ReadBack{URL: r.URL + "/flags/{flag}", Path: "data.enabled", Off: "false"},
	}}
}

// blind cannot be read back.
func (r *receiver) blind() Webhook {
	return Webhook{URL: r.URL + "/flags/{flag}/off", Secret: testSecret}
}

func (r *receiver) open(t *testing.T, c Config, k *clock) *Switch {
	t.Helper()
	s, err := New("demo", c, k.runtime())
	if err != nil {
		t.Fatal(err)
	}
	return s
}
