// Package web is the program's HTTP door: metrics for Prometheus, health and
// readiness. It listens on loopback unless told otherwise.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sort"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check says why a part is not ready; nil when it is.
type Check func(context.Context) error

// Config says where to listen and what to show.
type Config struct {
	Listen   string                  // host:port; port 0 takes a free one
	Gatherer prometheus.Gatherer     // what /metrics shows
	Ready    map[string]Check        // what /readyz asks, by the part's name
	Pages    map[string]http.Handler // further pages by pattern, such as the reports
	Log      *slog.Logger
}

// Server is the door. It is inert until Run.
type Server struct {
	cfg      Config
	listener net.Listener
}

// Listen opens the address, so that it is known (Addr) before anything is served.
func Listen(ctx context.Context, cfg Config) (*Server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	return &Server{cfg: cfg, listener: l}, nil
}

// Addr is host:port as it is listened on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets requests finish for up to five seconds.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- srv.Shutdown(grace)
	}()
	if err := srv.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.cfg.Gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	for pattern, h := range s.cfg.Pages {
		mux.Handle(pattern, h)
	}
	return secured(mux)
}

// readyz answers 200 when every part is ready, else 503 and each part's reason.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	names := make([]string, 0, len(s.cfg.Ready))
	for name := range s.cfg.Ready {
		names = append(names, name)
	}
	sort.Strings(names)
	state, code := map[string]string{}, http.StatusOK
	for _, name := range names {
		state[name] = "ok"
		if err := s.cfg.Ready[name](ctx); err != nil {
			state[name], code = err.Error(), http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(state); err != nil {
		s.cfg.Log.Debug("answer not written", "error", err)
	}
}

// secured sets the headers that every answer carries: pages load nothing from
// elsewhere and stand in nobody's frame.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
