// Package proof says what the headers of a record prove of its exposure: that somebody
// who has a key wrote it as it is (a signature), or that somebody who has a key gave
// the unit this variant and these attributes (a token). It is pure: keys are handed in,
// and a token is held against the event's own time.
package proof

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-dev/assay/ingest"
)

// Keys are those that tokens are signed with.
type Keys interface {
	// Key is the key of that name; false when there is none.
	Key(id string) (any, bool)
	// Generation changes with the keys: what was verified before it is verified again.
	Generation() uint64
}

// Config is what proofs are held against.
type Config struct {
	Signature  string            // name of the header that holds a signature; empty: none is read
	Secrets    map[string][]byte // keys of signatures, by their names
	Token      string            // name of the header that holds a token; empty: none is read
	Keys       Keys
	Algorithms []string // of tokens: EdDSA, ES256, HS256; a token of another one is forged
	Issuer     string
	Audience   string
}

// skew is how far clocks may be apart, in milliseconds.
const skew = 60_000

// most is how many tokens are remembered, twice.
const most = 8192

// Verifier holds records against keys. It may be used by several goroutines at once.
type Verifier struct {
	cfg        Config
	algorithms []jose.SignatureAlgorithm

	mu         sync.Mutex
	generation uint64
	young, old map[[sha256.Size]byte]*token // by hash: a session sends the same token again and again
}

// New returns a verifier.
func New(cfg Config) *Verifier {
	v := &Verifier{cfg: cfg}
	for _, a := range cfg.Algorithms {
		v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(a))
	}
	v.forget()
	return v
}

// Prove implements ingest.Prover. All proofs that a record carries must hold.
func (v *Verifier) Prove(rec *ingest.Record, e *ingest.Event, unit []byte) ingest.Proof {
	found := ingest.ProofNone
	if v.cfg.Signature != "" {
		if text, ok := rec.Header(v.cfg.Signature); ok {
			if found = v.signature(string(text), rec.Signed()); found != ingest.ProofHolds {
				return found
			}
		}
	}
	if v.cfg.Token != "" {
		if text, ok := rec.Header(v.cfg.Token); ok {
			return v.token(text).proves(e, unit)
		}
	}
	return found
}

// signature holds KEY.MAC against a record's value. The MAC is HMAC-SHA-256 of it, in
// base64url without padding.
func (v *Verifier) signature(text string, value []byte) ingest.Proof {
	at := strings.LastIndexByte(text, '.')
	if at < 0 {
		return ingest.ProofForged
	}
	secret, known := v.cfg.Secrets[text[:at]]
	var said [sha256.Size + 1]byte
	n, err := base64.RawURLEncoding.Decode(said[:], []byte(text[at+1:min(len(text), at+1+base64.RawURLEncoding.EncodedLen(sha256.Size))]))
	if !known || err != nil || len(text)-at-1 != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		return ingest.ProofForged
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(value)
	if !hmac.Equal(mac.Sum(nil), said[:n]) {
		return ingest.ProofForged
	}
	return ingest.ProofHolds
}

// Sign is what a producer puts into the header of a signature.
func Sign(key string, secret, value []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(value)
	return key + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// token is one whose signature was looked at.
type token struct {
	forged                bool
	unknown               bool // nobody has its key, so far
	claims                claims
	expires, issued, from int64 // milliseconds
}

type claims struct {
	Issuer     string          `json:"iss"`
	Audience   audience        `json:"aud"`
	Subject    string          `json:"sub"`
	Expires    *json.Number    `json:"exp"`
	Issued     *json.Number    `json:"iat"`
	NotBefore  *json.Number    `json:"nbf"`
	UnitKind   string          `json:"unit_kind"`
	Attributes map[string]any  `json:"attrs"`
	Assigned   json.RawMessage `json:"asg"`

	assigned []assigned
}

// assigned is a variant that the unit was given.
type assigned struct {
	Experiment string `json:"experiment"`
	Variant    string `json:"variant"`
}

// audience is one or several.
type audience []string

// UnmarshalJSON takes one alone, too.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// token reads one, or remembers it.
func (v *Verifier) token(text []byte) *token {
	hash := sha256.Sum256(text)
	generation := v.cfg.Keys.Generation()
	v.mu.Lock()
	if generation != v.generation {
		v.forget()
		v.generation = generation
	}
	t := v.young[hash]
	if t == nil {
		t = v.old[hash]
	}
	v.mu.Unlock()
	if t != nil {
		return t
	}
	t = v.read(string(text))
	v.mu.Lock()
	defer v.mu.Unlock()
	if generation != v.generation || t.unknown { // its key may be read later
		return t
	}
	if len(v.young) >= most {
		v.old, v.young = v.young, map[[sha256.Size]byte]*token{}
	}
	v.young[hash] = t
	return t
}

func (v *Verifier) forget() {
	v.young, v.old = map[[sha256.Size]byte]*token{}, map[[sha256.Size]byte]*token{}
}

// read verifies a token's signature with an algorithm of the configuration, whatever the
// token itself says, and takes its claims.
func (v *Verifier) read(text string) *token {
	forged := &token{forged: true}
	signed, err := jose.ParseSignedCompact(text, v.algorithms)
	if err != nil {
		return forged
	}
	key, known := v.cfg.Keys.Key(signed.Signatures[0].Header.KeyID)
	if !known {
		return &token{forged: true, unknown: true}
	}
	body, err := signed.Verify(key)
	if err != nil {
		return forged
	}
	t := &token{}
	if decode(body, &t.claims) != nil || !t.claims.assignments() || !t.times() {
		return forged
	}
	if t.claims.Issuer != v.cfg.Issuer || !slices.Contains(t.claims.Audience, v.cfg.Audience) {
		return forged
	}
	return t
}

// decode keeps numbers as they are written, so that they can be compared with attributes.
func decode(body []byte, to *claims) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return dec.Decode(to)
}

// assignments reads one or several; false when there is something else.
func (c *claims) assignments() bool {
	if len(c.Assigned) == 0 {
		return true
	}
	if json.Unmarshal(c.Assigned, &c.assigned) == nil {
		return true
	}
	var one assigned
	if json.Unmarshal(c.Assigned, &one) != nil {
		return false
	}
	c.assigned = []assigned{one}
	return true
}

// times reads when the token holds. One that never expires is not believed.
func (t *token) times() bool {
	if t.claims.Expires == nil {
		return false
	}
	for _, at := range []struct {
		text *json.Number
		to   *int64
	}{{t.claims.Expires, &t.expires}, {t.claims.Issued, &t.issued}, {t.claims.NotBefore, &t.from}} {
		if at.text == nil {
			continue
		}
		seconds, err := at.text.Float64()
		if err != nil || seconds < 0 || seconds > 1e11 {
			return false
		}
		*at.to = int64(seconds * 1000)
	}
	return true
}

// proves holds a token against an exposure. The event's own time decides whether it had
// expired: a replay is judged as the event was.
func (t *token) proves(e *ingest.Event, unit []byte) ingest.Proof {
	kind := t.claims.UnitKind
	if kind == "" {
		kind = "user"
	}
	switch {
	case t.forged:
		return ingest.ProofForged
	case e.T >= t.expires || e.T < max(t.issued, t.from)-skew:
		return ingest.ProofExpired
	case t.claims.Subject != string(unit) || kind != e.UnitKind || !slices.Contains(t.claims.assigned, assigned{e.Experiment, e.Variant}):
		return ingest.ProofMismatched
	}
	for i := range e.Attrs {
		if a := &e.Attrs[i]; !strings.HasPrefix(a.Name, "$") && text(t.claims.Attributes[a.Name]) != a.Value {
			return ingest.ProofMismatched
		}
	}
	return ingest.ProofHolds
}

// text is a claim as an attribute's value would stand; what is none is no text of any
// attribute.
func text(claim any) string {
	switch c := claim.(type) {
	case string:
		return c
	case bool:
		if c {
			return "true"
		}
		return "false"
	case json.Number:
		return c.String()
	}
	return "\x00"
}
