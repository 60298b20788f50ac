// Package jwks reads sets of keys that sign tokens (RFC 7517), from an address or a file,
// and keeps them: what was read goes on while nothing can be read, and a token with a
// made-up key makes few questions. Who asks says which keys of a set are believed.
package jwks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/assay-dev/assay/internal/outbound"
)

const (
	// pause lies between two questions.
	pause = 30 * time.Second
	// patience is how long an answer may take.
	patience = 5 * time.Second
)

// Config says where keys are read and which are believed.
type Config struct {
	From      string // address, or a file's name
	Transport http.RoundTripper
	// Accept tells whether a key is believed. With an error the whole set is refused. It
	// sees keys with a name that are whole and are not for encrypting.
	Accept func(jose.JSONWebKey) (bool, error)
	Some   bool          // a set of which no key is believed is none
	Fresh  time.Duration // how long keys are used before they are read again; 0: until one is missing
	Stale  time.Duration // how long they are used while they cannot be read; 0: for ever
	Now    func() time.Time
}

// Keys are those of a set, by their names.
type Keys struct {
	cfg    Config
	client *http.Client
	flight singleflight.Group

	mu         sync.Mutex
	known      map[string]jose.JSONWebKey
	generation uint64
	read       time.Time // when the known ones were
	tried      time.Time // when they were last asked for
}

// New returns keys that are read when one is asked for.
func New(cfg Config) *Keys { return &Keys{cfg: cfg, client: outbound.NewClient(cfg.Transport)} }

// Find is the key of a name; false when it is none of the set's. An error says why that
// is not known.
func (k *Keys) Find(ctx context.Context, id string) (jose.JSONWebKey, bool, error) {
	key, ok, due := k.look(id)
	if !due {
		return key, ok, nil
	}
	if err := k.Read(ctx); err != nil && !ok {
		return key, false, err
	}
	key, ok, _ = k.look(id)
	return key, ok, nil
}

// Generation changes with every reading.
func (k *Keys) Generation() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.generation
}

// look finds a key among the known ones, and tells whether they may be asked for: since
// they are old, or since this one is not among them.
func (k *Keys) look(id string) (key jose.JSONWebKey, ok, due bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.cfg.Now()
	age := now.Sub(k.read)
	key, ok = k.known[id]
	ok = ok && (k.cfg.Stale == 0 || age < k.cfg.Stale)
	old := k.cfg.Fresh > 0 && age >= k.cfg.Fresh
	return key, ok, (!ok || old) && now.Sub(k.tried) >= pause
}

// Read reads the keys; who asks meanwhile waits for the same answer. After an error
// those from before are still there.
func (k *Keys) Read(ctx context.Context) error {
	_, err, _ := k.flight.Do("", func() (any, error) {
		// Who asked first may be gone before the others have their answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		known, err := k.fetch(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.tried = k.cfg.Now()
		if err != nil {
			return nil, err
		}
		k.known, k.read = known, k.tried
		k.generation++
		return nil, nil
	})
	return err
}

func (k *Keys) fetch(ctx context.Context) (map[string]jose.JSONWebKey, error) {
	text, err := k.text(ctx)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("it is no set of keys (RFC 7517)")
	}
	out := map[string]jose.JSONWebKey{}
	for _, one := range set.Keys {
		var key jose.JSONWebKey
		// A key of a kind that is not known here must not make the others useless.
		if json.Unmarshal(one, &key) != nil || key.KeyID == "" || !whole(key) || key.Use != "" && key.Use != "sig" {
			continue
		}
		believed, err := k.cfg.Accept(key)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key.KeyID, err)
		}
		if believed {
			out[key.KeyID] = key
		}
	}
	if k.cfg.Some && len(out) == 0 {
		return nil, errors.New("it holds no key with a name (kid) that a token could be verified with")
	}
	return out, nil
}

// whole tells whether a key has all its parts. A shared one is never valid to go-jose.
func whole(key jose.JSONWebKey) bool {
	shared, is := key.Key.([]byte)
	return is && len(shared) > 0 || key.Valid()
}

func (k *Keys) text(ctx context.Context) ([]byte, error) {
	if !strings.Contains(k.cfg.From, "://") {
		return os.ReadFile(k.cfg.From)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.cfg.From, http.NoBody)
	if err != nil {
		return nil, outbound.Bare(err)
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := k.client.Do(req)
	if err != nil {
		return nil, outbound.Bare(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer %d", resp.StatusCode)
	}
	return io.ReadAll(io.LimitReader(resp.Body, outbound.MaxAnswer))
}
