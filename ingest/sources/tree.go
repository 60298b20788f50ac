package sources

import "unicode/utf8"

// kind is the JSON type of a value; the zero value says that it is absent.
type kind uint8

const (
	absent kind = iota
	null
	text
	number
	boolean
	object
	list
)

// maxDepth is how deep objects and lists may lie in one another; encoding/json
// stops there, too.
const maxDepth = 10000

// node is one value of a record. The nodes of an object's or a list's members
// follow it; next is the node after the last of them.
type node struct {
	kind           kind
	escaped        bool   // the text holds escapes
	keyEscaped     bool   // the key does
	keyFrom, keyTo uint32 // of the member's key, without quotes
	from, to       uint32 // of a text without quotes, of anything else as it stands
	next           int32
	inside         int32 // the node of the JSON that this text holds: 0 not looked, -1 none
}

// tree is a record taken apart in one pass. It is used again for the next one.
type tree struct {
	buf     []byte // the record, and behind it texts that turned out to be JSON
	nodes   []node
	scratch []byte // of one unescaped text
}

// parse reads one JSON value that fills all of b. False means that it is none:
// JSON in UTF-8, by the same grammar as encoding/json.
func (t *tree) parse(b []byte) bool {
	t.buf, t.nodes = b[:len(b):len(b)], t.nodes[:0]
	return utf8.Valid(b) && t.document(0, len(b))
}

// document appends the nodes of the value in buf[from:to].
func (t *tree) document(from, to int) bool {
	p := parser{t: t, b: t.buf[:to], i: from}
	p.space()
	if !p.value(node{}, 0) {
		return false
	}
	p.space()
	return p.i == to
}

// parser is the position in one document.
type parser struct {
	t *tree
	b []byte
	i int
}

// value appends the value at i; n holds its key, if it has one.
func (p *parser) value(n node, depth int) bool {
	if p.i >= len(p.b) || depth > maxDepth {
		return false
	}
	at := len(p.t.nodes)
	n.from = uint32(p.i)
	p.t.nodes = append(p.t.nodes, n)
	ok := false
	switch c := p.b[p.i]; {
	case c == '"':
		n.kind = text
		n.from, n.to, n.escaped, ok = p.string()
	case c == '{':
		n.kind = object
		ok = p.members(depth)
	case c == '[':
		n.kind = list
		ok = p.elements(depth)
	case c == '-' || c-'0' <= 9:
		n.kind = number
		ok = p.number()
	case c == 't':
		n.kind = boolean
		ok = p.word("true")
	case c == 'f':
		n.kind = boolean
		ok = p.word("false")
	case c == 'n':
		n.kind = null
		ok = p.word("null")
	}
	if n.kind != text {
		n.to = uint32(p.i)
	}
	n.next = int32(len(p.t.nodes))
	p.t.nodes[at] = n
	return ok
}

func (p *parser) members(depth int) bool {
	p.i++
	p.space()
	if p.take('}') {
		return true
	}
	for {
		var n node
		var ok bool
		if n.keyFrom, n.keyTo, n.keyEscaped, ok = p.string(); !ok {
			return false
		}
		p.space()
		if !p.take(':') {
			return false
		}
		p.space()
		if !p.value(n, depth+1) {
			return false
		}
		p.space()
		if p.take('}') {
			return true
		}
		if !p.take(',') {
			return false
		}
		p.space()
	}
}

func (p *parser) elements(depth int) bool {
	p.i++
	p.space()
	if p.take(']') {
		return true
	}
	for {
		if !p.value(node{}, depth+1) {
			return false
		}
		p.space()
		if p.take(']') {
			return true
		}
		if !p.take(',') {
			return false
		}
		p.space()
	}
}

// string moves over a quoted text.
func (p *parser) string() (from, to uint32, escaped, ok bool) {
	if !p.take('"') {
		return 0, 0, false, false
	}
	start := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			return uint32(start), uint32(p.i - 1), escaped, true
		case c == '\\':
			escaped = true
			if !p.escape() {
				return 0, 0, false, false
			}
		case c < ' ':
			return 0, 0, false, false
		default:
			p.i++
		}
	}
	return 0, 0, false, false
}

func (p *parser) escape() bool {
	if p.i+1 >= len(p.b) {
		return false
	}
	switch p.b[p.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.i += 2
		return true
	case 'u':
		_, ok := hex4(p.b[p.i+2:])
		p.i += 6
		return ok
	}
	return false
}

// number moves over -? (0 | [1-9] digit*) (. digit+)? ([eE] [+-]? digit+)?
func (p *parser) number() bool {
	p.take('-')
	if !p.take('0') && !p.digits() {
		return false
	}
	if p.take('.') && !p.digits() {
		return false
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		return p.digits()
	}
	return true
}

func (p *parser) digits() bool {
	from := p.i
	for p.i < len(p.b) && p.b[p.i]-'0' <= 9 {
		p.i++
	}
	return p.i > from
}

func (p *parser) word(w string) bool {
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return false
	}
	p.i += len(w)
	return true
}

func (p *parser) take(c byte) bool {
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\t' || p.b[p.i] == '\r') {
		p.i++
	}
}
