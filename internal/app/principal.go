package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/config"
)

// Believe says whose a token is: one of ours, or a JWT of the identity provider, as the
// door believes them.
func Believe(ctx context.Context, c config.Config, token string, now time.Time) (access.Principal, error) {
	if access.IsToken(token) {
		t, ok := Tokens(c).Find(access.HashOf(token))
		if !ok || !now.Before(t.Expires) {
			return access.Principal{}, WithHint(errors.New("ASSAY_TOKEN: the token is not known, or has expired or been revoked"), "`assay token create` makes one; access.tokens names the file that keeps them")
		}
		p := t.Principal()
		p.Groups = access.Owners(c.Access.Owners).Of(p.Name, nil)
		return p, nil
	}
	if c.Access.OIDC == nil {
		return access.Principal{}, WithHint(errors.New("ASSAY_TOKEN: it is no token of assay, and no identity provider is configured"), "JWTs need access.oidc in the configuration")
	}
	v, err := verifier(*c.Access.OIDC, c.Access.OIDC.Audience)
	if err != nil {
		return access.Principal{}, err
	}
	p, _, err := v.Verify(ctx, token)
	if err != nil {
		return access.Principal{}, fmt.Errorf("ASSAY_TOKEN: %w", err)
	}
	p.Groups = append(slices.Clone(p.Groups), access.Owners(c.Access.Owners).Of(p.Name, p.Groups)...)
	return p, nil
}
