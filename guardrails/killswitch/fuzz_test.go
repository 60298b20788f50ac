package killswitch

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzEdit: of any file, an edit changes the one setting and nothing that the
// file means besides, or is refused; a second edit finds nothing to do.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{
		`{"flags":{"new-search":{"state":"ENABLED"}}}`, "{\"new-search\":{\n\t\"a\":1\n}}", relayFlags, flagdFlags,
		"new-search: {a: 1}\n", "new-search: &x\n  a: 1\nother: *x\n", "new-search:\r\n  disable: false # no\r\n", "? new-search\n: disable: no\n",
		"new-search:\n  text: |\n    disable: false\n", "<<: {new-search: {a: 1}}\n", "'new-search': !!map {disable: \"false\"}\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, m := range []member{
			{[]string{"new-search"}, "disable", true},
			{[]string{"flags", "new-search"}, "state", "DISABLED"},
		} {
			kept := bytes.Clone(text)
			after, changed, err := edit(text, m)
			if !bytes.Equal(text, kept) {
				t.Fatal("the text that went in was changed")
			}
			if err != nil || !changed {
				continue
			}
			want, _, err := m.apply(text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := meaning(after); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q became %q, which means %v (%v) and not %v", text, after, got, err, want)
			}
			if _, again, err := edit(after, m); err != nil || again {
				t.Errorf("%q became %q, which is changed again: %v, %v", text, after, again, err)
			}
		}
	})
}
