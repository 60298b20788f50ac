package app

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/config"
)

// TestBelieve: whose a token is, as the door would say it; none that is unknown, over, or
// of a provider that is not configured.
func TestBelieve(t *testing.T) {
	c := config.Config{}
	c.Access.Tokens = filepath.Join(t.TempDir(), "tokens.json")
	c.Access.Owners = map[string][]string{"growth": {"ada"}}
	now := time.Now()
	secret, token, err := access.Order{Name: "ada", Role: access.Approver, For: time.Hour}.Make(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := Tokens(c).Add(token); err != nil {
		t.Fatal(err)
	}
	p, err := Believe(t.Context(), c, secret, now)
	if err != nil || p.Name != "ada" || p.Role != access.Approver || !access.Proved(p.Login) || len(p.Groups) != 1 {
		t.Errorf("%+v %v", p, err)
	}
	for name, c2 := range map[string]struct {
		token string
		at    time.Time
	}{"over": {secret, now.Add(2 * time.Hour)}, "unknown": {secret + "x", now}, "a JWT": {"a.b.c", now}} {
		if p, err := Believe(t.Context(), c, c2.token, c2.at); err == nil || p.Name != "" || Hint(err) == "" {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
}
