package deploy_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/testref"
)

// meanings are of the settings whose field has no comment in the code, because
// its name says it there.
var meanings = map[string]string{
	"kafka.brokers":                           "addresses; none starts the embedded broker",
	"kafka.group":                             "consumers of one group share the shards",
	"kafka.topics[].name":                     "of the topic; it may hold exposures, outcomes or both",
	"clickhouse.addresses":                    "of the native protocol, tried in order; none starts the embedded engine",
	"clickhouse.database":                     "the grants of deploy/clickhouse name `assay`",
	"clickhouse.user":                         "at the named addresses; the embedded engine has its own",
	"clickhouse.password":                     "of that user",
	"clickhouse.tls":                          "TLS 1.2 or newer, against the system's authorities",
	"switches.NAME.webhook.url":               "what a kill is posted to; `{flag}` and `{experiment}` are filled in",
	"switches.NAME.webhook.secret":            "signs the call",
	"switches.NAME.webhook.headers":           "further headers of the call, by name",
	"switches.NAME.webhook.read_back.url":     "what is asked whether the flag is off",
	"switches.NAME.webhook.read_back.headers": "further headers of that request, by name",
}

// setting is one line of the table.
type setting struct{ path, kind, preset, meaning string }

// TestConfigurationTable holds the table in docs/operations.md against the
// fields of internal/config; -update writes it.
func TestConfigurationTable(t *testing.T) {
	c := config.Default()
	r := reference{comments: fieldComments(t), used: map[string]bool{}}
	r.walk("", reflect.ValueOf(c))

	var b strings.Builder
	b.WriteString("<!-- configuration -->\n| setting | what it takes | default | what it says |\n|---|---|---|---|\n")
	for _, s := range r.settings {
		if s.meaning == "" {
			t.Errorf("%s: neither a comment in internal/config nor a meaning here", s.path)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.path, s.kind, s.preset, s.meaning)
	}
	b.WriteString("<!-- /configuration -->")
	for path := range meanings {
		if !r.used[path] {
			t.Errorf("%s needs no meaning: it is gone or has a comment", path)
		}
	}
	matchesPart(t, "operations.md", "configuration", b.String())
}

// reference walks the configuration's fields.
type reference struct {
	comments map[string]string // by Type.Field
	used     map[string]bool
	settings []setting
}

func (r *reference) walk(prefix string, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		path := prefix + field.Tag.Get("yaml")
		value := v.Field(i)
		switch inner := field.Type; {
		case inner.Kind() == reflect.Struct && inner != reflect.TypeFor[config.Secret]():
			r.walk(path+".", value)
		case inner.Kind() == reflect.Pointer:
			r.walk(path+".", reflect.New(inner.Elem()).Elem())
		case inner.Kind() == reflect.Map && inner.Elem().Kind() == reflect.Struct && inner.Elem() != reflect.TypeFor[config.Secret]():
			r.walk(path+".NAME.", reflect.New(inner.Elem()).Elem())
		case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct:
			r.walk(path+"[].", reflect.New(inner.Elem()).Elem())
			r.presetOf(path+"[].name", value)
		default:
			r.add(path, v.Type().Name()+"."+field.Name, value)
		}
	}
}

// presetOf fills in the names of a list that is not empty by default.
func (r *reference) presetOf(path string, list reflect.Value) {
	var names []string
	for i := range list.Len() {
		names = append(names, fmt.Sprintf("`%v`", list.Index(i).FieldByName("Name")))
	}
	for i := range r.settings {
		if r.settings[i].path == path {
			r.settings[i].preset = strings.Join(names, ", ")
		}
	}
}

func (r *reference) add(path, name string, v reflect.Value) {
	meaning := r.comments[name]
	if meaning == "" {
		meaning = meanings[path]
		r.used[path] = meaning != ""
	}
	preset := ""
	if !v.IsZero() {
		preset = fmt.Sprintf("`%v`", v)
	}
	r.settings = append(r.settings, setting{path, takes(v.Type()), preset, strings.ReplaceAll(meaning, "|", "\\|")})
}

func takes(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[config.Secret]():
		return "a secret's name"
	case t == reflect.TypeFor[config.Size]():
		return "a size: `512MiB`"
	case t == reflect.TypeFor[experiment.Duration]():
		return "a duration: `5s`"
	case t == reflect.TypeFor[map[string]string]():
		return "texts by name"
	case t == reflect.TypeFor[map[string][]string]():
		return "lists of words by name"
	case t == reflect.TypeFor[map[string]experiment.Duration]():
		return "durations by name: `{all: 400d}`"
	case t.Kind() == reflect.Map:
		return "secrets' names by header"
	case t.Kind() == reflect.Slice:
		return "a list of words"
	case t.Kind() == reflect.Bool:
		return "`true`, `false`"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int32, t.Kind() == reflect.Float64:
		return "a number"
	}
	return "text"
}

// fieldComments are the comments beside the fields of internal/config.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	dir := filepath.Join(testref.Root(t), "internal", "config")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						out[spec.Name.Name+"."+name.Name] = strings.TrimSpace(f.Comment.Text())
					}
				}
			}
			return true
		})
	}
	return out
}
