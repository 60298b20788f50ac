package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestRerun: an experiment ran; its next run is written into its file and applied, and
// once both were looked at they are one.
func TestRerun(t *testing.T) {
	s := newStack(t)
	began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	name := filepath.Join(t.TempDir(), "x.yaml")
	text := "key: x\nowner: growth\nvariants: {control: 50%, a: 50%}\ncontrol: control\ngoals: [m]\nassignment: {system: assay}\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() ([]experiment.File, *experiment.Set) {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files := []experiment.File{{Name: "m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: mean\ndirection: increase\n")}, {Name: name, Data: b}}
		set, problems := experiment.Parse(files)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		return files, set
	}
	at := func(now time.Time) func() time.Time { return func() time.Time { return now } }
	files, set := read()
	if _, err := s.Rerun(t.Context(), files, set, "x", experiment.RerunWish{}, began); err == nil {
		t.Error("what was never applied cannot run again")
	}
	if _, err := s.Apply(t.Context(), set, "ada", at(began)); err != nil {
		t.Fatal(err)
	}
	later := began.AddDate(0, 2, 0)
	r, err := s.Rerun(t.Context(), files, set, "x", experiment.RerunWish{}, later)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(); err != nil {
		t.Fatal(err)
	}
	if r.Iteration != 2 || r.Repeats != 1 || len(r.Notes) != 0 {
		t.Errorf("%+v", r)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's rights: %v %v", info.Mode(), err)
	}
	if _, set = read(); true {
		if _, err := s.Apply(t.Context(), set, "ada", at(later)); err != nil {
			t.Fatal(err)
		}
	}
	v, err := s.DB.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := v.Find("x")
	document := func(number uint32, estimate float64) *results.Document {
		it := e.Iteration(number)
		effect := results.Effect{Estimate: results.Number(estimate), StdError: .01}
		return &results.Document{
			Experiment: "x", Iteration: number, Control: "control", Kind: results.KindFull, At: it.End.Add(time.Hour), Version: v.Number, Vector: map[uint16]uint64{0: 1},
			Comparisons: []results.Comparison{{Metric: "m", Arm: "a", Kind: "mean", Matured: results.Estimate{Absolute: effect, Relative: effect}}},
		}
	}
	second := document(2, .03)
	if err := s.AddTogether(t.Context(), e, second); err != nil || second.Together != nil {
		t.Errorf("nobody looked at the first: %+v %v", second.Together, err)
	}
	if err := s.storeLook(t.Context(), document(1, .01)); err != nil {
		t.Fatal(err)
	}
	if err := s.AddTogether(t.Context(), e, second); err != nil || len(second.Together) != 1 {
		t.Fatalf("%+v %v", second.Together, err)
	}
	got := second.Together[0]
	if !slices.Equal(got.Runs, []uint32{1, 2}) || !got.Declared || got.Shared || got.Same.Estimate < .0199 || got.Same.Estimate > .0201 {
		t.Errorf("%+v", got)
	}
	first := document(1, .01)
	if err := s.AddTogether(t.Context(), e, first); err != nil || first.Together != nil {
		t.Errorf("the first knows no second: %+v %v", first.Together, err)
	}
	asOf := document(2, .03)
	asOf.AsOf = true
	if err := s.AddTogether(t.Context(), e, asOf); err != nil || asOf.Together != nil {
		t.Errorf("as of: %+v %v", asOf.Together, err)
	}
	text = strings.ReplaceAll(string(r.Text), "control: control", "control: a")
	changed, problems := experiment.Parse([]experiment.File{files[0], {Name: name, Data: []byte(text)}})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), changed, "ada", at(later)); err == nil || !strings.Contains(err.Error(), "another control") {
		t.Errorf("with another control it is no rerun: %v", err)
	}
}
