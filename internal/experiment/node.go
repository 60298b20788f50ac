package experiment

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFileSize is far beyond any file that a person writes; the parser works in
// memory and recursively.
const maxFileSize = 1 << 20

// document parses a file into the one mapping that it must be.
func document(s *source, data []byte) (ast.Node, bool) {
	if len(data) > maxFileSize {
		s.refuse("", RuleSyntax, fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), maxFileSize), "")
		return nil, false
	}
	// Duplicate keys are let through here and refused in mapping, beside whatever
	// else is wrong, instead of one at a time.
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, text := position{1, 1}, err.Error()
		if e, ok := errors.AsType[yaml.Error](err); ok {
			at, text = positionOf(e.GetToken()), e.GetMessage()
		}
		s.refuseAt(at, RuleSyntax, "this is not YAML: "+text, "")
		return nil, false
	}
	switch {
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		s.refuse("", RuleSyntax, "the file is empty", "an experiment begins with key:, a metric with name:")
		return nil, false
	case len(file.Docs) > 1:
		s.refuseAt(nodePosition(file.Docs[1].Body), RuleOneDocument, "a second document begins here", "write one file for each experiment and each metric")
		return nil, false
	}
	return file.Docs[0].Body, true
}

// pair is one line of a mapping.
type pair struct {
	key   string
	at    position // of the key
	node  ast.Node // the key
	value ast.Node
}

// mapping reads the lines of a mapping and refuses a key that stands twice.
func mapping(s *source, path string, n ast.Node) ([]pair, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, wrongForm(s, path, n, "a mapping (name: value)")
	}
	first := map[string]int{}
	out := make([]pair, 0, len(values))
	for _, v := range values {
		key, ok := v.Key.(ast.ScalarNode)
		if !ok || v.Key.Type() == ast.MergeKeyType {
			s.refuseAt(nodePosition(v.Key), RulePlainYAML, "this key is not a plain word", "anchors, aliases, tags and merge keys are not read: write it out")
			return nil, false
		}
		p := pair{key: key.GetToken().Value, at: nodePosition(v.Key), node: v.Key, value: v.Value}
		if line, ok := first[p.key]; ok {
			s.refuseAt(p.at, RuleDuplicateField, fmt.Sprintf("%s stands twice; first in line %d", p.key, line), "")
			continue
		}
		first[p.key] = p.at.line
		out = append(out, p)
	}
	return out, true
}

// sequence reads the items of a list.
func sequence(s *source, path string, n ast.Node) ([]ast.Node, bool) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil, wrongForm(s, path, n, "a list ([a, b] or lines with -)")
	}
	return list.Values, true
}

// scalar reads the text of a single value exactly as it was written, so that
// numbers never pass through a float and a country NO stays a country.
func scalar(s *source, path string, n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	}
	return "", wrongForm(s, path, n, "a single value")
}

// wrongForm refuses a value that is not of the wanted form; always false.
func wrongForm(s *source, path string, n ast.Node, want string) bool {
	at := nodePosition(n)
	switch n.(type) {
	case *ast.NullNode:
		s.refuseAt(at, RuleEmpty, naming(path)+" has no value", "leave it out or write "+want)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		s.refuseAt(at, RulePlainYAML, naming(path)+" is not written out", "anchors, aliases, tags and merge keys are not read: write it out")
	default:
		s.refuseAt(at, RuleForm, naming(path)+" must be "+want, "")
	}
	return false
}

// nodePosition is where a value begins. The parser's own token of a block
// mapping is the colon of its first line.
func nodePosition(n ast.Node) position {
	switch n := n.(type) {
	case nil:
		return position{1, 1}
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return nodePosition(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return nodePosition(n.Key)
	}
	return positionOf(n.GetToken())
}
