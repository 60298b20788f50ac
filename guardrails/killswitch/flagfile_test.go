package killswitch

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestEdit: one setting changes, and every other byte stays.
func TestEdit(t *testing.T) {
	state := member{[]string{"flags", "new-search"}, "state", "DISABLED"}
	disable := member{[]string{"new-search"}, "disable", true}
	tests := []struct {
		name   string
		member member
		before string
		after  string // empty: nothing changes
		err    error
	}{
		{"JSON", state,
			"{\n  \"$schema\": \"https://flagd.dev/schema\",\n  \"flags\": {\n    \"other\": {\"state\": \"ENABLED\"},\n    \"new-search\": {\n      \"state\":   \"ENABLED\",\n      \"variants\": {\"on\": 1.50}\n    }\n  }\n}\n",
			"{\n  \"$schema\": \"https://flagd.dev/schema\",\n  \"flags\": {\n    \"other\": {\"state\": \"ENABLED\"},\n    \"new-search\": {\n      \"state\":   \"DISABLED\",\n      \"variants\": {\"on\": 1.50}\n    }\n  }\n}\n", nil},
		{"JSON with tabs, and no state yet", state,
			"{\"flags\":{\n\t\"new-search\": {\n\t\t\"variants\": {}\n\t}\n}}",
			"{\"flags\":{\n\t\"new-search\": {\n\t\t\"state\": \"DISABLED\",\n\t\t\"variants\": {}\n\t}\n}}", nil},
		{"JSON on one line", disable, `{"new-search":{"variations":{}}}`, `{"new-search":{"disable": true,"variations":{}}}`, nil},
		{"a JSON flag without anything", disable, `{"new-search":{}}`, `{"new-search":{"disable": true}}`, nil},
		{"JSON, off already", state, `{"flags":{"new-search":{"state":"DISABLED"}}}`, "", nil},
		{"JSON with the flag twice", state, `{"flags":{"new-search":{"state":"ENABLED"},"new-search":{"state":"ENABLED"}}}`, "", errForm},
		{"JSON, and the same name elsewhere first", disable,
			`{"old":{"metadata":{"new-search":{"disable":false}}},"new-search":{"disable":false}}`,
			`{"old":{"metadata":{"new-search":{"disable":false}}},"new-search":{"disable":true}}`, nil},
		{"YAML with comments", state,
			"# ours\nflags:\n  other: {state: ENABLED}\n  new-search: # the experiment\n    # its state\n    state: \"ENABLED\" # since May\n    variants:\n      on: true\n",
			"# ours\nflags:\n  other: {state: ENABLED}\n  new-search: # the experiment\n    # its state\n    state: \"DISABLED\" # since May\n    variants:\n      on: true\n", nil},
		{"YAML without quotes", state, "flags:\n  new-search:\n    state: ENABLED\n", "flags:\n  new-search:\n    state: \"DISABLED\"\n", nil},
		{"YAML in single quotes, behind letters of several bytes", state,
			"flags:\n  {\"é\": {state: 'ENABLED'}, new-search: {state: 'ENABLED'}}\n",
			"flags:\n  {\"é\": {state: 'ENABLED'}, new-search: {state: \"DISABLED\"}}\n", nil},
		{"YAML with a new setting", disable,
			"new-search: # ours\n  # two of them\n  variations:\n    a: 1\nother:\n  disable: true\n",
			"new-search: # ours\n  disable: true\n  # two of them\n  variations:\n    a: 1\nother:\n  disable: true\n", nil},
		{"YAML with a value that changes", disable, "new-search:\n    disable: false\n    a: 1\n", "new-search:\n    disable: true\n    a: 1\n", nil},
		{"YAML in braces", disable, "new-search: {variations: {a: 1}}\n", "new-search: {disable: true, variations: {a: 1}}\n", nil},
		{"YAML with lines of Windows", disable, "new-search:\r\n  a: 1\r\nb: 2\r\n", "new-search:\r\n  disable: true\r\n  a: 1\r\nb: 2\r\n", nil},
		{"YAML, off already", disable, "new-search:\n  disable: true\n", "", nil},
		{"YAML whose flag is another one's", disable, "old: &x\n  disable: false\nnew-search: *x\n", "", errForm},
		{"YAML from which another flag takes its state", disable, "new-search: &x\n  disable: false\nold: *x\n", "", errForm},
		{"YAML with a state that others share", state, "on: &on ENABLED\nflags:\n  new-search:\n    state: *on\n", "", errForm},
		{"two YAML documents", disable, "new-search:\n  a: 1\n---\nnew-search:\n  a: 1\n", "", errForm},
		{"no such flag", disable, "other:\n  a: 1\n", "", errNoFlag},
		{"a flag that is a word", disable, "new-search: on\n", "", errForm},
		{"neither", disable, "\t{", "", errors.New("the file is neither JSON nor YAML")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after, changed, err := edit([]byte(tt.before), tt.member)
			if tt.err != nil {
				if err == nil || err.Error() != tt.err.Error() {
					t.Errorf("%q, %v; want the error %q", after, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := tt.after
			if want == "" {
				want = tt.before
			}
			if changed != (tt.after != "") {
				t.Errorf("changed: %v", changed)
			}
			if diff := cmp.Diff(want, string(after)); diff != "" {
				t.Errorf("the file (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEditOfAnything: whatever stands in a file, an edit changes the one setting
// and nothing else, or is refused.
func TestEditOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{
			"new-search:", "  disable: false", "  disable: true", "  disable: &x false", "  other: *x", "  a: {disable: false}", "  <<: *y", "y: &y", "  b: 1",
			"other:", "# disable: false", "  # new-search:", "new-search: {a: 1}", "new-search: {}", "  text: |", "    disable: false", "{\"new-search\":{\"a\":1}}", "é: 'ü'", "",
		}), 1, 8).Draw(t, "lines")
		text := ""
		for _, line := range lines {
			text += line + "\n"
		}
		m := member{[]string{"new-search"}, "disable", true}
		after, changed, err := edit([]byte(text), m)
		if err != nil {
			return
		}
		if !changed {
			if string(after) != text {
				t.Fatalf("nothing to change, but it is %q", after)
			}
			return
		}
		if _, again, err := edit(after, m); err != nil || again {
			t.Errorf("%q became %q, which is changed again: %v, %v", text, after, again, err)
		}
		if len(after) < len(text)-2 || len(after) > len(text)+20 {
			t.Errorf("%q became %q", text, after)
		}
	})
}
