package sources

import (
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/assay-dev/assay/ingest"
)

// cloudEvent is what a CloudEvents envelope says about the record within it. Its
// id is the source and the id, between which stands a space: neither holds one.
type cloudEvent struct {
	id string
	t  int64 // 0: none
}

// The attributes that make an envelope one, and those that are used.
const (
	specVersion = "specversion"
	headerMark  = "ce_" // before the attributes' names in Kafka's headers
)

// unwrap finds the record within its envelope: in binary mode the value is the
// record and the headers are the envelope, in structured mode the record is the
// envelope's data. Without an envelope the root is the record.
func (t *tree) unwrap(value []byte, headers []ingest.Header) (root element, ce cloudEvent, bad *problem) {
	if !t.parse(value) {
		return root, ce, &problem{reason: ingest.BadJSON, says: "not JSON in UTF-8"}
	}
	if envelope := t.binary(headers); envelope != nowhere {
		return element{0, []int32{envelope}}, t.envelope(envelope), nil
	}
	if !t.has(0, specVersion) || !t.has(0, "id") || !t.has(0, "source") || !t.has(0, "type") {
		return element{}, ce, nil
	}
	if t.twice(0) {
		return element{}, ce, &problem{reason: ingest.BadJSON, says: "an attribute of the envelope is given twice"}
	}
	data, bad := t.data(0)
	if bad != nil || data == nowhere {
		return element{}, ce, bad
	}
	return element{data, []int32{0}}, t.envelope(0), nil
}

// twice tells whether an attribute that matters stands in an envelope twice.
func (t *tree) twice(envelope int32) bool {
	seen := map[string]bool{}
	for child := envelope + 1; child < t.nodes[envelope].next; child = t.nodes[child].next {
		n := &t.nodes[child]
		switch name := string(t.buf[n.keyFrom:n.keyTo]); name {
		case specVersion, "id", "source", "time", "data", "data_base64":
			if seen[name] {
				return true
			}
			seen[name] = true
		}
	}
	return false
}

// data is the node of an envelope's data, nowhere if it has none.
func (t *tree) data(envelope int32) (int32, *problem) {
	if at := t.child(envelope, "data"); at != nowhere {
		if inner := t.open(at); inner != nowhere {
			return inner, nil
		}
		return at, nil
	}
	at := t.child(envelope, "data_base64")
	if at == nowhere || t.nodes[at].kind != text {
		return nowhere, nil
	}
	n := &t.nodes[at]
	encoded, ok := t.contents(n.from, n.to, n.escaped)
	decoded, err := base64.StdEncoding.AppendDecode(nil, encoded)
	if !ok || err != nil || !utf8.Valid(decoded) {
		return nowhere, &problem{reason: ingest.BadJSON, where: "data_base64", says: "is not JSON"}
	}
	if at = t.attach(decoded); at == nowhere {
		return nowhere, &problem{reason: ingest.BadJSON, where: "data_base64", says: "is not JSON"}
	}
	return at, nil
}

// child is a member of an object, by its whole key.
func (t *tree) child(at int32, key string) int32 {
	if t.nodes[at].kind != object {
		return nowhere
	}
	for child := at + 1; child < t.nodes[at].next; child = t.nodes[child].next {
		if n := &t.nodes[child]; string(t.buf[n.keyFrom:n.keyTo]) == key {
			return child
		}
	}
	return nowhere
}

// has tells whether an object has a member that is a text with something in it.
func (t *tree) has(at int32, key string) bool { return t.plain(at, key) != "" }

func (t *tree) plain(at int32, key string) string {
	child := t.child(at, key)
	if child == nowhere || t.nodes[child].kind != text {
		return ""
	}
	n := &t.nodes[child]
	content, ok := t.contents(n.from, n.to, n.escaped)
	if !ok {
		return ""
	}
	return string(content)
}

// binary makes an object of the headers of an envelope in binary mode; nowhere
// when they are none.
func (t *tree) binary(headers []ingest.Header) int32 {
	marked := false
	for i := range headers {
		marked = marked || headers[i].Key == headerMark+specVersion
	}
	if !marked {
		return nowhere
	}
	b := []byte{'{'}
	for i := range headers {
		name, ours := strings.CutPrefix(headers[i].Key, headerMark)
		if !ours || !utf8.ValidString(name) || !utf8.Valid(headers[i].Value) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, name), ':')
		b = appendQuoted(b, string(headers[i].Value))
	}
	at := t.attach(append(b, '}'))
	if at == nowhere || !t.has(at, "id") || !t.has(at, "source") {
		return nowhere
	}
	return at
}

func (t *tree) envelope(at int32) cloudEvent {
	ce := cloudEvent{id: t.plain(at, "source") + " " + t.plain(at, "id")}
	if when, err := time.Parse(time.RFC3339Nano, t.plain(at, "time")); err == nil {
		ce.t = max(0, when.UnixMilli())
	}
	return ce
}
