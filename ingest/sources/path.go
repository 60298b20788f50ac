package sources

import (
	"errors"
	"strconv"
	"strings"
)

// path leads to a value: the name of a column, or in JSON keys with dots between
// them, [0], [key=text], * for the only member, and ^. for the value around.
type path struct {
	text  string // as it was written
	up    int    // how many elements to leave first
	steps []step
}

// step is one of: keys, an index, a choice from a list, the only member.
type step struct {
	keys   string // keys with dots between them, which keys may hold themselves
	index  int
	key    string // of the member that must equal
	equals string
	form   stepForm
}

type stepForm uint8

const (
	byKeys stepForm = iota
	byIndex
	byMember
	only
)

var errPath = errors.New("a path is made of keys with dots between them, [0], [key=text] and *, and begins with ^. for the value around")

// columnPath names a column of csv, whatever characters it has.
func columnPath(s string) path { return path{text: s} }

// parsePaths reads "a.b | c": the first that is there wins.
func parsePaths(s string) ([]path, error) {
	var out []path
	for one := range strings.SplitSeq(s, " | ") {
		p, err := parsePath(strings.TrimSpace(one))
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func parsePath(s string) (path, error) {
	p := path{text: s}
	rest := s
	for strings.HasPrefix(rest, "^") {
		p.up++
		rest = strings.TrimPrefix(rest[1:], ".")
	}
	if rest == "." {
		return p, nil
	}
	for rest != "" {
		var one step
		var err error
		if one, rest, err = cutStep(rest); err != nil {
			return path{}, err
		}
		p.steps = append(p.steps, one)
	}
	if p.up == 0 && len(p.steps) == 0 {
		return path{}, errPath
	}
	return p, nil
}

// cutStep takes the first step off a path.
func cutStep(s string) (one step, rest string, err error) {
	switch {
	case s[0] == '[':
		inner, rest, closed := strings.Cut(s[1:], "]")
		one, err = parseChoice(inner)
		if !closed {
			err = errPath
		}
		return one, strings.TrimPrefix(rest, "."), err
	case s == "*" || strings.HasPrefix(s, "*.") || strings.HasPrefix(s, "*["):
		return step{form: only}, strings.TrimPrefix(s[1:], "."), nil
	}
	end := len(s)
	for _, stop := range []string{"[", ".*.", ".*["} {
		if i := strings.Index(s, stop); i >= 0 {
			end = min(end, i)
		}
	}
	if end == len(s) && strings.HasSuffix(s, ".*") {
		end -= 2
	}
	keys := strings.TrimSuffix(s[:end], ".")
	if keys == "" || strings.HasPrefix(keys, ".") || strings.Contains(keys, "..") || s[end-1] == '.' {
		return step{}, "", errPath
	}
	return step{keys: keys}, strings.TrimPrefix(s[end:], "."), nil
}

func parseChoice(s string) (step, error) {
	if key, equals, found := strings.Cut(s, "="); found && key != "" {
		return step{form: byMember, key: key, equals: equals}, nil
	}
	i, err := strconv.Atoi(s)
	if err != nil || i < 0 {
		return step{}, errPath
	}
	return step{form: byIndex, index: i}, nil
}
