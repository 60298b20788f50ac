// Package oidc believes JSON Web Tokens of an identity provider: signed by one of
// its keys (a JWKS) with an algorithm of a short list, for this audience, in time; and
// logs people in there, by the authorization code flow.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/assay-dev/assay/internal/access"
)

// leeway is how far the clocks may be apart.
const leeway = 30 * time.Second

// maxToken bounds what is looked at.
const maxToken = 16 << 10

// algorithms are those that are believed. What a token says of itself chooses only
// among them: never none, and no HMAC, whose key would be a public one.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA}
}

// Config says whom to believe, and what.
type Config struct {
	Issuer   string
	Audience string
	Name     string                 // claim that names the person
	Groups   string                 // claim with their groups, a text or a list; "": none
	Roles    map[string]access.Role // by group; the highest counts
	Everyone access.Role            // of whom no group gives one; Nobody: they stay out
	Now      func() time.Time
}

// Verifier believes tokens.
type Verifier struct {
	cfg  Config
	keys *Keys
}

// New makes a verifier.
func New(cfg Config, keys *Keys) *Verifier {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Verifier{cfg, keys}
}

// Why a token is not believed.
var (
	ErrToken  = errors.New("the JWT is not believed")
	ErrNoRole = errors.New("none of the groups in the JWT has a role here")
)

// Verify implements door.Verifier. Its errors hold nothing of the token but the names
// of claims.
func (v *Verifier) Verify(ctx context.Context, raw string) (p access.Principal, expires time.Time, err error) {
	std, claims, err := v.read(ctx, raw)
	if err != nil {
		return p, expires, err
	}
	p, err = v.principal(claims)
	return p, std.Expiry.Time(), err
}

// verifyID believes an ID token that was asked for with a nonce (Core 1.0, 3.1.3.7).
func (v *Verifier) verifyID(ctx context.Context, raw, nonce string) (p access.Principal, err error) {
	std, claims, err := v.read(ctx, raw)
	if err != nil {
		return p, err
	}
	party, told := claims["azp"].(string)
	switch {
	case claims["nonce"] != nonce:
		return p, fmt.Errorf("%w: its nonce is not that of this login", ErrToken)
	case told && party != v.cfg.Audience, !told && len(std.Audience) > 1:
		return p, fmt.Errorf("%w: it was issued to another client", ErrToken)
	case std.IssuedAt == nil || std.Subject == "":
		return p, fmt.Errorf("%w: it lacks iat or sub", ErrToken)
	}
	return v.principal(claims)
}

// read gives the claims of a token that is signed by the issuer, for us, in time.
func (v *Verifier) read(ctx context.Context, raw string) (std jwt.Claims, claims map[string]any, err error) {
	if len(raw) > maxToken {
		return std, nil, fmt.Errorf("%w: it is longer than %d bytes", ErrToken, maxToken)
	}
	token, err := jwt.ParseSigned(raw, algorithms())
	if err != nil {
		return std, nil, fmt.Errorf("%w: no signed token with one of %v", ErrToken, algorithms())
	}
	header := token.Headers[0]
	key, err := v.keys.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return std, nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	claims = map[string]any{}
	if err := token.Claims(key, &std, &claims); err != nil {
		return std, nil, fmt.Errorf("%w: its signature does not fit", ErrToken)
	}
	return std, claims, v.check(std)
}

// check looks at what every token must say.
func (v *Verifier) check(c jwt.Claims) error {
	if c.Expiry == nil {
		return fmt.Errorf("%w: it never expires", ErrToken)
	}
	expected := jwt.Expected{Issuer: v.cfg.Issuer, AnyAudience: jwt.Audience{v.cfg.Audience}, Time: v.cfg.Now()}
	if err := c.ValidateWithLeeway(expected, leeway); err != nil {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	return nil
}

// principal is who the claims speak of.
func (v *Verifier) principal(claims map[string]any) (access.Principal, error) {
	p := access.Principal{Login: "jwt", Groups: texts(claims[v.cfg.Groups]), Role: v.cfg.Everyone}
	name, ok := claims[v.cfg.Name].(string)
	if !ok {
		return p, fmt.Errorf("%w: it has no claim %s", ErrToken, v.cfg.Name)
	}
	if verified, told := claims["email_verified"].(bool); v.cfg.Name == "email" && told && !verified {
		return p, fmt.Errorf("%w: nobody has verified its email", ErrToken)
	}
	if err := access.CheckName(name); err != nil {
		return p, fmt.Errorf("%w: %w", ErrToken, err)
	}
	p.Name = name
	for _, group := range p.Groups {
		p.Role = max(p.Role, v.cfg.Roles[group])
	}
	if p.Role == access.Nobody {
		return p, ErrNoRole
	}
	return p, nil
}

// texts reads a claim that is a text or a list of them.
func texts(claim any) []string {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		var out []string
		for _, one := range c {
			if text, ok := one.(string); ok {
				out = append(out, text)
			}
		}
		return slices.Compact(out)
	default:
		return nil
	}
}
