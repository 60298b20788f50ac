package sources

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// shipped are the mappings that are part of the binary.
//
//go:embed *.yaml
var shipped embed.FS

// Names are the mappings that are part of the binary, sorted.
func Names() []string {
	entries, err := shipped.ReadDir(".")
	if err != nil {
		return nil // an embedded folder can always be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Load returns a mapping by the name of one that is part of the binary, or else
// by the path of its file.
func Load(ref string) (*Mapping, error) {
	if slices.Contains(Names(), ref) {
		text, err := shipped.ReadFile(ref + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", ref, err)
		}
		return loadAs(ref, text)
	}
	if !strings.ContainsRune(ref, filepath.Separator) && filepath.Ext(ref) == "" {
		return nil, fmt.Errorf("mapping %q is neither a file nor one of %s", ref, strings.Join(Names(), ", "))
	}
	text, err := os.ReadFile(ref)
	if err != nil {
		return nil, fmt.Errorf("read mapping: %w", err)
	}
	return loadAs(ref, text)
}

func loadAs(ref string, text []byte) (*Mapping, error) {
	m, err := LoadMapping(text)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", ref, err)
	}
	return m, nil
}

// Text is what the mapping was read from, byte for byte.
func (m *Mapping) Text() string { return m.text }

// Hash is the SHA-256 of the mapping's text, in hexadecimal digits. Two mappings
// of one hash decode alike.
func (m *Mapping) Hash() string {
	sum := sha256.Sum256([]byte(m.text))
	return hex.EncodeToString(sum[:])
}
