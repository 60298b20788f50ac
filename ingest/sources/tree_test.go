package sources

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

var documents = []string{
	`{"a":1}`, `[]`, ` {"a" : [1, 2.5e-3, {"b":null}], "c":true}`, `"x"`, `0`, `-0.1E+9`, `01`, `1.`, `.5`, `+1`, `1e`, `tru`, `nul`, `"\u00e4\n"`, `"\x"`, `"\u12"`,
	`"` + "\x01" + `"`, `"` + "\xff" + `"`, `{"a":1,}`, `[1,]`, `{"a"}`, `{a:1}`, `{"a":1}{}`, ``, `{`, `["`, `{"a":"b\"c"}`, `"\ud83d\ude00"`, `"\ud83d"`, "\ufeff{}",
	strings.Repeat("[", 9000) + strings.Repeat("]", 9000), strings.Repeat("[", 20000),
}

func sameGrammar(t *testing.T, tr *tree, b []byte) {
	got, want := tr.parse(b), json.Valid(b) && utf8.Valid(b)
	if got != want {
		t.Fatalf("%.80q: valid is %v, want %v", b, got, want)
	}
}

// The grammar is that of encoding/json, and text must be UTF-8.
func TestGrammar(t *testing.T) {
	var tr tree
	for _, d := range documents {
		sameGrammar(t, &tr, []byte(d))
	}
}

func FuzzGrammar(f *testing.F) {
	for _, d := range documents {
		f.Add([]byte(d))
	}
	var tr tree
	f.Fuzz(func(t *testing.T, b []byte) { sameGrammar(t, &tr, b) })
}

// A text comes out as encoding/json reads it, and goes back in.
func TestUnescape(t *testing.T) {
	var tr tree
	for _, text := range []string{`"plain"`, `"\"\\\/\b\f\n\r\t"`, `"\u0000\u00e9\uFFFD"`, `"\ud83d\ude00 x"`, `"ä€😀"`} {
		var want string
		if err := json.Unmarshal([]byte(text), &want); err != nil || !tr.parse([]byte(text)) {
			t.Fatal(text, err)
		}
		v, bad := tr.scalar(0)
		if bad != nil || string(v.text) != want {
			t.Errorf("%s is %q (%v), want %q", text, v.text, bad, want)
		}
		var back string
		if err := json.Unmarshal(appendQuoted(nil, want), &back); err != nil || back != want {
			t.Errorf("%q written as %s", want, appendQuoted(nil, want))
		}
	}
	for _, half := range []string{`"\ud83d"`, `"\ude00"`, `"\ud83d\ud83d"`, `"\ud83dx"`, `"\ud83d\n"`} {
		if !tr.parse([]byte(half)) {
			t.Fatal(half)
		}
		if _, bad := tr.scalar(0); bad == nil {
			t.Errorf("%s was read", half)
		}
	}
}

func TestPaths(t *testing.T) {
	const record = `{
		"a": {"b": "ab", "b.c": "a(b.c)", "n": null, "e": ""},
		"a.b": {"c": "(a.b)c"},
		"list": [{"k": "x", "v": 1}, {"k": "y", "v": 2}],
		"pairs": [{"key": "p.q", "value": {"stringValue": "pq"}}, {"key": "n", "value": {"intValue": "7"}}],
		"one": {"only": true},
		"$x": {"$y z": "dollar"},
		"json": "{\"in\": {\"side\": [\"deep\"]}}",
		"text": "{not json",
		"twice": {"t": 1, "t": 2},
		"escaped\u002ekey": "dot"
	}`
	for _, c := range []struct{ path, want string }{
		{"a.b", ""}, // the longer key wins: an object
		{"a.b.c", "(a.b)c"},
		{"a.n", "null"}, {"a.e", ""}, {"a.z", "absent"}, {"z", "absent"}, {"a.b.c.d", "absent"},
		{"list[1].v", "2"}, {"list[2].v", "absent"}, {"list[k=y].v", "2"}, {"list[k=z].v", "absent"}, {"list.k", "absent"},
		{"pairs.p.q", "pq"}, {"pairs.n", "7"}, {"pairs.m", "absent"},
		{"one.*", "true"}, {"a.*", "absent"}, {"$x.$y z", "dollar"},
		{"json.in.side[0]", "deep"}, {"text.x", "absent"}, {"escaped.key", "dot"},
		{"z | a.n | one.only", "true"}, {"z | a.n", "null"}, {"^.a", "absent"},
		{"twice.t", "twice"},
	} {
		var tr tree
		if !tr.parse([]byte(record)) {
			t.Fatal("the record is not JSON")
		}
		list, err := parsePaths(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		v, _, bad := (&source{tree: &tr}).firstOf(list)
		got := string(v.text)
		switch {
		case bad != nil && strings.Contains(bad.says, "twice"):
			got = "twice"
		case v.kind == absent:
			got = "absent"
		case v.kind == object:
			got = ""
		}
		if got != c.want {
			t.Errorf("%s leads to %q (%v), want %q", c.path, got, bad, c.want)
		}
	}
	for _, bad := range []string{"", ".a", "a..b", "a.", "a[", "a[x]", "a[-1]", "a[=x]", "a | "} {
		if p, err := parsePaths(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, p)
		}
	}
}

// Looking into texts must not cost more than the record is worth.
func TestTextsInTexts(t *testing.T) {
	inner := []byte(`{"x":"deep"}`)
	for range 5 {
		inner = fmt.Appendf(nil, `{"x":%s}`, appendQuoted(nil, string(inner)))
	}
	var tr tree
	if !tr.parse(bytes.Clone(inner)) {
		t.Fatal("not JSON")
	}
	list, _ := parsePaths("x.x.x.x.x.x")
	if v, _, bad := (&source{tree: &tr}).firstOf(list); bad != nil || string(v.text) != "deep" {
		t.Errorf("%q, %v", v.text, bad)
	}
}
