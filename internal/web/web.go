// Package web is the program's HTTP door: metrics for Prometheus, health and
// readiness. It listens on loopback unless told otherwise.
package web

import (
	"context"
	"crypto/tls"
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

	"github.com/assay-dev/assay/internal/access"
)

// Check says why a part is not ready; nil when it is.
type Check func(context.Context) error

// Door decides who comes in.
type Door interface {
	// Login tells whether nobody comes in without one.
	Login() bool
	// Around asks what concerns every request.
	Around(http.Handler) http.Handler
	// Route asks whether a request may do what a pattern is for.
	Route(pattern string, h http.Handler) http.Handler
}

// Config says where to listen and what to show.
type Config struct {
	Listen   string                  // host:port; port 0 takes a free one
	Gatherer prometheus.Gatherer     // what /metrics shows
	Ready    map[string]Check        // what /readyz asks, by the part's name
	Alive    map[string]Check        // what /healthz asks: parts that only a new start mends
	Pages    map[string]http.Handler // further pages by pattern, such as the reports
	Mount    []func(*Router) error   // parts that register many
	Door     Door
	Around   func(pattern string, h http.Handler) http.Handler // of each route, before the door; nil: nothing
	Anywhere bool                                              // there is nothing behind the door but metrics and health: it may stand open
	TLS      *tls.Config                                       // optional
	Log      *slog.Logger
}

// ErrOpen says that everybody could come in.
var ErrOpen = errors.New("beyond loopback nobody comes in without a login, and none is configured")

// Server is the door. It is inert until Run.
type Server struct {
	cfg      Config
	router   *Router
	listener net.Listener
}

// Listen opens the address, so that it is known (Addr) before anything is served.
func Listen(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Door == nil {
		return nil, errors.New("web: who comes in? A door is needed")
	}
	if cfg.Around == nil {
		cfg.Around = func(_ string, h http.Handler) http.Handler { return h }
	}
	s := &Server{cfg: cfg, router: &Router{mux: http.NewServeMux(), door: cfg.Door, around: cfg.Around}}
	if err := s.mount(); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	if !cfg.Door.Login() && !cfg.Anywhere && !onLoopback(l.Addr()) {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", cfg.Listen, ErrOpen), l.Close())
	}
	if s.listener = l; cfg.TLS != nil {
		s.listener = tls.NewListener(l, cfg.TLS)
	}
	return s, nil
}

// onLoopback tells whether only this machine reaches an address.
func onLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Routes are the patterns that are served.
func (s *Server) Routes() []string { return s.router.Patterns() }

// Close gives the address back. Run does it too.
func (s *Server) Close() error { return s.listener.Close() }

// Addr is host:port as it is listened on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets requests finish for up to five seconds.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug)}
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

func (s *Server) handler() http.Handler { return secured(s.cfg.Door.Around(s.router)) }

// mount registers everything.
func (s *Server) mount() error {
	r := s.router
	r.Handle("GET /metrics", promhttp.HandlerFor(s.cfg.Gatherer, promhttp.HandlerOpts{}))
	r.HandleFunc("GET /healthz", s.healthz)
	r.HandleFunc("GET /readyz", s.readyz)
	for pattern, h := range s.cfg.Pages {
		r.Handle(pattern, h)
	}
	for _, mount := range s.cfg.Mount {
		if err := mount(r); err != nil {
			return err
		}
	}
	return nil
}

// healthz answers 200 while the process does what it is for, or may do so again by itself.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	for name, check := range s.cfg.Alive {
		if err := check(r.Context()); err != nil {
			s.cfg.Log.Error("not alive", "part", name, "error", err)
			http.Error(w, name+" is stuck", http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = fmt.Fprintln(w, "ok")
}

// readyz answers 200 when every part is ready, else 503 and each part's reason: to
// who may read, since it may name addresses. ?part=NAME asks for that one alone.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	names := make([]string, 0, len(s.cfg.Ready))
	only := r.URL.Query().Get("part")
	for name := range s.cfg.Ready {
		if only == "" || only == name {
			names = append(names, name)
		}
	}
	if len(names) == 0 && only != "" {
		http.Error(w, "there is no part of this name", http.StatusNotFound)
		return
	}
	sort.Strings(names)
	state, code := map[string]string{}, http.StatusOK
	for _, name := range names {
		state[name] = "ok"
		if err := s.cfg.Ready[name](ctx); err != nil {
			state[name], code = "not ready", http.StatusServiceUnavailable
			if access.From(r.Context()).May(access.Read, access.Experiment{}) {
				state[name] = err.Error()
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(state); err != nil {
		s.cfg.Log.Debug("answer not written", "error", err)
	}
}
