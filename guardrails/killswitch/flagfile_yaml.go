package killswitch

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// editYAML finds the setting by the positions of the parser's tokens.
func (m member) editYAML(text []byte) ([]byte, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil || len(file.Docs) != 1 {
		return nil, errForm
	}
	var key, value ast.Node = nil, file.Docs[0].Body
	for _, name := range m.flag {
		if key, value = entry(value, name); value == nil {
			return nil, errForm // it may come in by an alias or a merge, where others share it
		}
	}
	if _, now := entry(value, m.name); now != nil {
		return m.replaceScalar(text, now.GetToken())
	}
	return m.insert(text, key.GetToken(), value)
}

// entry is the key and the value of a name in a mapping.
func entry(n ast.Node, name string) (key, value ast.Node) {
	mapping, ok := n.(ast.MapNode)
	if !ok {
		return nil, nil
	}
	for i := mapping.MapRange(); i.Next(); {
		if i.Key().GetToken().Value == name {
			return i.Key(), i.Value()
		}
	}
	return nil, nil
}

// replaceScalar changes a value on its line, however it is quoted.
func (m member) replaceScalar(text []byte, now *token.Token) ([]byte, error) {
	start := offset(text, now.Position.Line, now.Position.Column)
	if start < 0 {
		return nil, errForm
	}
	for _, written := range []string{`"` + now.Value + `"`, "'" + now.Value + "'", now.Value} {
		if bytes.HasPrefix(text[start:], []byte(written)) {
			return splice(text, start, start+len(written), m.text()), nil
		}
	}
	return nil, errForm
}

// insert adds the setting as the first of its flag: on a line of its own below
// the flag's key, or behind the brace.
func (m member) insert(text []byte, key *token.Token, flag ast.Node) ([]byte, error) {
	mapping, ok := flag.(ast.MapNode)
	first := -1
	if ok {
		for i := mapping.MapRange(); first < 0 && i.Next(); {
			first = i.Key().GetToken().Position.Column
		}
	}
	if block, ok := flag.(*ast.MappingNode); ok && block.IsFlowStyle {
		brace := offset(text, block.Start.Position.Line, block.Start.Position.Column)
		if brace < 0 || text[brace] != '{' || first < 0 {
			return nil, errForm
		}
		return splice(text, brace+1, brace+1, m.name+": "+m.text()+", "), nil
	}
	start := offset(text, key.Position.Line, 1)
	end := bytes.IndexByte(text[max(start, 0):], '\n')
	if start < 0 || end < 0 || first < 0 {
		return nil, errForm
	}
	line := "\n" + strings.Repeat(" ", first-1) + m.name + ": " + m.text()
	end += start
	if text[end-1] == '\r' {
		end--
		line = "\r" + line
	}
	return splice(text, end, end, line), nil
}

// offset is the place of a line and a column, both from 1, the latter in
// characters; −1 when there is none.
func offset(text []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return -1
		}
		at += next + 1
	}
	for ; column > 1; column-- {
		if at >= len(text) {
			return -1
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	if at >= len(text) {
		return -1
	}
	return at
}
