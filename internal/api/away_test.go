package api

import (
	"context"
	"errors"
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
}
