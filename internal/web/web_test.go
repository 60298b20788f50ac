package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/assay-dev/assay/internal/access"
)

func TestServer(t *testing.T) {
	defer goleak.VerifyNone(t)
	reg := prometheus.NewRegistry()
	events := prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_test_total", Help: "test"})
	reg.MustRegister(events)
	var broken, stuck error
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Listen(ctx, Config{
		Listen: "127.0.0.1:0", Gatherer: reg, Log: slog.New(slog.DiscardHandler), Door: open{},
		Alive: map[string]Check{"guard": func(context.Context) error { return stuck }},
		Ready: map[string]Check{"clickhouse": func(context.Context) error { return broken }, "kafka": func(context.Context) error { return nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()

	get := func(path string, code int, want string) {
		t.Helper()
		tr := &http.Transport{DisableKeepAlives: true}
		resp, err := (&http.Client{Transport: tr}).Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != code || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s, want %d with %q", path, resp.StatusCode, body, code, want)
		}
	}
	get("/healthz", 200, "ok")
	get("/metrics", 200, "assay_test_total 0")
	get("/readyz", 200, `"clickhouse":"ok"`)
	broken = errors.New("connection refused")
	get("/readyz", 503, `"clickhouse":"connection refused","kafka":"ok"`)
	get("/readyz?part=kafka", 200, `{"kafka":"ok"}`)
	get("/readyz?part=clickhouse", 503, `{"clickhouse":"connection refused"}`)
	get("/readyz?part=nothing", 404, "no part of this name")

	stuck = errors.New("its loop has not come round")
	get("/healthz", 503, "guard is stuck")

	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestListenSaysWhere(t *testing.T) {
	_, err := Listen(t.Context(), Config{Listen: "127.0.0.1:-1", Door: open{}, Gatherer: prometheus.NewRegistry()})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:-1") {
		t.Errorf("error %v does not name the address", err)
	}
}

// open is a door without a lock.
type open struct{ login bool }

func (o open) Login() bool { return o.login }

func (open) Around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Principal{Role: access.Viewer})))
	})
}

func (open) Route(_ string, h http.Handler) http.Handler { return h }

// TestListenBeyondLoopback: where others can reach it, there must be a login, or
// nothing behind the door.
func TestListenBeyondLoopback(t *testing.T) {
	for _, c := range []struct {
		listen          string
		login, anywhere bool
		ok              bool
	}{
		{"127.0.0.1:0", false, false, true}, {"localhost:0", false, false, true},
		{"0.0.0.0:0", false, false, false}, {":0", false, false, false},
		{"0.0.0.0:0", true, false, true}, {"0.0.0.0:0", false, true, true},
	} {
		s, err := Listen(t.Context(), Config{Listen: c.listen, Door: open{c.login}, Anywhere: c.anywhere, Gatherer: prometheus.NewRegistry()})
		if (err == nil) != c.ok || !c.ok && !errors.Is(err, ErrOpen) {
			t.Errorf("%+v: %v", c, err)
		}
		if s != nil {
			s.Close()
		}
	}
	if _, err := Listen(t.Context(), Config{Listen: "127.0.0.1:0"}); err == nil {
		t.Error("it listens without a door")
	}
}

// TestPolicy: pages load what is ours; reports, which are files of their own, have
// their style inside and load nothing.
func TestPolicy(t *testing.T) {
	s, err := Listen(t.Context(), Config{
		Listen: "127.0.0.1:0", Door: open{}, Gatherer: prometheus.NewRegistry(),
		Pages: map[string]http.Handler{"GET /reports/": http.NotFoundHandler(), "GET /{$}": http.NotFoundHandler()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for path, want := range map[string][2]string{
		"/": {"default-src 'self';", "unsafe"}, "/reports/day.html": {"default-src 'none'; style-src 'unsafe-inline'", "script"},
	} {
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, want[0]) || strings.Contains(policy, want[1]) || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	if got, want := s.Routes(), []string{"GET /healthz", "GET /metrics", "GET /readyz", "GET /reports/", "GET /{$}"}; !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
}
