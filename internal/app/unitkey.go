package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/config"
)

// UnitKey reads the key of the unit hash, or makes it at the first start. Losing
// it means that a known unit can no longer be found; the counts stay right.
func UnitKey(cfg config.Config) (ingest.Key, error) {
	var key ingest.Key
	text, err := cfg.Privacy.UnitKey.Resolve()
	if err != nil {
		return key, fmt.Errorf("privacy.unit_key: %w", err)
	}
	if text == "" {
		if text, err = ownUnitKey(filepath.Join(cfg.Data, "unit.key")); err != nil {
			return key, err
		}
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(key) {
		return key, WithHint(errors.New("privacy.unit_key is not 32 hexadecimal digits"), "make one with: openssl rand -hex 16")
	}
	copy(key[:], b)
	return key, nil
}

func ownUnitKey(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err == nil {
		return string(b), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the unit key: %w", err)
	}
	var key ingest.Key
	_, _ = rand.Read(key[:]) // never fails
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	text := hex.EncodeToString(key[:])
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write the unit key: %w", err)
	}
	return text, nil
}
