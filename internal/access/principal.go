package access

import (
	"context"
	"slices"
)

// Experiment is what has to be known of one to say who may act on it.
type Experiment struct {
	Key   string // "": all of them
	Owner string // as its file has it
	// Readers are who its file lets read single units, rows and analyses made to order,
	// beside its owner: names of people and groups. None: everybody with the role.
	Readers []string
}

// Lookup knows the owners of experiments: "" of one that is not there.
type Lookup interface {
	Owner(ctx context.Context, key string) (string, error)
	// Readers are those that its file names.
	Readers(ctx context.Context, key string) ([]string, error)
}

// About is what has to be known of an experiment.
func About(ctx context.Context, l Lookup, key string) (e Experiment, err error) {
	e.Key = key
	if e.Owner, err = l.Owner(ctx, key); err != nil {
		return e, err
	}
	e.Readers, err = l.Readers(ctx, key)
	return e, err
}

// Principal is somebody who came in.
type Principal struct {
	Name   string   // the actor of the decision log
	Role   Role     // the highest
	Groups []string // what else they are called: groups, and owners that the configuration puts them among
	Only   []string // experiments that they act on, and own; empty: as the role has it
	Login  string   // how they came in: token, jwt, session, terminal; "": they did not, and nobody asked
}

// Anonymous tells whether nobody knows who it is.
func (p Principal) Anonymous() bool { return p.Login == "" }

// Owns tells whether an experiment is theirs: its owner is their name, or one of
// the groups that they are in, or their token names it.
func (p Principal) Owns(e Experiment) bool {
	if e.Key == "" {
		return false
	}
	if len(p.Only) > 0 {
		return slices.Contains(p.Only, e.Key)
	}
	return e.Owner != "" && (e.Owner == p.Name || slices.Contains(p.Groups, e.Owner))
}

// May tells whether they may do it to an experiment. An experiment without a key
// stands for all of them at once.
func (p Principal) May(a Action, e Experiment) bool {
	g, ok := grantOf(a)
	if !ok {
		return false
	}
	if len(p.Only) > 0 && !a.reads() && !slices.Contains(p.Only, e.Key) {
		return false
	}
	if a.OfUnits() && len(e.Readers) > 0 && !p.reads(e) {
		return false
	}
	return p.Role >= g.Least || g.Owned && p.Role >= Owner && p.Owns(e)
}

// reads tells whether an experiment's file lets them read its units, as its owner or as
// a reader. No role stands above it.
func (p Principal) reads(e Experiment) bool {
	named := func(who string) bool { return who == p.Name || slices.Contains(p.Groups, who) }
	return e.Owner != "" && named(e.Owner) || slices.ContainsFunc(e.Readers, named)
}

// Owners says who else is meant by the owner that an experiment's file names: names
// of people and of groups.
type Owners map[string][]string

// Of are the owners that somebody is among.
func (o Owners) Of(name string, groups []string) []string {
	var out []string
	for owner, members := range o {
		if slices.ContainsFunc(members, func(m string) bool { return m == name || slices.Contains(groups, m) }) {
			out = append(out, owner)
		}
	}
	slices.Sort(out)
	return out
}

type key struct{}

// With puts somebody into a request's context.
func With(ctx context.Context, p Principal) context.Context { return context.WithValue(ctx, key{}, p) }

// From is who asks; without anybody in the context it is Nobody, who may nothing.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(key{}).(Principal)
	return p
}
