package pages

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
)

// TestAway: without ClickHouse a page says so and since when, and asks again by itself.
func TestAway(t *testing.T) {
	p, err := New(Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancelCause(t.Context())
	end(&catalog.Away{Since: time.Date(2026, 11, 29, 15, 4, 5, 0, time.UTC)})
	h := p.handle(func(_ http.ResponseWriter, r *http.Request) error { return r.Context().Err() })
	for method, refresh := range map[string]string{http.MethodGet: "5", http.MethodPost: ""} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", http.NoBody).WithContext(ctx))
		if body := w.Body.String(); w.Code != http.StatusServiceUnavailable || !strings.Contains(body, "ClickHouse has not answered since 2026-11-29 15:04:05 UTC") {
			t.Errorf("%s: %d %s", method, w.Code, body)
		}
		if got := w.Header().Get("Refresh"); got != refresh {
			t.Errorf("%s: asks again after %q s, want %q", method, got, refresh)
		}
	}
}
