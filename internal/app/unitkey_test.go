package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
)

// begun is a ledger with parts, or without.
type begun bool

func (b begun) LastMark(context.Context, uint16) (m clickhouse.Mark, err error) {
	if b {
		m.Partitions = 4
	}
	return m, nil
}

// The first consumer makes the key, later ones find it, and none is made beside a
// ledger that was written with another.
func TestConsumerKey(t *testing.T) {
	cfg := config.Config{Data: filepath.Join(t.TempDir(), "data")}
	if _, err := UnitKey(cfg); !errors.Is(err, errNoUnitKey) {
		t.Errorf("a reader without a key: %v", err)
	}
	if _, err := consumerKey(t.Context(), cfg, begun(true)); !errors.Is(err, errNoUnitKey) {
		t.Errorf("a key beside a ledger: %v", err)
	}
	made, err := consumerKey(t.Context(), cfg, begun(false))
	if err != nil {
		t.Fatal(err)
	}
	found, err := consumerKey(t.Context(), cfg, begun(true))
	read, readErr := UnitKey(cfg)
	if err != nil || readErr != nil || found != made || read != made {
		t.Errorf("made %x, found %x (%v), read %x (%v)", made, found, err, read, readErr)
	}
	if err := os.WriteFile(ownUnitKey(cfg), []byte("00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := consumerKey(t.Context(), cfg, begun(false)); err == nil {
		t.Error("half a key was taken, or made anew")
	}
}
