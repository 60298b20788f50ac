package access

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// tokenPrefix begins every token, so that scanners for leaked secrets know one.
const tokenPrefix = "assay_"

// secretBytes are a token's random part: 256 bits, which nobody guesses.
const secretBytes = 32

// Hash is all of a token that is kept. The token is random, so a hash without salt
// or cost gives nothing away.
type Hash [sha256.Size]byte

// HashOf is the hash of a token that somebody shows.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// MarshalText writes hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(h) {
		return errors.New("a hash has 64 hexadecimal digits")
	}
	copy(h[:], b)
	return nil
}

// NewSecret makes the text of a token from a source of randomness.
func NewSecret(random io.Reader) (string, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b), nil
}

// IsToken tells whether a text has the shape of one of our tokens.
func IsToken(text string) bool { return strings.HasPrefix(text, tokenPrefix) }

// Token is what is kept of one.
type Token struct {
	ID          string    `json:"id"` // to revoke it by; no secret
	Name        string    `json:"name"`
	Role        Role      `json:"role"`
	Experiments []string  `json:"experiments,omitempty"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
	Hash        Hash      `json:"sha256"`
}

// Principal is who shows the token.
func (t Token) Principal() Principal {
	return Principal{Name: t.Name, Role: t.Role, Only: t.Experiments, Login: "token"}
}

// MaxAge is how long a token may live: one that nobody renews is forgotten.
const MaxAge = 366 * 24 * time.Hour

// names are what the decision log shows as an actor.
var names = regexp.MustCompile(`^[\pL\pN][\pL\pN ._@+/-]{0,99}$`)

// CheckName refuses names that could be taken for another's, or for no name.
func CheckName(name string) error {
	if !names.MatchString(name) {
		return fmt.Errorf("name %q: letters, digits and ._@+/- , at most 100 of them, a letter or digit first", name)
	}
	return nil
}

// Order asks for a token.
type Order struct {
	Name        string
	Role        Role
	Experiments []string
	For         time.Duration
}

// Check refuses what makes no sense.
func (o Order) Check() error {
	switch {
	case CheckName(o.Name) != nil:
		return CheckName(o.Name)
	case o.Role == Nobody:
		return errors.New("a role is missing: evaluator, viewer, analyst, owner, approver, operator or admin")
	case o.For <= 0 || o.For > MaxAge:
		return fmt.Errorf("a token lives for up to %d days", MaxAge/(24*time.Hour))
	case slices.Contains(o.Experiments, ""):
		return errors.New("an experiment has an empty key")
	}
	return nil
}

// Make makes the token's text, which is shown once, and what is kept of it.
func (o Order) Make(random io.Reader, now time.Time) (secret string, t Token, err error) {
	if err := o.Check(); err != nil {
		return "", t, err
	}
	if secret, err = NewSecret(random); err != nil {
		return "", t, err
	}
	now = now.UTC().Truncate(time.Second)
	t = Token{
		Name: o.Name, Role: o.Role, Experiments: slices.Sorted(slices.Values(o.Experiments)),
		Created: now, Expires: now.Add(o.For), Hash: HashOf(secret),
	}
	t.ID = hex.EncodeToString(t.Hash[:6])
	return secret, t, nil
}
