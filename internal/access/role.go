package access

import "fmt"

// Role is what somebody may be. A higher role may do all that a lower one may.
type Role int

// The roles, from the least.
const (
	Nobody    Role = iota
	Evaluator      // asks which variants units get, and nothing else
	Viewer         // reads results, decisions and the state of the data
	Analyst        // also single units, raw rows, and analyses that are computed on request
	Owner          // also acts on experiments that are theirs
	Approver       // also agrees to changes that others want
	Operator       // also acts on every experiment, and on all at once
	Admin          // also says who comes in
)

// Roles are those that somebody can have.
func Roles() []Role { return []Role{Evaluator, Viewer, Analyst, Owner, Approver, Operator, Admin} }

// String is the role's name in tokens and in the configuration.
func (r Role) String() string {
	switch r {
	case Evaluator:
		return "evaluator"
	case Viewer:
		return "viewer"
	case Analyst:
		return "analyst"
	case Owner:
		return "owner"
	case Approver:
		return "approver"
	case Operator:
		return "operator"
	case Admin:
		return "admin"
	default:
		return "nobody"
	}
}

// ParseRole reads a role's name.
func ParseRole(name string) (Role, error) {
	for _, r := range Roles() {
		if r.String() == name {
			return r, nil
		}
	}
	return Nobody, fmt.Errorf("unknown role %q: evaluator, viewer, analyst, owner, approver, operator or admin", name)
}

// MarshalText writes the name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}
