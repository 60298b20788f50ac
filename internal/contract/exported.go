// Package contract holds the exported functions of a package of numbers against what
// they promise: that no argument makes them panic, that ends of intervals are ordered
// and p-values are probabilities, that a NaN is documented or comes with a warning, and
// that a method names its source. It is for tests.
package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
)

// Exported parses a package's folder and gives the comment of every exported function
// ("Welch") and of every exported method of an exported type ("Pair.Fixed"). types holds
// the comments of the exported types.
func Exported(dir string) (functions, types map[string]string, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, nil, err
	}
	functions, types = map[string]string{}, map[string]string{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if name := nameOf(d); name != "" {
					functions[name] = d.Doc.Text()
				}
			case *ast.GenDecl:
				addTypes(d, types)
			}
		}
	}
	return functions, types, nil
}

// nameOf is empty for what is not exported.
func nameOf(d *ast.FuncDecl) string {
	if !d.Name.IsExported() {
		return ""
	}
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	id, ok := t.(*ast.Ident)
	if !ok || !id.IsExported() {
		return ""
	}
	return id.Name + "." + d.Name.Name
}

func addTypes(d *ast.GenDecl, types map[string]string) {
	for _, s := range d.Specs {
		if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() {
			types[s.Name.Name] = s.Doc.Text()
			if s.Doc == nil {
				types[s.Name.Name] = d.Doc.Text()
			}
		}
	}
}

// year is how papers are cited.
var year = regexp.MustCompile(`\b(18|19|20)\d\d\b`)

// edges are the words with which a comment says what comes of arguments that have no
// answer.
var edges = regexp.MustCompile(`NaN|Inf|∞|[Nn]othing|[Ww]ithout|outside|domain|impossible|refused|no units`)

// Undocumented names the functions whose comment, together with those of their receiver
// and of the functions and types that it refers to, lacks a source (the year of a paper)
// or a word about arguments that have no answer. plain are functions that compute no
// statistic: they need only a comment. A plain one that is not there is named as well.
func Undocumented(functions, types map[string]string, plain []string) (out []string) {
	exempt := map[string]bool{}
	for _, name := range plain {
		if exempt[name] = true; functions[name] == "" {
			out = append(out, name+": is said to need no source, but has no comment or is not there")
		}
	}
	for name, doc := range functions {
		text := doc + " " + referred(name, functions, types)
		switch {
		case doc == "":
			out = append(out, name+": no comment")
		case exempt[name]:
		case !year.MatchString(text):
			out = append(out, name+": no source")
		case !edges.MatchString(text):
			out = append(out, name+": nothing about arguments that have no answer")
		}
	}
	return out
}

var word = regexp.MustCompile(`\b[A-Z]\w*(\.[A-Z]\w*)?`)

// referred are the comments of the receiver and of what the comment names.
func referred(name string, functions, types map[string]string) string {
	receiver, method, isMethod := strings.Cut(name, ".")
	var all strings.Builder
	if isMethod {
		all.WriteString(types[receiver] + " ")
	}
	for _, w := range word.FindAllString(functions[name], -1) {
		if w == name || isMethod && w == method {
			continue
		}
		for _, known := range []string{functions[w], functions[receiver+"."+w], types[w]} {
			all.WriteString(known + " ")
		}
	}
	return all.String()
}
