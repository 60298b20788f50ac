package contract

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// Area is a set of functions that are fuzzed together.
type Area struct {
	Dir       string // of the package's sources
	Rules     Rules
	Words     []string
	Functions map[string]any // by the names of Exported; functions, or closures over one
}

// slow is what no call may take.
const slow = 20 * time.Second

// Fuzz calls a function of the area with arguments made of the fuzzer's bytes, and holds
// its results against the rules. Every function is a seed.
func (a Area) Fuzz(f *testing.F) {
	functions, types, err := Exported(a.Dir)
	if err != nil {
		f.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(a.Functions))
	for i := range names {
		for _, seed := range []string{"", "\x00\x03\x00\x05\x02\x04\x01\x80\x01\x0c\x05\x01\x40", "\x02\x0d\x02\x0e\x02\x15\x02\x16\x02\x02\x02\x04"} {
			f.Add(append([]byte{byte(i)}, seed...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &Reader{Bytes: data, Words: a.Words}
		name := names[r.Pick(len(names))]
		rest := r.Bytes
		before := time.Now()
		results := r.Call(a.Functions[name])
		if spent := time.Since(before); spent > slow {
			t.Errorf("%s takes %v (%x)", name, spent, rest)
		}
		for _, broken := range a.Rules.Broken(results, functions[name]+referred(name, functions, types)) {
			t.Errorf("%s: %s", name, broken)
		}
	})
}

// Missing names the exported functions of the areas' package that none of them fuzzes,
// and the fuzzed ones that there are not.
func Missing(areas ...Area) (out []string, err error) {
	functions, _, err := Exported(areas[0].Dir)
	if err != nil {
		return nil, err
	}
	fuzzed := map[string]bool{}
	for _, a := range areas {
		for name := range a.Functions {
			fuzzed[name] = true
			if _, exported := functions[name]; !exported {
				out = append(out, name+": is fuzzed but not exported")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		if !fuzzed[name] {
			out = append(out, name+": is exported but not fuzzed")
		}
	}
	return out, nil
}

// TestDocumentation fails for every function of the package that Undocumented names.
func TestDocumentation(t *testing.T, dir string, plain []string) {
	t.Helper()
	functions, types, err := Exported(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(functions) == 0 {
		t.Fatalf("no exported function in %s", dir)
	}
	for _, name := range Undocumented(functions, types, plain) {
		t.Error(name)
	}
}
