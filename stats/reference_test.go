package stats

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"testing"
)

var (
	referenceFile = flag.String("reference", "testdata/reference.json", "cases computed by other implementations")
	replicates    = flag.Int("replicates", 0, "simulation runs per scenario; 0 is quick")
)

// refCase is one number, or a few, that another implementation computed.
type refCase struct {
	ID        string
	Method    string
	Inputs    json.RawMessage
	Expected  map[string]any
	Tolerance struct {
		Rel, Abs         float64
		CompareOnlyBelow *float64 `json:"compare_only_below"`
	}
}

// answers computes a case's outputs from its inputs, under the names that the
// file expects. It must never look at the expectation.
type answers func(in inputs) map[string]any

// TestReference recomputes cases from published implementations. A method that
// is neither implemented nor left out by name fails.
func TestReference(t *testing.T) {
	raw, err := os.ReadFile(*referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	var cases []refCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("the file has no cases")
	}
	methods := implemented()
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			compute, ok := methods[c.Method]
			reason, left := leftOut[c.Method]
			switch {
			case ok && left:
				t.Fatalf("method %q is implemented, it no longer belongs on the list", c.Method)
			case left:
				t.Skipf("%s: %s", c.Method, reason)
			case !ok:
				t.Fatalf("method %q is neither implemented nor left out", c.Method)
			}
			c.check(t, compute)
		})
	}
}

func (c refCase) check(t *testing.T, compute answers) {
	t.Helper()
	var in inputs
	if err := json.Unmarshal(c.Inputs, &in); err != nil {
		t.Fatal(err)
	}
	got := compute(in)
	for name, want := range c.Expected {
		g, ok := got[name]
		if !ok {
			t.Errorf("%s is not computed", name)
			continue
		}
		c.compare(t, name, g, want)
	}
}

// compare holds a computed value of any shape against the decoded JSON.
func (c refCase) compare(t *testing.T, name string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case []any:
		items := items(got)
		if len(items) != len(want) {
			t.Errorf("%s: %d values, want %d", name, len(items), len(want))
			return
		}
		for i := range want {
			c.compare(t, fmt.Sprintf("%s[%d]", name, i), items[i], want[i])
		}
	case string:
		switch want {
		case "NA":
		case "Inf", "-Inf":
			if fmt.Sprint(number(got)) != map[string]string{"Inf": "+Inf", "-Inf": "-Inf"}[want] {
				t.Errorf("%s = %v, want %s", name, got, want)
			}
		default:
			if got != want {
				t.Errorf("%s = %v, want %s", name, got, want)
			}
		}
	case float64:
		c.compareNumber(t, name, number(got), want)
	default: // bool, null
		if got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

func (c refCase) compareNumber(t *testing.T, name string, got, want float64) {
	t.Helper()
	if limit := c.Tolerance.CompareOnlyBelow; limit != nil && want >= *limit {
		return
	}
	allowed := c.Tolerance.Abs + c.Tolerance.Rel*math.Max(math.Abs(got), math.Abs(want))
	if !(math.Abs(got-want) <= allowed) {
		t.Errorf("%s = %.15g, want %.15g ± %.2g", name, got, want, allowed)
	}
}

// items turns the lists that adapters return into one type.
func items(v any) []any {
	var out []any
	switch v := v.(type) {
	case []float64:
		for _, x := range v {
			out = append(out, x)
		}
	case []bool:
		for _, x := range v {
			out = append(out, x)
		}
	case Interval:
		out = []any{v.Low, v.High}
	}
	return out
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	}
	return math.NaN()
}

// inputs are the arguments of a case by name. A missing or mistyped argument
// panics: the case cannot be computed then, and must not pass by accident.
type inputs map[string]any

func (in inputs) has(name string) bool { _, ok := in[name]; return ok }

func (in inputs) num(name string) float64 {
	switch v := in[name].(type) {
	case float64:
		return v
	case string:
		if v == "Inf" {
			return math.Inf(1)
		}
	}
	panic(fmt.Sprintf("input %s is %v, not a number", name, in[name]))
}

func (in inputs) text(name string) string { return in[name].(string) }
func (in inputs) flag(name string) bool   { return in[name].(bool) }
func (in inputs) sub(name string) inputs  { return in[name].(map[string]any) }

func (in inputs) nums(name string) []float64 { return toNumbers(in[name]) }

func toNumbers(v any) []float64 {
	var out []float64
	for _, x := range v.([]any) {
		out = append(out, x.(float64))
	}
	return out
}

func (in inputs) subs(name string) []inputs {
	var out []inputs
	for _, x := range in[name].([]any) {
		out = append(out, x.(map[string]any))
	}
	return out
}

func (in inputs) counts(name string) []int64 { return toCounts(in[name]) }

func toCounts(v any) []int64 {
	var out []int64
	for _, x := range toNumbers(v) {
		out = append(out, int64(x))
	}
	return out
}

// implemented joins the tables of the reference_*_test.go files.
func implemented() map[string]answers {
	all := map[string]answers{}
	for _, table := range []map[string]answers{rareMethods(), meanMethods(), sequentialMethods(), splitMethods(), familyMethods(), beliefMethods(), slowMethods(), adjustMethods(), designMethods(), proportionMethods()} {
		for name, f := range table {
			all[name] = f
		}
	}
	return all
}

// TestReferenceListIsNeeded keeps the list of left-out methods from outliving its cases.
func TestReferenceListIsNeeded(t *testing.T) {
	for name, reason := range leftOut {
		if reason == "" {
			t.Errorf("%q is left out without a reason", name)
		}
		if _, ok := implemented()[name]; ok {
			t.Errorf("%q is both implemented and left out", name)
		}
	}
}

// at picks the elements of xs after 1, 2, … observations.
func at[T any](xs []T, points []float64) []T {
	var out []T
	for _, p := range points {
		out = append(out, xs[int(p)-1])
	}
	return out
}

// momentsOf folds raw values one by one, the way data arrive.
func momentsOf(values []float64) Moments {
	var m Moments
	for _, v := range values {
		m = m.Merge(one(v))
	}
	return m
}

// one is the moments of a single unit.
func one(v float64) Moments {
	m := Moments{N: 1, Mean: v}
	if v != 0 {
		m.NonZero = 1
	}
	return m
}
