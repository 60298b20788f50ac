package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// flags is somebody else's flag system: POST /KEY/off, GET /KEY.
type flags struct {
	*httptest.Server
	mu    sync.Mutex
	off   map[string]bool
	calls map[string]int
	// answer is the status of an off call and whether it does what it was asked.
	answer func(key string) (status int, does bool)
}

func newFlags(t *testing.T, answer func(key string) (int, bool)) *flags {
	f := &flags{off: map[string]bool{}, calls: map[string]int{}, answer: answer}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

// obedient turns off whatever it is asked to.
func obedient(string) (int, bool) { return http.StatusOK, true }

func (f *flags) serve(w http.ResponseWriter, r *http.Request) {
	key := strings.Split(strings.Trim(r.URL.Path, "/"), "/")[0]
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodPost {
		f.calls[key]++
		status, does := f.answer(key)
		f.off[key] = f.off[key] || does
		w.WriteHeader(status)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]bool{"enabled": !f.off[key]})
}

// called tells how often a flag was asked to go off.
func (f *flags) called(key string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[key]
}

// on tells whether a product that asks would show the treatment.
func (f *flags) on(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.off[key]
}

// yaml is the part of assay.yaml that names this system.
func (f *flags) yaml(deadline string) string {
	return fmt.Sprintf(`switches:
  flags:
    deadline: %s
    webhook:
      url: %s/{experiment}/off
      secret: {env: ASSAY_E2E_SECRET}
      read_back: {url: "%s/{experiment}", path: enabled, off: "false"}
`, deadline, f.URL, f.URL)
}
