package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/proof"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/jwks"
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
		keys := tokenKeys{jwks.New(jwks.Config{From: c.JWKS, Transport: outbound.NewTransport(), Accept: verifiesTokens, Some: true, Now: time.Now})}
		if err := keys.Read(ctx); err != nil {
			return nil, fmt.Errorf("verification.jwks: %w", err)
		}
		cfg.Token, cfg.Keys = c.Token, keys
	}
	return proof.New(cfg).Prove, nil
}

// tokenKeys are those of a file or an address. While they cannot be read, those that were
// read last are used.
type tokenKeys struct{ *jwks.Keys }

// Key implements proof.Keys. Records wait while keys are read.
func (k tokenKeys) Key(id string) (any, bool) {
	key, ok, _ := k.Find(context.Background(), id) // what was read before goes on
	return key.Key, ok
}

// verifiesTokens tells the keys that can verify a token. Private ones are refused: who
// verifies must not be able to sign, but for HS256, where both have one key.
func verifiesTokens(key jose.JSONWebKey) (bool, error) {
	switch secret := key.Key.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
		return true, nil
	case []byte:
		if len(secret) < leastSecret {
			return false, fmt.Errorf("a shared key needs %d bytes, this one has %d", leastSecret, len(secret))
		}
		return true, nil
	case ed25519.PrivateKey, *ecdsa.PrivateKey:
		return false, errors.New("it is a private one: whoever verifies needs the public one alone")
	}
	return false, nil
}
