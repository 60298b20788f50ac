package contract

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const source = `package p

// Mean is the mean (Gauss 1809); NaN without values.
func Mean(x []float64) float64 { return 0 }

// Median is a kind of Mean.
func Median(x []float64) float64 { return 0 }

// Mode is what is most frequent.
func Mode(x []float64) float64 { return 0 }

// Range is max − min (Tippett 1925).
func Range(x []float64) float64 { return 0 }

func Bare() float64 { return 0 }

// Arm is one arm (Fisher 1925); nothing is known without units.
type Arm struct{}

// Add adds.
func (a *Arm) Add(x float64) {}

func (a Arm) hidden() {}

type inner struct{}

// Exported of a type that is not.
func (inner) Exported() {}
`

func parsed(t *testing.T) (functions, types map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"p.go": source, "p_test.go": "package p\n\nfunc InTests() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	functions, types, err := Exported(dir)
	if err != nil {
		t.Fatal(err)
	}
	return functions, types
}

func TestUndocumented(t *testing.T) {
	functions, types := parsed(t)
	got := Undocumented(functions, types, []string{"Gone"})
	slices.Sort(got)
	want := []string{
		"Bare: no comment",
		"Gone: is said to need no source, but has no comment or is not there",
		"Mode: no source",
		"Range: nothing about arguments that have no answer",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type interval struct{ Low, High float64 }

type result struct {
	interval
	Value    float64
	P        float64
	Warnings []string
}

func TestBroken(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	all := interval{-inf, inf}
	cases := []struct {
		name    string
		result  any
		comment string
		loose   bool // whether NaN is allowed to the ends of intervals
		want    string
	}{
		{name: "in order", result: result{all, 1, 1, nil}},
		{name: "NaN", result: result{all, nan, 1, nil}, want: "Value is NaN"},
		{name: "NaN that is documented", result: result{all, nan, 1, nil}, comment: "NaN without units"},
		{name: "NaN with a warning", result: result{all, nan, 1, []string{"no units"}}},
		{name: "ends the wrong way round", result: result{interval{1, 0}, 1, 1, []string{"odd"}}, want: "has no order"},
		{name: "NaN for ends", result: interval{nan, nan}, comment: "NaN", want: "has no order"},
		{name: "NaN for ends where it may be", result: interval{nan, nan}, comment: "NaN", loose: true},
		{name: "half an interval", result: interval{nan, 1}, comment: "NaN", loose: true, want: "has no order"},
		{name: "p above 1", result: result{all, 1, 1.5, nil}, want: "P = 1.5 is no probability"},
		{name: "p of NaN", result: result{all, 1, nan, []string{"odd"}}, want: "P = NaN is no probability"},
		{name: "a list", result: []float64{1, nan}, want: "result 0[1] is NaN"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Rules{NoNaN: !c.loose}.Broken([]reflect.Value{reflect.ValueOf(c.result)}, c.comment)
			if all := strings.Join(got, "; "); (c.want == "") != (len(got) == 0) || !strings.Contains(all, c.want) {
				t.Errorf("broken: %q, want %q", all, c.want)
			}
		})
	}
}

// TestCall: any bytes make arguments of all kinds, the same ones the same.
func TestCall(t *testing.T) {
	type arm struct {
		N    int64
		Mean []float64
		Name string
		name string
	}
	f := func(a arm, rows [][]float64, fixed [2]bool, prior *interval, at func(float64) interval) (arm, interval) {
		if a.name != "" {
			t.Error("a field that is not exported was set")
		}
		out := interval{float64(len(rows)), float64(len(fixed))}
		if prior != nil && at != nil {
			out = at(1)
		}
		return a, out
	}
	call := func(bytes string) string {
		r := &Reader{Bytes: []byte(bytes), Words: []string{"one", "two"}}
		values := r.Call(f)
		return cmp.Diff(nil, values[0].Interface()) + cmp.Diff(nil, values[1].Interface())
	}
	seen := map[string]bool{}
	for _, bytes := range []string{"", "a", "\x00\x07\x03\x00\x05\x01\x09\x01\x02\x03\x04\x05\x06\x07", strings.Repeat("\x01\x02", 99), strings.Repeat("\x03", 99)} {
		first, again := call(bytes), call(bytes)
		if first != again {
			t.Errorf("%q is not always the same", bytes)
		}
		seen[first] = true
	}
	if len(seen) < 4 {
		t.Errorf("five inputs make %d arguments", len(seen))
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Missing(
		Area{Dir: dir, Functions: map[string]any{"Mean": nil, "Median": nil, "Mode": nil, "Gone": nil}},
		Area{Dir: dir, Functions: map[string]any{"Bare": nil, "Arm.Add": nil}},
	)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Gone: is fuzzed but not exported", "Range: is exported but not fuzzed"}, got); diff != "" {
		t.Error(diff)
	}
}
