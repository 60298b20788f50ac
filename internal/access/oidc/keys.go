package oidc

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/assay-dev/assay/internal/outbound"
)

const (
	// fresh is how long keys are used before they are asked for again.
	fresh = 15 * time.Minute
	// stale is how long they are used while the provider does not answer.
	stale = 24 * time.Hour
	// pause lies between two questions: a token with a made-up key asks for one.
	pause = 30 * time.Second
	// patience is how long an answer may take.
	patience = 5 * time.Second
	// leastRSA is the size in bits below which a key is not believed (RFC 7518, 3.3).
	leastRSA = 2048
)

// Why there is no key.
var (
	errNoKeyID = errors.New("it names no key (kid)")
	errNoKey   = errors.New("its key is none of the issuer's")
)

// Keys are an identity provider's, by their names.
type Keys struct {
	url    string
	client *http.Client
	now    func() time.Time

	flight singleflight.Group

	mu    sync.Mutex
	known map[string]jose.JSONWebKey
	read  time.Time // when the known ones were
	tried time.Time // when they were last asked for
}

// NewKeys reads keys from an address when they are asked for.
func NewKeys(url string, transport http.RoundTripper, now func() time.Time) *Keys {
	return &Keys{url: url, client: outbound.NewClient(transport), now: now}
}

// find is the key of a name, for an algorithm.
func (k *Keys) find(ctx context.Context, id, algorithm string) (any, error) {
	if id == "" {
		return nil, errNoKeyID
	}
	key, ok, due := k.look(id)
	if due {
		if err := k.ask(ctx); err != nil && !ok {
			return nil, err
		}
		key, ok, _ = k.look(id)
	}
	if !ok || key.Algorithm != "" && key.Algorithm != algorithm {
		return nil, errNoKey
	}
	return key.Key, nil
}

// look finds a key among the known ones, and tells whether they may be asked for:
// since they are old, or since this one is not among them.
func (k *Keys) look(id string) (key jose.JSONWebKey, ok, due bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	age := now.Sub(k.read)
	key, ok = k.known[id]
	ok = ok && age < stale
	return key, ok, (!ok || age >= fresh) && now.Sub(k.tried) >= pause
}

// ask reads the keys; who asks meanwhile waits for the same answer.
func (k *Keys) ask(ctx context.Context) error {
	_, err, _ := k.flight.Do("", func() (any, error) {
		// Who asked first may be gone before the others have their answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		keys, err := k.fetch(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.tried = k.now()
		if err != nil {
			return nil, fmt.Errorf("read the issuer's keys: %w", err)
		}
		k.known, k.read = keys, k.tried
		return nil, nil
	})
	return err
}

func (k *Keys) fetch(ctx context.Context) (map[string]jose.JSONWebKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, http.NoBody)
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
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, outbound.MaxAnswer)).Decode(&set); err != nil {
		return nil, errors.New("the answer is no set of keys")
	}
	return usable(set.Keys), nil
}

// usable are the keys that can sign a token that we believe. A key of a kind that is
// not known here must not make the others useless.
func usable(raw []json.RawMessage) map[string]jose.JSONWebKey {
	out := map[string]jose.JSONWebKey{}
	for _, one := range raw {
		var key jose.JSONWebKey
		if json.Unmarshal(one, &key) != nil || key.KeyID == "" || !key.IsPublic() || !key.Valid() {
			continue
		}
		if key.Use != "" && key.Use != "sig" {
			continue
		}
		if r, ok := key.Key.(*rsa.PublicKey); ok && r.N.BitLen() < leastRSA {
			continue
		}
		out[key.KeyID] = key
	}
	return out
}
