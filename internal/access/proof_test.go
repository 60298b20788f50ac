package access

import "testing"

// TestLoginOf: a name is proved by who came in under it, and by nobody else.
func TestLoginOf(t *testing.T) {
	ctx := With(t.Context(), Principal{Name: "ada", Login: "token"})
	if got := LoginOf(ctx, "ada"); got != "token" || !Proved(got) {
		t.Errorf("ada is %q", got)
	}
	for name, got := range map[string]string{"another": LoginOf(ctx, "bob"), "nobody": LoginOf(t.Context(), "ada"), "who said so": LoginOf(With(t.Context(), Principal{Name: "ada", Login: Said}), "ada")} {
		if got != Said || Proved(got) {
			t.Errorf("%s is %q", name, got)
		}
	}
	for _, login := range []string{"jwt", "oidc", "session"} {
		if !Proved(login) {
			t.Errorf("%s proves nothing", login)
		}
	}
	for _, login := range []string{"", "terminal", "anything"} {
		if Proved(login) {
			t.Errorf("%q proves somebody", login)
		}
	}
}
