package killswitch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml"
)

// member is one setting of one flag in a file of flags.
type member struct {
	flag  []string // where the flag stands, such as flags, new-search
	name  string   // of its setting, such as state
	value any      // what the setting becomes: a bool or a word
}

// text is the value as JSON and YAML both read it.
func (m member) text() string {
	if s, ok := m.value.(string); ok {
		return `"` + s + `"`
	}
	return fmt.Sprint(m.value)
}

var (
	errNoFlag = errors.New("the file has no such flag")
	errForm   = errors.New("the flag is written in a form that cannot be edited safely: turn it off by hand")
)

// edit changes nothing but one setting of a file: every other byte stays. The
// text that comes out is read again, and held against what the one that went in
// means with that setting changed; where they differ nothing is written.
func edit(before []byte, m member) (after []byte, changed bool, err error) {
	meant, changed, err := m.apply(before)
	if err != nil || !changed {
		return before, false, err
	}
	if json.Valid(before) {
		after, err = m.editJSON(before)
	} else {
		after, err = m.editYAML(before)
	}
	if err != nil {
		return nil, false, err
	}
	if means, err := meaning(after); err != nil || !reflect.DeepEqual(means, meant) {
		return nil, false, errForm
	}
	return after, true, nil
}

// meaning is what a file says. It is written out once more and read again, so
// that nothing in it is shared: flags may be aliases of one another.
func meaning(text []byte) (document any, err error) {
	if json.Valid(text) {
		err = json.Unmarshal(text, &document)
	} else {
		err = yaml.Unmarshal(text, &document)
	}
	if err != nil {
		return nil, errors.New("the file is neither JSON nor YAML")
	}
	apart, err := json.Marshal(document)
	if err != nil {
		return nil, errForm
	}
	document = nil
	err = json.Unmarshal(apart, &document)
	return document, err
}

// apply is what the file means when the setting is changed, and whether that is
// a change.
func (m member) apply(text []byte) (document any, changed bool, err error) {
	if document, err = meaning(text); err != nil {
		return nil, false, err
	}
	at := document
	for _, name := range m.flag {
		object, _ := at.(map[string]any)
		if at = object[name]; at == nil {
			return nil, false, errNoFlag
		}
	}
	flag, ok := at.(map[string]any)
	if !ok {
		return nil, false, errForm
	}
	was, there := flag[m.name]
	flag[m.name] = m.value
	return document, !there || was != m.value, nil
}

// editJSON finds the setting by the positions of a decoder.
func (m member) editJSON(text []byte) ([]byte, error) {
	from := bytes.IndexByte(text, '{')
	for _, name := range m.flag {
		start, _, err := valueOf(text, from, name)
		if err != nil || start < 0 {
			return nil, errForm
		}
		from = start
	}
	start, end, err := valueOf(text, from, m.name)
	switch {
	case err != nil:
		return nil, err
	case start >= 0:
		return splice(text, start, end, m.text()), nil
	}
	inside := text[from+1:]
	space := inside[:len(inside)-len(bytes.TrimLeft(inside, " \t\r\n"))]
	insert := string(space) + `"` + m.name + `": ` + m.text()
	if inside[len(space)] != '}' {
		insert += ","
	}
	return splice(text, from+1, from+1, insert), nil
}

// valueOf finds the value of a name in the object that begins at from: where it
// begins and ends, or −1. A name that is there twice has no one meaning.
func valueOf(text []byte, from int, name string) (start, end int, err error) {
	start, end = -1, -1
	decoder := json.NewDecoder(bytes.NewReader(text[from:]))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return start, end, errForm
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return start, end, errForm
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return start, end, errForm
		}
		if key != name {
			continue
		}
		if start >= 0 {
			return start, end, errForm
		}
		end = from + int(decoder.InputOffset())
		start = end - len(value)
	}
	return start, end, nil
}

// splice puts a text in the place of a part of another.
func splice(text []byte, start, end int, with string) []byte {
	return bytes.Join([][]byte{text[:start], []byte(with), text[end:]}, nil)
}
