package ingest

import (
	"strconv"
	"testing"
)

func TestSymbols(t *testing.T) {
	s := newSymbols()
	ids := map[uint32]bool{}
	for i := range 10_000 {
		ids[s.id([]byte("text "+strconv.Itoa(i)))] = true
	}
	for i := range 10_000 {
		text := "text " + strconv.Itoa(i)
		if id := s.id([]byte(text)); !ids[id] || string(s.bytes(id)) != text {
			t.Fatalf("%s: %d, %q", text, id, s.bytes(id))
		}
	}
	if len(ids) != 10_000 || s.id(nil) != 0 || s.bytes(0) != nil {
		t.Errorf("%d ids for 10,000 texts; the empty one %d", len(ids), s.id(nil))
	}
}

func TestAttr(t *testing.T) {
	long := string(make([]byte, 300))
	list := appendAttrs(nil, []Attr{{"a", ""}, {"b", long}, {"c", "x"}})
	for name, want := range map[string]string{"a": "", "b": long, "c": "x"} {
		if v, ok := attr(list, name); !ok || string(v) != want {
			t.Errorf("%s: %q %v", name, v, ok)
		}
	}
	if _, ok := attr(list, "d"); ok {
		t.Error("d is not in the list")
	}
}
