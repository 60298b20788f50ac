package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// Profiles serves Go's profiles on an address of their own, which is on loopback
// (config refuses others): they tell of memory, and taking one costs time. Without an
// address it does nothing.
func (s *Stack) Profiles(ctx context.Context) (Part, error) {
	if s.Config.Profiles == "" {
		return func(context.Context) error { return nil }, nil
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.Config.Profiles)
	if err != nil {
		return nil, fmt.Errorf("listen for profiles: %w", err)
	}
	s.Log.Info("serving profiles", "address", listener.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // a profile under way is of no use then
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve profiles: %w", err)
		}
		return nil
	}, nil
}
