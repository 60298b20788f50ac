package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxBody      = 64 << 10
	readTimeout  = 5 * time.Second
	shutdownTime = time.Second
)

// FlagService is the flag system of the demo. It serves
//
//	POST /assign            {"flag","unit"} → {"variant":"treatment"} or {"variant":null,"reason":"DISABLED"}
//	GET  /flags/{key}       → {"key","enabled"}
//	POST /flags/{key}/off   a message signed as Standard Webhooks has it
//
// Every flag starts on, and there is no way to turn one on again.
type FlagService struct {
	flags  map[string]Flag
	secret string
	now    func() time.Time
	mux    *http.ServeMux

	mu  sync.RWMutex
	off map[string]bool
}

// NewFlagService makes the service. The secret signs the off calls; now is the
// clock that their age is measured with.
func NewFlagService(flags []Flag, secret string, now func() time.Time) *FlagService {
	s := &FlagService{flags: map[string]Flag{}, secret: secret, now: now, mux: http.NewServeMux(), off: map[string]bool{}}
	for _, f := range flags {
		s.flags[f.Key] = f
	}
	s.mux.HandleFunc("POST /assign", s.assign)
	s.mux.HandleFunc("GET /flags/{key}", s.show)
	s.mux.HandleFunc("POST /flags/{key}/off", s.turnOff)
	return s
}

// ServeHTTP implements http.Handler.
func (s *FlagService) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Serve answers on the listener until the context ends.
func (s *FlagService) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: readTimeout}
	stopped := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close() // what is still open is cut
		}
	})
	defer stopped()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve flags: %w", err)
	}
	return nil
}

// Enabled reports whether a flag exists and is on.
func (s *FlagService) Enabled(key string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, known := s.flags[key]
	return known && !s.off[key]
}

// assignment is the answer to a request for a variant.
type assignment struct {
	Variant *string `json:"variant"`
	Reason  string  `json:"reason,omitempty"`
}

func (s *FlagService) assign(w http.ResponseWriter, r *http.Request) {
	var q struct{ Flag, Unit string }
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&q); err != nil || q.Unit == "" {
		http.Error(w, `want {"flag":…,"unit":…}`, http.StatusBadRequest)
		return
	}
	flag, known := s.flags[q.Flag]
	switch {
	case !known:
		http.Error(w, "unknown flag", http.StatusNotFound)
	case !s.Enabled(q.Flag):
		reply(w, assignment{Reason: "DISABLED"})
	default:
		variant := flag.Assign(q.Unit)
		reply(w, assignment{Variant: &variant})
	}
}

// state is a flag as it is shown.
type state struct {
	Key     string `json:"key"`
	Enabled bool   `json:"enabled"`
}

func (s *FlagService) show(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if _, known := s.flags[key]; !known {
		http.Error(w, "unknown flag", http.StatusNotFound)
		return
	}
	reply(w, state{key, s.Enabled(key)})
}

// turnOff needs no memory of message ids: setting off twice is setting off.
func (s *FlagService) turnOff(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	if err := verify(r.Header, body, s.secret, s.now()); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	key := r.PathValue("key")
	if _, known := s.flags[key]; !known {
		http.Error(w, "unknown flag", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	s.off[key] = true
	s.mu.Unlock()
	reply(w, state{Key: key})
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	// An error here means that the caller is gone: there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
