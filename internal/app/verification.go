package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
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

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/proof"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/outbound"
)

// leastSecret is how long a key of signatures must be: as long as what it makes.
const leastSecret = 32

// prover makes what records' proofs are held against; nil when no key is named.
func prover(ctx context.Context, c config.Verification) (ingest.Prover, error) {
	if len(c.Keys) == 0 && !c.Tokens() {
		return nil, nil
	}
	cfg := proof.Config{Algorithms: c.Algorithms, Issuer: c.Issuer, Audience: c.Audience, Secrets: map[string][]byte{}}
	for name, ref := range c.Keys {
		secret, err := ref.Resolve()
		if err != nil {
			return nil, fmt.Errorf("verification.keys.%s: %w", name, err)
		}
		if len(secret) < leastSecret {
			return nil, fmt.Errorf("verification.keys.%s: a key needs %d bytes, this one has %d", name, leastSecret, len(secret))
		}
		cfg.Secrets[name] = []byte(secret)
	}
	if len(cfg.Secrets) > 0 {
		cfg.Signature = c.Header
	}
	if c.Tokens() {
		keys := &tokenKeys{from: c.JWKS, client: outbound.NewClient(outbound.NewTransport()), now: time.Now}
		if err := keys.read(ctx); err != nil {
			return nil, fmt.Errorf("verification.jwks: %w", err)
		}
		cfg.Token, cfg.Keys = c.Token, keys
	}
	return proof.New(cfg).Prove, nil
}

// tokenKeys are the keys of a file or an address. While they cannot be read, those that
// were read last are used.
type tokenKeys struct {
	from   string
	client *http.Client
	now    func() time.Time

	mu         sync.Mutex
	known      map[string]any
	generation uint64
	tried      time.Time
}

const (
	// askAgain lies between two readings: a token with a made-up key asks for one.
	askAgain = 30 * time.Second
	// keysTimeout bounds one reading: records wait meanwhile.
	keysTimeout = 5 * time.Second
)

// Key implements proof.Keys.
func (k *tokenKeys) Key(id string) (any, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.known[id]
	if !ok && k.now().Sub(k.tried) >= askAgain {
		ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
		defer cancel()
		_ = k.readLocked(ctx) // what was read before goes on
		key, ok = k.known[id]
	}
	return key, ok
}

// Generation implements proof.Keys.
func (k *tokenKeys) Generation() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.generation
}

func (k *tokenKeys) read(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.readLocked(ctx)
}

func (k *tokenKeys) readLocked(ctx context.Context) error {
	k.tried = k.now()
	text, err := k.fetch(ctx)
	if err != nil {
		return err
	}
	known, err := tokenKeysOf(text)
	if err != nil {
		return err
	}
	k.known = known
	k.generation++
	return nil
}

func (k *tokenKeys) fetch(ctx context.Context) ([]byte, error) {
	if !strings.Contains(k.from, "://") {
		return os.ReadFile(k.from)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.from, http.NoBody)
	if err != nil {
		return nil, outbound.Bare(err)
	}
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

// tokenKeysOf are the keys of a set that can verify a token. Private ones are refused: who
// verifies must not be able to sign, but for HS256, where both have one key.
func tokenKeysOf(text []byte) (map[string]any, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("it is no set of keys (RFC 7517)")
	}
	out := map[string]any{}
	for _, one := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(one, &key) != nil || key.KeyID == "" || !key.Valid() || key.Use != "" && key.Use != "sig" {
			continue // of a kind that is not known here
		}
		switch secret := key.Key.(type) {
		case ed25519.PublicKey, *ecdsa.PublicKey:
		case []byte:
			if len(secret) < leastSecret {
				return nil, fmt.Errorf("key %s: a shared key needs %d bytes, this one has %d", key.KeyID, leastSecret, len(secret))
			}
		case ed25519.PrivateKey, *ecdsa.PrivateKey:
			return nil, fmt.Errorf("key %s is a private one: whoever verifies needs the public one alone", key.KeyID)
		default:
			continue
		}
		out[key.KeyID] = key.Key
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no key with a name (kid) that a token could be verified with")
	}
	return out, nil
}
