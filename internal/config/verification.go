package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Verification says what records prove, by their headers, and with whose keys.
type Verification struct {
	Header     string            `yaml:"header"`     // of a record: the signature of its value
	Keys       map[string]Secret `yaml:"keys"`       // that signatures are made with, by their names; 32 bytes or more
	Token      string            `yaml:"token"`      // header of a record: a JSON Web Token of its unit
	JWKS       string            `yaml:"jwks"`       // file or `https:` address of the keys of tokens, read again when one is not among them
	Algorithms []string          `yaml:"algorithms"` // of tokens, others are forged: EdDSA, ES256, HS256
	Issuer     string            `yaml:"issuer"`     // of tokens
	Audience   string            `yaml:"audience"`   // of tokens
}

// Tokens tells whether tokens are read.
func (v *Verification) Tokens() bool { return v.JWKS != "" }

func (v *Verification) check() error {
	for name := range v.Keys {
		if name == "" || strings.ContainsAny(name, " \t\r\n") {
			return fmt.Errorf("verification.keys: %q is no name of a key", name)
		}
	}
	switch {
	case len(v.Keys) > 0 && v.Header == "":
		return errors.New("verification.header: name the header that holds the signature")
	case !v.Tokens():
		return nil
	case v.Token == "":
		return errors.New("verification.token: name the header that holds the token")
	case len(v.Algorithms) == 0:
		return errors.New("verification.algorithms: name at least one, EdDSA, ES256 or HS256: the token must not choose its own")
	case v.Issuer == "" || v.Audience == "":
		return errors.New("verification: issuer and audience must be named, or a token for something else would do")
	}
	for _, a := range v.Algorithms {
		if !slices.Contains([]string{"EdDSA", "ES256", "HS256"}, a) {
			return fmt.Errorf("verification.algorithms: %q is none of EdDSA, ES256 and HS256", a)
		}
	}
	if strings.Contains(v.JWKS, "://") {
		return web("verification.jwks", v.JWKS)
	}
	return nil
}

// checkVerify refuses a topic that asks for proofs which nothing can be held against.
func (t *Topic) checkVerify(v *Verification) error {
	switch t.Verify {
	case "":
		return nil
	case "accept", "require":
	default:
		return fmt.Errorf("verify %q is neither accept nor require", t.Verify)
	}
	switch {
	case len(v.Keys) == 0 && !v.Tokens():
		return errors.New("verify needs keys: verification.keys for signatures, verification.jwks for tokens")
	case t.Partitioner == "any":
		return errors.New("verify is not for topics that are keyed anew: a copy has not the value that was signed")
	}
	return nil
}
