package clickhouse

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

// TestFailed: every try that fails is counted by the server's code, and what was given up
// is none of them.
func TestFailed(t *testing.T) {
	var codes []int32
	db := &DB{log: slog.New(slog.DiscardHandler), cfg: Config{Failed: func(code int32) { codes = append(codes, code) }}}
	answers := []error{io.EOF, &clickhouse.Exception{Code: 210}, &clickhouse.Exception{Code: 246}}
	err := db.retry(t.Context(), "read", func(context.Context) error { a := answers[0]; answers = answers[1:]; return a })
	if err == nil || !slices.Equal(codes, []int32{0, 210, 246}) {
		t.Errorf("codes %v, %v", codes, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.retry(ctx, "read", func(context.Context) error { return errors.Join(ctx.Err()) }); err == nil || len(codes) != 3 {
		t.Errorf("codes %v, %v", codes, err)
	}
}
