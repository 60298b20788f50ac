package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/oidc"
)

// provider is an identity provider with keys of three kinds, and some that nobody
// should use.
type provider struct {
	keys   map[string]crypto.Signer
	set    jose.JSONWebKeySet
	extra  []string // further keys, as JSON
	asked  atomic.Int64
	status atomic.Int64
	hold   chan struct{}
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{keys: map[string]crypto.Signer{"rsa": r, "ec": e, "ed": ed, "encrypts": r, "es": r}}
	p.set.Keys = []jose.JSONWebKey{
		{Key: r.Public(), KeyID: "rsa", Use: "sig"}, {Key: e.Public(), KeyID: "ec", Algorithm: "ES256"}, {Key: ed.Public(), KeyID: "ed"},
		{Key: r.Public(), KeyID: "encrypts", Use: "enc"}, {Key: r.Public(), KeyID: "es", Algorithm: "ES256"},
		{Key: r, KeyID: "private"}, {Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "symmetric"},
	}
	p.extra = []string{`{"kty":"future","kid":"f"}`}
	return p
}

// RoundTrip answers without a network, so that clocks can be stopped.
func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked.Add(1)
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	w := httptest.NewRecorder()
	if s := p.status.Load(); s != 0 {
		w.WriteHeader(int(s))
		return w.Result(), nil
	}
	var all []json.RawMessage
	for _, k := range p.set.Keys {
		b, err := k.MarshalJSON()
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	for _, x := range p.extra {
		all = append(all, json.RawMessage(x))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": all})
	return w.Result(), nil
}

func (p *provider) sign(t *testing.T, alg jose.SignatureAlgorithm, kid string, claims map[string]any) string {
	t.Helper()
	name := kid
	if p.keys[name] == nil {
		name = "rsa"
	}
	opt := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		opt = opt.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: p.keys[name]}, opt)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (p *provider) verifier() *oidc.Verifier {
	return oidc.New(oidc.Config{
		Issuer: "https://id.example.com", Audience: "assay", Name: "email", Groups: "groups", Now: func() time.Time { return now },
		Roles: map[string]access.Role{"eng": access.Owner, "oncall": access.Operator},
	}, oidc.NewKeys("https://id.example.com/keys", p, func() time.Time { return now }))
}

func claims(with map[string]any) map[string]any {
	c := map[string]any{
		"iss": "https://id.example.com", "aud": []string{"other", "assay"}, "sub": "7", "email": "ada@example.com", "email_verified": true,
		"groups": []string{"eng", "sales"}, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(c, with)
	for k, v := range c {
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

func TestVerify(t *testing.T) {
	p := newProvider(t)
	v := p.verifier()
	for kid, alg := range map[string]jose.SignatureAlgorithm{"rsa": jose.RS256, "ec": jose.ES256, "ed": jose.EdDSA} {
		got, expires, err := v.Verify(t.Context(), p.sign(t, alg, kid, claims(nil)))
		want := access.Principal{Name: "ada@example.com", Role: access.Owner, Groups: []string{"eng", "sales"}, Login: "jwt"}
		if err != nil || cmp.Diff(want, got) != "" || !expires.Equal(now.Add(time.Hour)) {
			t.Errorf("%s: %v, until %s\n%s", alg, err, expires, cmp.Diff(want, got))
		}
	}
	got, _, err := v.Verify(t.Context(), p.sign(t, jose.RS256, "rsa", claims(map[string]any{"groups": "oncall", "aud": "assay", "email_verified": nil})))
	if err != nil || got.Role != access.Operator {
		t.Errorf("one group, one audience: %v, %s", err, got.Role)
	}
	if n := p.asked.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

func TestVerifyRefuses(t *testing.T) {
	p := newProvider(t)
	v := p.verifier()
	if _, _, err := v.Verify(t.Context(), p.sign(t, jose.RS256, "rsa", claims(nil))); err != nil {
		t.Fatal(err)
	}
	rs := func(with map[string]any) string { return p.sign(t, jose.RS256, "rsa", claims(with)) }
	good := rs(nil)
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	hs := func(key []byte) string {
		text := part(map[string]string{"alg": "HS256", "kid": "rsa"}) + "." + body
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	der, err := x509.MarshalPKIXPublicKey(p.keys["rsa"].Public())
	if err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, c := range map[string]struct{ token, want string }{
		"nothing":                        {"", "no signed token"},
		"text":                           {"a.b.c", "no signed token"},
		"too long":                       {good + strings.Repeat("A", 16<<10), "longer than"},
		"alg none":                       {part(map[string]string{"alg": "none", "kid": "rsa"}) + "." + body + ".", "no signed token"},
		"alg none, a signature":          {part(map[string]string{"alg": "none", "kid": "rsa"}) + "." + body + "." + signature, "no signed token"},
		"HS256 with the public key, PEM": {hs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "no signed token"},
		"HS256 with the public key, DER": {hs(der), "no signed token"},
		"RS512":                          {p.sign(t, jose.RS512, "rsa", claims(nil)), "no signed token"},
		"no key named":                   {p.sign(t, jose.RS256, "", claims(nil)), "names no key"},
		"unknown key":                    {p.sign(t, jose.RS256, "gone", claims(nil)), "none of the issuer's"},
		"private key in the set":         {p.sign(t, jose.RS256, "private", claims(nil)), "none of the issuer's"},
		"symmetric key in the set":       {p.sign(t, jose.RS256, "symmetric", claims(nil)), "none of the issuer's"},
		"key that encrypts":              {p.sign(t, jose.RS256, "encrypts", claims(nil)), "none of the issuer's"},
		"key of another algorithm":       {p.sign(t, jose.RS256, "es", claims(nil)), "none of the issuer's"},
		"another's key":                  {newProvider(t).sign(t, jose.RS256, "rsa", claims(nil)), "signature does not fit"},
		"another claim":                  {head + "." + part(claims(map[string]any{"groups": "oncall"})) + "." + signature, "signature does not fit"},
		"another issuer":                 {rs(map[string]any{"iss": "https://id.example.com/"}), "issuer"},
		"no issuer":                      {rs(map[string]any{"iss": nil}), "issuer"},
		"another audience":               {rs(map[string]any{"aud": "assay2"}), "audience"},
		"no audience":                    {rs(map[string]any{"aud": nil}), "audience"},
		"expired":                        {rs(map[string]any{"exp": at(-31 * time.Second)}), "expired"},
		"never expires":                  {rs(map[string]any{"exp": nil}), "never expires"},
		"not yet":                        {rs(map[string]any{"nbf": at(31 * time.Second)}), "not valid yet"},
		"from the future":                {rs(map[string]any{"iat": at(31 * time.Second)}), "in the future"},
		"no name":                        {rs(map[string]any{"email": nil}), "no claim email"},
		"name is a number":               {rs(map[string]any{"email": 7}), "no claim email"},
		"name with a line break":         {rs(map[string]any{"email": "ada\nguard"}), "name"},
		"unverified address":             {rs(map[string]any{"email_verified": false}), "verified"},
		"no role":                        {rs(map[string]any{"groups": []string{"sales"}}), "none of the groups"},
		"no groups":                      {rs(map[string]any{"groups": nil}), "none of the groups"},
	} {
		p, _, err := v.Verify(t.Context(), c.token)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, want %q", name, p, err, c.want)
			continue
		}
		if !errors.Is(err, oidc.ErrToken) && !errors.Is(err, oidc.ErrNoRole) || len(c.token) > 20 && strings.Contains(err.Error(), c.token[:20]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, with := range map[string]map[string]any{
		"just expired": {"exp": at(-29 * time.Second)}, "almost": {"nbf": at(29 * time.Second), "iat": at(29 * time.Second)},
	} {
		if _, _, err := v.Verify(t.Context(), rs(with)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := p.asked.Load(); n != 1 {
		t.Errorf("made-up keys made it ask %d times within the pause", n)
	}
}

// TestKeys: keys are kept, a new one is found without a restart, made-up ones make few
// questions, one that the provider took back is not believed for long, and what was
// known helps over a provider that is down.
func TestKeys(t *testing.T) {
	p := newProvider(t)
	synctest.Test(t, func(t *testing.T) {
		v := oidc.New(oidc.Config{Issuer: "https://id.example.com", Audience: "assay", Name: "email", Everyone: access.Viewer},
			oidc.NewKeys("https://id.example.com/keys", p, time.Now))
		fresh := func(kid string) string {
			return p.sign(t, jose.RS256, kid, claims(map[string]any{"iat": time.Now().Unix(), "nbf": nil, "exp": time.Now().Add(time.Hour).Unix()}))
		}
		try := func(when, kid string, ok bool, asked int64) {
			t.Helper()
			_, _, err := v.Verify(t.Context(), fresh(kid))
			if (err == nil) != ok || p.asked.Load() != asked {
				t.Errorf("%s: %v, asked %d times, want %d", when, err, p.asked.Load(), asked)
			}
		}
		try("at first", "rsa", true, 1)
		try("again", "rsa", true, 1)
		time.Sleep(time.Minute)
		p.set.Keys[0].KeyID = "rotated"
		p.keys["rotated"] = p.keys["rsa"]
		try("a new key", "rotated", true, 2)
		try("the old one", "rsa", false, 2)
		for range 50 {
			try("made up", "made-up", false, 2)
		}
		time.Sleep(31 * time.Second)
		try("made up, later", "made-up", false, 3)
		time.Sleep(14 * time.Minute)
		try("in time", "rotated", true, 3)
		p.status.Store(503)
		time.Sleep(2 * time.Minute)
		try("the provider is down", "rotated", true, 4)
		try("and not asked again at once", "rotated", true, 4)
		time.Sleep(24 * time.Hour)
		try("down for a day", "rotated", false, 5)
		p.status.Store(0)
		time.Sleep(31 * time.Second)
		try("back again", "rotated", true, 6)
	})
}

// TestOneQuestion: who comes while the keys are on their way waits for them; one who
// goes away does not take the answer from the others.
func TestOneQuestion(t *testing.T) {
	p := newProvider(t)
	v := p.verifier()
	token := p.sign(t, jose.ES256, "ec", claims(nil))
	synctest.Test(t, func(t *testing.T) {
		p.hold = make(chan struct{})
		gone, leave := context.WithCancel(t.Context())
		errs := make(chan error, 3)
		for _, ctx := range []context.Context{gone, t.Context(), t.Context()} {
			go func() {
				_, _, err := v.Verify(ctx, token)
				errs <- err
			}()
			synctest.Wait()
		}
		leave()
		p.hold <- struct{}{}
		for range 3 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
	if n := p.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestBadProvider: what answers is not a provider, or shows small keys.
func TestBadProvider(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p := newProvider(t)
	p.set.Keys = []jose.JSONWebKey{{Key: small.Public(), KeyID: "rsa"}}
	if _, _, err := p.verifier().Verify(t.Context(), p.sign(t, jose.RS256, "rsa", claims(nil))); err == nil || !strings.Contains(err.Error(), "none of the issuer's") {
		t.Errorf("a key of 1024 bits: %v", err)
	}
	for status, want := range map[int64]string{http.StatusFound: "answer 302", http.StatusNotFound: "answer 404"} {
		q := newProvider(t)
		q.status.Store(status)
		if _, _, err := q.verifier().Verify(t.Context(), q.sign(t, jose.RS256, "rsa", claims(nil))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", status, err)
		}
	}
}
