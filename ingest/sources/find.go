package sources

import (
	"bytes"

	"github.com/assay-dev/assay/ingest"
)

// nowhere is the node that isn't there.
const nowhere = int32(-1)

// find follows the steps from a node; nowhere when they lead to nothing.
func (t *tree) find(at int32, steps []step) (int32, *problem) {
	var bad *problem
	for i := range steps {
		s := &steps[i]
		switch s.form {
		case byKeys:
			at, bad = t.walk(at, s.keys)
		case byIndex:
			at = t.nth(at, s.index)
		case byMember:
			at, bad = t.choose(at, s.key, s.equals)
		case only:
			at = t.only(at)
		}
		if at == nowhere || bad != nil {
			return nowhere, bad
		}
	}
	return at, nil
}

// walk follows keys with dots between them. A key may hold dots itself: of two
// ways the one with the longer first key wins. A list of {key, value} pairs, as
// OpenTelemetry writes attributes, is read as an object.
func (t *tree) walk(at int32, keys string) (int32, *problem) {
	if at = t.open(at); at == nowhere {
		return nowhere, nil
	}
	k := t.nodes[at].kind
	if k != object && k != list {
		return nowhere, nil
	}
	found, length := nowhere, 0
	for child := at + 1; child < t.nodes[at].next; child = t.nodes[child].next {
		size, value := t.match(child, k, keys)
		if size == 0 {
			continue
		}
		if size == length && k == object {
			return nowhere, &problem{reason: ingest.BadJSON, says: "a key is given twice"}
		}
		if size <= length {
			continue
		}
		if size < len(keys) {
			var bad *problem
			if value, bad = t.walk(value, keys[size+1:]); bad != nil {
				return nowhere, bad
			}
		}
		if value != nowhere {
			found, length = value, size
		}
	}
	return found, nil
}

// match returns how much of the keys a member's own key is, and its value.
func (t *tree) match(child int32, around kind, keys string) (int, int32) {
	key, value := t.member(child, around)
	size := len(key)
	if size == 0 || size > len(keys) || string(key) != keys[:size] || size < len(keys) && keys[size] != '.' {
		return 0, nowhere
	}
	return size, value
}

// member returns a member of an object, or of a list of pairs. A key that is
// empty or half a surrogate pair is none.
func (t *tree) member(child int32, around kind) (key []byte, value int32) {
	if around == list {
		return t.pair(child)
	}
	n := &t.nodes[child]
	key, ok := t.contents(n.keyFrom, n.keyTo, n.keyEscaped)
	if !ok {
		return nil, nowhere
	}
	return key, child
}

// pair reads an object {"key": …, "value": …}.
func (t *tree) pair(at int32) (key []byte, value int32) {
	value = nowhere
	if t.nodes[at].kind != object {
		return nil, nowhere
	}
	name := nowhere
	for child := at + 1; child < t.nodes[at].next; child = t.nodes[child].next {
		n := &t.nodes[child]
		switch string(t.buf[n.keyFrom:n.keyTo]) {
		case "key":
			name = child
		case "value":
			value = child
		}
	}
	if name == nowhere || t.nodes[name].kind != text {
		return nil, nowhere
	}
	n := &t.nodes[name]
	key, ok := t.contents(n.from, n.to, n.escaped)
	if !ok {
		return nil, nowhere
	}
	return key, value
}

// open looks into a text that holds JSON: an object or a list within quotes.
func (t *tree) open(at int32) int32 {
	n := t.nodes[at]
	if n.kind != text || n.inside > 0 {
		if n.kind == text {
			return n.inside
		}
		return at
	}
	if n.inside == nowhere {
		return nowhere
	}
	t.nodes[at].inside = nowhere
	raw := bytes.TrimLeft(t.buf[n.from:n.to], " \t\r\n")
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' {
		return nowhere
	}
	content, ok := t.contents(n.from, n.to, n.escaped)
	if !ok {
		return nowhere
	}
	t.nodes[at].inside = t.attach(content)
	return t.nodes[at].inside
}

// attach takes in another document, which is UTF-8; nowhere when it is not JSON.
func (t *tree) attach(content []byte) int32 {
	at, from := int32(len(t.nodes)), len(t.buf)
	t.buf = append(t.buf, content...)
	if !t.document(from, len(t.buf)) {
		t.nodes, t.buf = t.nodes[:at], t.buf[:from]
		return nowhere
	}
	return at
}

func (t *tree) nth(at int32, index int) int32 {
	if at = t.open(at); at == nowhere || t.nodes[at].kind != list {
		return nowhere
	}
	for child := at + 1; child < t.nodes[at].next; child = t.nodes[child].next {
		if index--; index < 0 {
			return child
		}
	}
	return nowhere
}

// choose returns the first object of a list whose member equals a text.
func (t *tree) choose(at int32, key, equals string) (int32, *problem) {
	if at = t.open(at); at == nowhere || t.nodes[at].kind != list {
		return nowhere, nil
	}
	for child := at + 1; child < t.nodes[at].next; child = t.nodes[child].next {
		member, bad := t.walk(child, key)
		if bad != nil {
			return nowhere, bad
		}
		if member == nowhere || t.nodes[member].kind != text {
			continue
		}
		n := &t.nodes[member]
		if content, ok := t.contents(n.from, n.to, n.escaped); ok && string(content) == equals {
			return child, nil
		}
	}
	return nowhere, nil
}

// only returns the member of an object that has one.
func (t *tree) only(at int32) int32 {
	if at = t.open(at); at == nowhere || t.nodes[at].kind != object {
		return nowhere
	}
	if first := at + 1; first < t.nodes[at].next && t.nodes[first].next == t.nodes[at].next {
		return first
	}
	return nowhere
}

// scalar reads a node, and OpenTelemetry's {"stringValue": "x"} as x.
func (t *tree) scalar(at int32) (value, *problem) {
	n := &t.nodes[at]
	if n.kind == object {
		if inner := t.only(at); inner != nowhere && isAnyValue(t.buf[t.nodes[inner].keyFrom:t.nodes[inner].keyTo]) {
			n = &t.nodes[inner]
		}
	}
	if n.kind != text {
		return value{kind: n.kind, text: t.buf[n.from:n.to]}, nil
	}
	content, ok := t.contents(n.from, n.to, n.escaped)
	if !ok {
		return value{}, &problem{reason: ingest.BadJSON, says: "half of a surrogate pair"}
	}
	return value{kind: text, text: content}, nil
}

func isAnyValue(key []byte) bool {
	switch string(key) {
	case "stringValue", "intValue", "boolValue", "doubleValue":
		return true
	}
	return false
}
