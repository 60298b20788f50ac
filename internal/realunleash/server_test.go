package realunleash_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/realunleash"
)

// TestUnleashTellsWhoSwitchedOff switches a flag off twice with a token: the SDK
// sees it, and the audit log has one line of that user, since the second call
// found it off.
func TestUnleashTellsWhoSwitchedOff(t *testing.T) {
	s := realunleash.For(t)
	if err := s.CreateFlag(t.Context(), "checkout"); err != nil {
		t.Fatal(err)
	}
	p, err := s.Run("checkout")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	token, err := s.Token(t.Context(), "somebody", realunleash.Editor)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Await(t.Context(), "checkout", true); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Off(t.Context(), token, "checkout"); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Await(t.Context(), "checkout", false); err != nil {
		t.Error(err)
	}
	if on, err := s.Enabled(t.Context(), "checkout"); on || err != nil {
		t.Errorf("the flag is on: %v (%v)", on, err)
	}
	events, err := s.Audit(t.Context(), "checkout")
	if err != nil {
		t.Fatal(err)
	}
	var by []string
	for _, e := range events {
		if e.Type == realunleash.Disabled && e.Environment == realunleash.Environment {
			by = append(by, e.By)
		}
	}
	if diff := cmp.Diff([]string{"somebody"}, by); diff != "" {
		t.Errorf("switched off by (-want +got):\n%s", diff)
	}
}

// TestUnleashRefusesViewers: a token of somebody who may only look is refused.
func TestUnleashRefusesViewers(t *testing.T) {
	s := realunleash.For(t)
	if err := s.CreateFlag(t.Context(), "checkout"); err != nil {
		t.Fatal(err)
	}
	token, err := s.Token(t.Context(), "guest", realunleash.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Off(t.Context(), token, "checkout"); err == nil {
		t.Error("a viewer switched a flag off")
	}
	if on, err := s.Enabled(t.Context(), "checkout"); !on || err != nil {
		t.Errorf("the flag is on: %v (%v)", on, err)
	}
}
