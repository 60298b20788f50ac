package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/catalog"
)

// TestAway: without ClickHouse who asks is told so, and what to do; nobody is sent to a
// log.
func TestAway(t *testing.T) {
	ctx, end := context.WithCancelCause(t.Context())
	end(&catalog.Away{})
	a := &API{parts: Parts{Log: slog.New(slog.DiscardHandler)}}
	for what, err := range map[string]error{"a question": a.refuse(ctx, errors.New("query versions: context canceled")), "an order": a.refuseAct(ctx, errors.New("append: context canceled"))} {
		p, _ := errors.AsType[*Problem](err)
		if p == nil || p.Status != 503 || !strings.HasPrefix(p.Detail, "ClickHouse has not answered since ") || p.Hint == "" {
			t.Errorf("%s: %+v", what, p)
		}
	}
	away := fmt.Errorf("read the statuses: %w", missing{})
	if p := a.refuse(t.Context(), away); p.Status != 503 || p.Detail != "a node is away" {
		t.Errorf("a part of it: %+v", p)
	}
}

// missing is an error of what cannot be read for now.
type missing struct{}

func (missing) Error() string       { return "node b: dial tcp 10.0.0.7:9000: connection refused" }
func (missing) Unavailable() string { return "a node is away" }
