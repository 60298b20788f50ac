package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestServer(t *testing.T) {
	defer goleak.VerifyNone(t)
	reg := prometheus.NewRegistry()
	events := prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_test_total", Help: "test"})
	reg.MustRegister(events)
	var broken error
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Listen(ctx, Config{
		Listen: "127.0.0.1:0", Gatherer: reg, Log: slog.New(slog.DiscardHandler),
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
		if !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s: no content security policy", path)
		}
	}
	get("/healthz", 200, "ok")
	get("/metrics", 200, "assay_test_total 0")
	get("/readyz", 200, `"clickhouse":"ok"`)
	broken = errors.New("connection refused")
	get("/readyz", 503, `"clickhouse":"connection refused","kafka":"ok"`)

	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestListenSaysWhere(t *testing.T) {
	_, err := Listen(t.Context(), Config{Listen: "127.0.0.1:-1"})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:-1") {
		t.Errorf("error %v does not name the address", err)
	}
}
