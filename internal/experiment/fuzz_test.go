package experiment

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever stands in a file, it gives a set that can be applied or problems that
// have a place; nothing panics.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*/*.yaml", "testdata/bad/*.yaml", "testdata/allowed/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	metrics, err := filepath.Glob("testdata/good/metrics/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	var files []File
	for _, p := range metrics {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		files = append(files, File{Name: p, Data: data})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, problems := Parse(append(files[:len(files):len(files)], File{Name: "experiments/x.yaml", Data: data}))
		for _, p := range problems {
			if p.Text == "" || p.Rule == "" || p.Line < 1 || p.Column < 1 || p.Error() == "" {
				t.Errorf("problem %+v", p)
			}
		}
		if (set == nil) != (len(problems) > 0) {
			t.Fatalf("set %v with problems %v", set, problems)
		}
		if set == nil {
			return
		}
		v, _, problems := Apply(nil, set, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "operator")
		if problems != nil {
			return
		}
		if err := v.Validate(); err != nil {
			t.Error(err)
		}
	})
}
