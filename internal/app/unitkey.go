package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
)

// errNoUnitKey says that none is named and none has been made.
var errNoUnitKey = errors.New("there is no unit key")

// errWrongUnitKey says that units were hashed under another one.
var errWrongUnitKey = errors.New("this is not the unit key of the ledger")

// UnitKey reads the key of the unit hash: the one that is named, else the one
// that the first consumer made in the data folder.
func UnitKey(cfg config.Config) (ingest.Key, error) {
	text, err := cfg.Privacy.UnitKey.Resolve()
	if err != nil {
		return ingest.Key{}, fmt.Errorf("privacy.unit_key: %w", err)
	}
	if text == "" {
		b, err := os.ReadFile(ownUnitKey(cfg))
		if errors.Is(err, fs.ErrNotExist) {
			return ingest.Key{}, WithHint(fmt.Errorf("%s: %w", ownUnitKey(cfg), errNoUnitKey),
				"run this on the data folder of the consumer, or name its key in privacy.unit_key")
		}
		if err != nil {
			return ingest.Key{}, fmt.Errorf("read the unit key: %w", err)
		}
		text = strings.TrimSpace(string(b))
	}
	return parseUnitKey(text)
}

func ownUnitKey(cfg config.Config) string { return filepath.Join(cfg.Data, "unit.key") }

func parseUnitKey(text string) (key ingest.Key, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(key) {
		return key, WithHint(errors.New("the unit key is not 32 hexadecimal digits"), "make one with: openssl rand -hex 16")
	}
	return ingest.Key(b), nil
}

// ledger says whether anything was counted yet, and under which key.
type ledger interface {
	LastMark(ctx context.Context, shard uint16) (clickhouse.Mark, error)
	UnitKey(ctx context.Context, fingerprint string) (string, error)
}

// consumerKey is the unit key, which the very first consumer makes. Under a new
// key every unit is a new one and counts a second time, so none is made beside a
// ledger that somebody has begun: the key was lost, or another host has it.
//
// Which key that is stands beside the ledger as a fingerprint, so that a wrong key
// is refused too.
func consumerKey(ctx context.Context, cfg config.Config, l ledger) (ingest.Key, error) {
	key, err := UnitKey(cfg)
	if errors.Is(err, errNoUnitKey) {
		key, err = firstUnitKey(ctx, cfg, l)
	}
	if err != nil {
		return ingest.Key{}, err
	}
	mine := fingerprint(key)
	switch begun, err := l.UnitKey(ctx, mine); {
	case err != nil:
		return ingest.Key{}, fmt.Errorf("compare the unit key with the ledger's: %w", err)
	case begun != mine:
		return ingest.Key{}, WithHint(fmt.Errorf("%w: its fingerprint is %.12s, and the ledger was begun under %.12s", errWrongUnitKey, mine, begun),
			"use the key of the other consumers (privacy.unit_key, or unit.key in the data folder of the first one): under this one every unit would count twice")
	}
	return key, nil
}

// fingerprint tells keys apart and tells nothing about them.
func fingerprint(key ingest.Key) string {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("assay unit key"))
	return hex.EncodeToString(h.Sum(nil))
}

// firstUnitKey makes a key, if nothing was counted under another one.
func firstUnitKey(ctx context.Context, cfg config.Config, l ledger) (key ingest.Key, err error) {
	mark, err := l.LastMark(ctx, 0)
	if err != nil {
		return key, fmt.Errorf("look whether the ledger has a unit key: %w", err)
	}
	if mark.Partitions != 0 {
		return key, WithHint(fmt.Errorf("%s: %w, and the ledger was written with one", ownUnitKey(cfg), errNoUnitKey),
			"bring the file back, or name the key of the other consumers in privacy.unit_key: with another one every unit would count twice")
	}
	return makeUnitKey(ownUnitKey(cfg))
}

func makeUnitKey(file string) (key ingest.Key, err error) {
	_, _ = rand.Read(key[:]) // never fails
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return key, fmt.Errorf("make the data folder: %w", err)
	}
	if err := os.WriteFile(file, []byte(hex.EncodeToString(key[:])+"\n"), 0o600); err != nil {
		return key, fmt.Errorf("write the unit key: %w", err)
	}
	return key, nil
}
