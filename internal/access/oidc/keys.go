package oidc

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-dev/assay/internal/jwks"
)

const (
	// fresh is how long keys are used before they are asked for again.
	fresh = 15 * time.Minute
	// stale is how long they are used while the provider does not answer.
	stale = 24 * time.Hour
	// patience is how long an answer of the provider may take.
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
type Keys struct{ set *jwks.Keys }

// NewKeys reads keys from an address when they are asked for.
func NewKeys(url string, transport http.RoundTripper, now func() time.Time) *Keys {
	return &Keys{jwks.New(jwks.Config{From: url, Transport: transport, Accept: usable, Fresh: fresh, Stale: stale, Now: now})}
}

// find is the key of a name, for an algorithm.
func (k *Keys) find(ctx context.Context, id, algorithm string) (any, error) {
	if id == "" {
		return nil, errNoKeyID
	}
	key, ok, err := k.set.Find(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the issuer's keys: %w", err)
	}
	if !ok || key.Algorithm != "" && key.Algorithm != algorithm {
		return nil, errNoKey
	}
	return key.Key, nil
}

// usable tells the keys that can sign a token that we believe.
func usable(key jose.JSONWebKey) (bool, error) {
	r, isRSA := key.Key.(*rsa.PublicKey)
	return key.IsPublic() && !(isRSA && r.N.BitLen() < leastRSA), nil
}
