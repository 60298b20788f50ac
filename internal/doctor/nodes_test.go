package doctor

import "testing"

func TestCheckNodes(t *testing.T) {
	for _, c := range []struct {
		name string
		node Node
		want []Level
	}{
		{"well", Node{Name: "a", Has: []uint16{0, 2}, Placed: []uint16{0, 2}}, []Level{OK}},
		{"empty", Node{Name: "a"}, []Level{OK}},
		{"away", Node{Name: "a", Away: "refused", Placed: []uint16{0}}, []Level{Fault}},
		{"a shard that belongs elsewhere", Node{Name: "a", Has: []uint16{0, 1}, Placed: []uint16{0}}, []Level{Fault}},
		{"a shard that is gone", Node{Name: "a", Has: []uint16{0}, Placed: []uint16{0, 1}}, []Level{Warn}},
		{"one on its way", Node{Name: "a", Has: []uint16{0, 3}, Placed: []uint16{0}, Coming: []uint16{3}}, []Level{Warn}},
	} {
		found := CheckNodes([]Node{c.node})
		if len(found) != len(c.want) {
			t.Errorf("%s: %v", c.name, found)
			continue
		}
		for i, f := range found {
			if f.Level != c.want[i] || f.Check != Nodes || f.Level != OK && f.Remedy == "" {
				t.Errorf("%s: %+v, want %v", c.name, f, c.want[i])
			}
		}
	}
	if found := CheckNodes(nil); len(found) > 0 {
		t.Errorf("one server: %v", found)
	}
}
