package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
)

// keyed is a ledger with parts, or without, and the key under which it was begun.
type keyed struct {
	parts       bool
	fingerprint string
}

func (k *keyed) LastMark(context.Context, uint16) (m clickhouse.Mark, err error) {
	if k.parts {
		m.Partitions = 4
	}
	return m, nil
}

func (k *keyed) UnitKey(_ context.Context, fingerprint string) (string, error) {
	if k.fingerprint == "" {
		k.fingerprint = fingerprint
	}
	return k.fingerprint, nil
}

func begun(parts bool) *keyed { return &keyed{parts: parts} }

// A key that is there but is not the ledger's is refused, and neither the message
// nor the fingerprint tells it.
//
// semantics: unit-key
func TestWrongUnitKey(t *testing.T) {
	cfg := config.Config{Data: filepath.Join(t.TempDir(), "data")}
	l := begun(true)
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		key   string
		wrong bool
	}{{"00112233445566778899aabbccddeeff", false}, {"00112233445566778899aabbccddeefe", true}, {"00112233445566778899aabbccddeeff", false}} {
		if err := os.WriteFile(ownUnitKey(cfg), []byte(c.key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := consumerKey(t.Context(), cfg, l)
		if errors.Is(err, errWrongUnitKey) != c.wrong || !c.wrong && err != nil {
			t.Errorf("key %d: %v", i, err)
		}
		if c.wrong && (key != ingest.Key{} || strings.Contains(err.Error(), c.key)) {
			t.Errorf("key %x, %v", key, err)
		}
	}
	if strings.Contains(l.fingerprint, "00112233445566778899aabbccddeeff") || len(l.fingerprint) != 64 {
		t.Errorf("fingerprint %s", l.fingerprint)
	}
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
