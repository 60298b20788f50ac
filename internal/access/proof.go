package access

import "context"

// Said is how a name is known that somebody gave and nobody proved: on the command line,
// by whoever can open the database.
const Said = "said"

// Proved tells whether a way in proves who somebody is: a token, a JWT, a login at the
// identity provider, or a session that began with one of them. The token that a process
// shows at its start proves only who can read it.
func Proved(login string) bool {
	switch login {
	case "token", "jwt", "oidc", "session":
		return true
	}
	return false
}

// LoginOf is how the name of who acts is known: by the way in which the context's
// principal came, if it is theirs; else it is said.
func LoginOf(ctx context.Context, name string) string {
	if p := From(ctx); !p.Anonymous() && p.Name == name {
		return p.Login
	}
	return Said
}
