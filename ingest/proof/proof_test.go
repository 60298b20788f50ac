package proof

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-dev/assay/ingest"
)

const at = int64(1_772_366_412_345)

var secret = []byte("0123456789abcdef0123456789abcdef")

// ring is a set of keys.
type ring struct {
	keys       map[string]any
	generation uint64
}

func (r *ring) Key(id string) (any, bool) { k, ok := r.keys[id]; return k, ok }
func (r *ring) Generation() uint64        { return r.generation }
func (r *ring) drop(id string)            { delete(r.keys, id); r.generation++ }
func record(headers ...string) *ingest.Record {
	r := &ingest.Record{KafkaT: at, Value: []byte(value("u-1", "treatment", "DE"))}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, ingest.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return r
}

func value(unit, variant, country string) string {
	return fmt.Sprintf(`{"type":"exposure","id":"9f1c","ts":%d,"unit":%q,"experiment":"cta","variant":%q,"attrs":{"country":%q}}`, at, unit, variant, country)
}

// judge decodes a record as a topic with proofs does.
func judge(t testing.TB, v *Verifier, rec *ingest.Record, require bool) (ingest.Proof, *ingest.Dead) {
	t.Helper()
	d := ingest.NewDecoder(ingest.Key{1}, []string{"country", "seats"})
	d.Prove(v.Prove, require)
	e, why, ok := d.Decode(*rec)
	if !ok {
		return "", why
	}
	for _, a := range e.Attrs {
		if a.Name == ingest.Verified {
			return ingest.Proof(a.Value), nil
		}
	}
	t.Fatal("nothing is written down")
	return "", nil
}

// TestSignature: a record that was changed, signed by another or replayed with another
// variant is refused where proofs are required, and marked where they are accepted.
//
// semantics: verified
func TestSignature(t *testing.T) {
	v := New(Config{Signature: "assay-signature", Secrets: map[string][]byte{"edge.1": secret}})
	good := Sign("edge.1", secret, []byte(value("u-1", "treatment", "DE")))
	other := *record("assay-signature", good)
	other.Value = []byte(value("u-1", "control", "DE"))
	attrs := *record("assay-signature", good)
	attrs.Value = []byte(value("u-1", "treatment", "FR"))
	for name, c := range map[string]struct {
		rec  *ingest.Record
		want ingest.Proof
	}{
		"signed":           {record("assay-signature", good), ingest.ProofHolds},
		"none":             {record(), ingest.ProofNone},
		"another variant":  {&other, ingest.ProofForged},
		"other attributes": {&attrs, ingest.ProofForged},
		"another key":      {record("assay-signature", Sign("edge.1", []byte("another"), record().Value)), ingest.ProofForged},
		"unknown key":      {record("assay-signature", Sign("edge.2", secret, record().Value)), ingest.ProofForged},
		"cut":              {record("assay-signature", good[:len(good)-1]), ingest.ProofForged},
		"longer":           {record("assay-signature", good+"A"), ingest.ProofForged},
		"empty":            {record("assay-signature", ""), ingest.ProofForged},
		"no mac":           {record("assay-signature", "edge.1."), ingest.ProofForged},
		"base64 of others": {record("assay-signature", "edge.1."+strings.Repeat("=", 43)), ingest.ProofForged},
	} {
		if got, why := judge(t, v, c.rec, false); got != c.want || why != nil {
			t.Errorf("%s: %q %+v, want %q", name, got, why, c.want)
		}
		got, why := judge(t, v, c.rec, true)
		if dead := c.want != ingest.ProofHolds; dead != (why != nil) || dead && (why.Reason != ingest.Reason(c.want) || strings.Contains(why.Detail, "u-1")) || !dead && got != c.want {
			t.Errorf("%s is required: %q %+v", name, got, why)
		}
	}
	translated := record("assay-signature", Sign("edge.1", secret, []byte("as it was written")))
	translated.Written = []byte("as it was written")
	if got, _ := judge(t, v, translated, false); got != ingest.ProofHolds {
		t.Errorf("a translated record: %s", got)
	}
	outcome := ingest.Record{KafkaT: at, Value: fmt.Appendf(nil, `{"type":"outcome","ts":%d,"unit":"u","event":"buy"}`, at)}
	d := ingest.NewDecoder(ingest.Key{1}, nil)
	d.Prove(v.Prove, true)
	if e, why, ok := d.Decode(outcome); !ok || e.Attrs != nil {
		t.Errorf("an outcome is asked: %+v", why)
	}
}

func sign(t testing.TB, algorithm jose.SignatureAlgorithm, kid string, key any, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func with(base map[string]any, changes ...any) map[string]any {
	out := maps.Clone(base)
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == nil {
			delete(out, changes[i].(string))
		} else {
			out[changes[i].(string)] = changes[i+1]
		}
	}
	return out
}

// TestToken: what a token says must be of this unit, variant and attributes, hold at
// the event's time, and be signed by a known key with an algorithm that we chose.
func TestToken(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := &ring{keys: map[string]any{"k1": public, "k2": &curve.PublicKey, "shared": secret}}
	v := New(Config{Token: "assay-token", Keys: keys, Algorithms: []string{"EdDSA", "ES256"}, Issuer: "edge", Audience: "assay"})
	base := map[string]any{
		"iss": "edge", "aud": "assay", "sub": "u-1", "iat": at/1000 - 100, "exp": at/1000 + 100,
		"attrs": map[string]any{"country": "DE", "seats": 12}, "asg": map[string]any{"experiment": "cta", "variant": "treatment"},
	}
	good := sign(t, jose.EdDSA, "k1", private, base)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + parts[1] + "."
	variants := []any{map[string]any{"experiment": "other", "variant": "x"}, map[string]any{"experiment": "cta", "variant": "treatment"}}
	for name, c := range map[string]struct {
		token string
		want  ingest.Proof
	}{
		"good":                  {good, ingest.ProofHolds},
		"another curve":         {sign(t, jose.ES256, "k2", curve, base), ingest.ProofHolds},
		"several variants":      {sign(t, jose.EdDSA, "k1", private, with(base, "asg", variants, "aud", []string{"x", "assay"})), ingest.ProofHolds},
		"expired":               {sign(t, jose.EdDSA, "k1", private, with(base, "exp", at/1000)), ingest.ProofExpired},
		"expires after it":      {sign(t, jose.EdDSA, "k1", private, with(base, "exp", at/1000+1)), ingest.ProofHolds},
		"from the future":       {sign(t, jose.EdDSA, "k1", private, with(base, "iat", at/1000+120)), ingest.ProofExpired},
		"not yet":               {sign(t, jose.EdDSA, "k1", private, with(base, "nbf", at/1000+120)), ingest.ProofExpired},
		"never expires":         {sign(t, jose.EdDSA, "k1", private, with(base, "exp", nil)), ingest.ProofForged},
		"another unit":          {sign(t, jose.EdDSA, "k1", private, with(base, "sub", "u-2")), ingest.ProofMismatched},
		"another kind":          {sign(t, jose.EdDSA, "k1", private, with(base, "unit_kind", "device")), ingest.ProofMismatched},
		"another variant":       {sign(t, jose.EdDSA, "k1", private, with(base, "asg", map[string]any{"experiment": "cta", "variant": "control"})), ingest.ProofMismatched},
		"no variant":            {sign(t, jose.EdDSA, "k1", private, with(base, "asg", nil)), ingest.ProofMismatched},
		"another attribute":     {sign(t, jose.EdDSA, "k1", private, with(base, "attrs", map[string]any{"country": "FR"})), ingest.ProofMismatched},
		"no attribute":          {sign(t, jose.EdDSA, "k1", private, with(base, "attrs", nil)), ingest.ProofMismatched},
		"another issuer":        {sign(t, jose.EdDSA, "k1", private, with(base, "iss", "x")), ingest.ProofForged},
		"another audience":      {sign(t, jose.EdDSA, "k1", private, with(base, "aud", "x")), ingest.ProofForged},
		"unknown key":           {sign(t, jose.EdDSA, "k9", private, base), ingest.ProofForged},
		"key of another kind":   {sign(t, jose.EdDSA, "k2", private, base), ingest.ProofForged},
		"algorithm not allowed": {sign(t, jose.HS256, "shared", secret, base), ingest.ProofForged},
		"public key as secret":  {sign(t, jose.HS256, "k1", []byte(public), base), ingest.ProofForged},
		"none":                  {none, ingest.ProofForged},
		"changed":               {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"u-1"}`)) + "." + parts[2], ingest.ProofForged},
		"no token":              {"x", ingest.ProofForged},
	} {
		rec := record("assay-token", c.token)
		for range 2 { // the second time it is remembered
			if got, why := judge(t, v, rec, false); got != c.want || why != nil {
				t.Errorf("%s: %q %+v, want %q", name, got, why, c.want)
			}
		}
	}
	seats := record("assay-token", good)
	seats.Value = fmt.Appendf(nil, `{"type":"exposure","ts":%d,"unit":"u-1","experiment":"cta","variant":"treatment","attrs":{"seats":12}}`, at)
	if got, _ := judge(t, v, seats, false); got != ingest.ProofHolds {
		t.Errorf("a number: %s", got)
	}
	// A replay with another variant under the same token, and one after the key is gone.
	replay := record("assay-token", good)
	replay.Value = []byte(value("u-1", "control", "DE"))
	if _, why := judge(t, v, replay, true); why == nil || why.Reason != ingest.Mismatched {
		t.Errorf("replayed with another variant: %+v", why)
	}
	keys.drop("k1")
	if got, _ := judge(t, v, record("assay-token", good), false); got != ingest.ProofForged {
		t.Errorf("the key is gone: %s", got)
	}
}

// TestBothMustHold: a record that carries both proofs must hold by both.
func TestBothMustHold(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v := New(Config{
		Signature: "s", Secrets: map[string][]byte{"e": secret}, Token: "t", Keys: &ring{keys: map[string]any{"k": public}},
		Algorithms: []string{"EdDSA"}, Issuer: "i", Audience: "a",
	})
	token := sign(t, jose.EdDSA, "k", private, map[string]any{"iss": "i", "aud": "a", "sub": "u-1", "exp": at/1000 - 1})
	good := Sign("e", secret, record().Value)
	if got, _ := judge(t, v, record("s", good, "t", token), false); got != ingest.ProofExpired {
		t.Errorf("an expired token beside a signature: %s", got)
	}
	if got, _ := judge(t, v, record("s", "e.x", "t", token), false); got != ingest.ProofForged {
		t.Errorf("a forged signature: %s", got)
	}
}

func BenchmarkProve(b *testing.B) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	keys := &ring{keys: map[string]any{"k": public}}
	v := New(Config{
		Signature: "s", Secrets: map[string][]byte{"e": secret}, Token: "t", Keys: keys,
		Algorithms: []string{"EdDSA"}, Issuer: "i", Audience: "a",
	})
	token := sign(b, jose.EdDSA, "k", private, map[string]any{
		"iss": "i", "aud": "a", "sub": "u-1", "exp": at/1000 + 9, "asg": map[string]any{"experiment": "cta", "variant": "treatment"}, "attrs": map[string]any{"country": "DE"},
	})
	e := ingest.Event{T: at, UnitKind: "user", Experiment: "cta", Variant: "treatment", Attrs: []ingest.Attr{{Name: "country", Value: "DE"}}}
	for name, c := range map[string]struct {
		rec   *ingest.Record
		fresh bool
	}{
		"signature":        {record("s", Sign("e", secret, record().Value)), false},
		"token remembered": {record("t", token), false},
		"token verified":   {record("t", token), true},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.fresh {
					keys.generation++
				}
				if p := v.Prove(c.rec, &e, []byte("u-1")); p != ingest.ProofHolds {
					b.Fatal(p)
				}
			}
		})
	}
}
