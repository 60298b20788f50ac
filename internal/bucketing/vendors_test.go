package bucketing

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/realofrep"
	"github.com/assay-dev/assay/internal/testref"
)

// assigned is what SDKs gave to units.
type assigned struct {
	Units      []string
	GrowthBook []int
	Rollout    []bool
	Variant    []int
}

func sdks(t *testing.T) assigned {
	t.Helper()
	programs := realofrep.Available(t)
	var a assigned
	out, err := programs.Run(t.Context(), filepath.Join(testref.Root(t), "internal", "bucketing", "testdata", "ids.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Units) != 20_000 || len(a.GrowthBook) != 20_000 || len(a.Rollout) != 20_000 || len(a.Variant) != 20_000 {
		t.Fatalf("%d units", len(a.Units))
	}
	return a
}

// TestVendorsSDKs: of 20,000 units each is computed as the vendor's own SDK does, in its
// dialect; in another one only those beyond ASCII differ, and with a wrong salt it shows
// within the first hundred.
func TestVendorsSDKs(t *testing.T) {
	a := sdks(t)
	for _, c := range []struct {
		name string
		same func(i int, unit string) bool
		all  bool
	}{
		{"growthbook", func(i int, u string) bool {
			return GrowthBookVariation(UTF16, "cta-seed", u, 0.8, []float64{0.4, 0.35, 0.25}) == a.GrowthBook[i]
		}, true},
		{"growthbook as utf-8", func(i int, u string) bool {
			return GrowthBookVariation(UTF8, "cta-seed", u, 0.8, []float64{0.4, 0.35, 0.25}) == a.GrowthBook[i]
		}, false},
		{"unleash's rollout", func(i int, u string) bool { return UnleashRollout(LowByte, "cta", u, 35) == a.Rollout[i] }, true},
		{"unleash's variant", func(i int, u string) bool {
			return UnleashVariant(LowByte, "cta", u, []uint32{400, 350, 250}) == a.Variant[i]
		}, true},
		{"unleash as utf-8", func(i int, u string) bool {
			return UnleashVariant(UTF8, "cta", u, []uint32{400, 350, 250}) == a.Variant[i]
		}, false},
	} {
		ascii, beyond := 0, 0
		for i, u := range a.Units {
			switch {
			case c.same(i, u):
			case strings.HasPrefix(u, "user-"):
				ascii++
			default:
				beyond++
			}
		}
		t.Logf("%s: %d of 20,000 differ", c.name, ascii+beyond)
		if ascii > 0 || (beyond == 0) != c.all {
			t.Errorf("%s: %d within ASCII and %d beyond differ", c.name, ascii, beyond)
		}
	}
	wrong := 0
	for i, u := range a.Units[:100] {
		if GrowthBookVariation(UTF16, "cta-sead", u, 0.8, []float64{0.4, 0.35, 0.25}) != a.GrowthBook[i] {
			wrong++
		}
	}
	if wrong < 40 {
		t.Errorf("a wrong salt shows in %d of the first 100", wrong)
	}
}

// TestVendorsGrowthBookSuite runs GrowthBook's public cases of hashes, ranges, choices and
// namespaces, in both dialects: they are about drawing, the others about conditions,
// features and stickiness.
func TestVendorsGrowthBookSuite(t *testing.T) {
	text, err := os.ReadFile(realofrep.Available(t).GrowthBookCases())
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Hash, GetBucketRange, ChooseVariation, InNamespace []json.RawMessage
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	read := func(raw json.RawMessage, to ...any) {
		t.Helper()
		if err := json.Unmarshal(raw, &to); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	}
	if len(cases.Hash) < 15 || len(cases.GetBucketRange) < 13 || len(cases.ChooseVariation) < 13 || len(cases.InNamespace) < 16 {
		t.Errorf("only %d, %d, %d and %d cases", len(cases.Hash), len(cases.GetBucketRange), len(cases.ChooseVariation), len(cases.InNamespace))
	}
	for _, raw := range cases.Hash {
		var seed, value string
		var version int
		var want *float64
		read(raw, &seed, &value, &version, &want)
		ascii := !strings.ContainsFunc(seed+value, func(r rune) bool { return r > 127 })
		for _, d := range []Dialect{UTF8, UTF16} {
			got, ok := GrowthBook(d, version, seed, value)
			same := ok == (want != nil) && (want == nil || got == *want)
			if same != (ascii || d == UTF16) { // beyond ASCII the cases are in UTF-16
				t.Errorf("%s: %s gives %v", raw, d, got)
			}
		}
	}
	for _, raw := range cases.GetBucketRange {
		var name string
		var args []json.RawMessage
		var want [][2]float64
		read(raw, &name, &args, &want)
		var n int
		var coverage float64
		var weights []float64
		read(json.RawMessage(fmt.Sprintf("[%s,%s,%s]", args[0], args[1], args[2])), &n, &coverage, &weights)
		for i, r := range GrowthBookRanges(n, coverage, weights) {
			if math.Abs(r.From-want[i][0]) > 1e-6 || math.Abs(r.To-want[i][1]) > 1e-6 {
				t.Errorf("%s: %v, want %v", name, r, want[i])
			}
		}
	}
	for _, raw := range cases.ChooseVariation {
		var name string
		var bucket float64
		var ranges [][2]float64
		var want int
		read(raw, &name, &bucket, &ranges, &want)
		list := make([]Range, len(ranges))
		for i, r := range ranges {
			list[i] = Range{r[0], r[1]}
		}
		if got := Choose(bucket, list); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	for _, raw := range cases.InNamespace {
		var name, unit, space string
		var from, to float64
		var args []json.RawMessage
		var want bool
		read(raw, &name, &unit, &args, &want)
		read(json.RawMessage(fmt.Sprintf("[%s,%s,%s]", args[0], args[1], args[2])), &space, &from, &to)
		if got := GrowthBookNamespace(UTF8, space, unit, from, to); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
	t.Logf("%d hashes, %d ranges, %d choices, %d namespaces", len(cases.Hash), len(cases.GetBucketRange), len(cases.ChooseVariation), len(cases.InNamespace))
}

// suite is a file of Unleash's client specification, as far as it is about drawing.
type suite struct {
	State struct {
		Features []struct {
			Name       string
			Enabled    bool
			Strategies []struct {
				Name        string
				Parameters  map[string]string
				Constraints []any
				Variants    []variantText
			}
			Variants     []variantText
			Dependencies []any
		}
	}
	Tests []struct {
		Description    string
		Context        map[string]any
		ToggleName     string
		ExpectedResult bool
	}
	VariantTests []struct {
		Description    string
		Context        map[string]any
		ToggleName     string
		ExpectedResult struct {
			Name    string
			Enabled bool
		}
	}
}

type variantText struct {
	Name       string
	Weight     uint32
	Stickiness string
	Overrides  []any
}

// TestVendorsUnleashSuite runs what Unleash's public suite says of gradual rollouts and
// of variants: the cases with one strategy that draws by the user's id.
func TestVendorsUnleashSuite(t *testing.T) {
	dir := filepath.Join(realofrep.Available(t).Modules(), "@unleash", "client-specification", "specifications")
	rollouts, variants := 0, 0
	for _, name := range []string{"03-gradual-rollout-user-id-strategy", "08-variants", "10-flexible-rollout-strategy", "16-strategy-variants"} {
		text, err := os.ReadFile(filepath.Join(dir, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var s suite
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Tests {
			if got, ok := s.rollout(c.ToggleName, c.Context); ok {
				rollouts++
				if got != c.ExpectedResult {
					t.Errorf("%s: %s: %t", name, c.Description, got)
				}
			}
		}
		for _, c := range s.VariantTests {
			if got, ok := s.variant(c.ToggleName, c.Context); ok && c.ExpectedResult.Enabled {
				variants++
				if got != c.ExpectedResult.Name {
					t.Errorf("%s: %s: %q, want %q", name, c.Description, got, c.ExpectedResult.Name)
				}
			}
		}
	}
	t.Logf("%d rollouts, %d variants", rollouts, variants)
	if rollouts < 8 || variants < 10 {
		t.Errorf("only %d rollouts and %d variants were run", rollouts, variants)
	}
}

// drawn is whom a strategy draws, "" where that is not the question of a case.
func drawn(stickiness string, context map[string]any) string {
	properties, _ := context["properties"].(map[string]any)
	names := []string{stickiness}
	if stickiness == "" || stickiness == "default" {
		names = []string{"userId", "sessionId"}
	}
	for _, name := range names {
		for _, from := range []map[string]any{context, properties} {
			if unit, ok := from[name].(string); ok {
				return unit
			}
		}
	}
	return ""
}

// rollout is what a gradual rollout gives, ok where the case is about nothing else.
func (s *suite) rollout(toggle string, context map[string]any) (on, ok bool) {
	for _, f := range s.State.Features {
		if f.Name != toggle || len(f.Strategies) != 1 || len(f.Strategies[0].Constraints) > 0 {
			continue
		}
		p := f.Strategies[0].Parameters
		percent, stickiness := p["rollout"], p["stickiness"]
		if f.Strategies[0].Name == "gradualRolloutUserId" {
			percent, stickiness = p["percentage"], "userId"
		}
		n, err := strconv.ParseUint(percent, 10, 32)
		unit := drawn(stickiness, context)
		return f.Enabled && UnleashRollout(LowByte, p["groupId"], unit, uint32(n)), err == nil && unit != ""
	}
	return false, false
}

// variant is the variant's name, ok where the case is about nothing else.
func (s *suite) variant(toggle string, context map[string]any) (name string, ok bool) {
	for _, f := range s.State.Features {
		if f.Name != toggle {
			continue
		}
		group, stickiness, variants := f.Name, "default", f.Variants
		if len(f.Strategies) > 0 && len(f.Strategies[0].Variants) > 0 {
			first := f.Strategies[0]
			if len(first.Constraints) > 0 {
				return "", false
			}
			group, stickiness, variants = first.Parameters["groupId"], first.Parameters["stickiness"], first.Variants
		}
		weights := make([]uint32, len(variants))
		for i, v := range variants {
			if weights[i] = v.Weight; len(v.Overrides) > 0 {
				return "", false
			}
		}
		unit := drawn(stickiness, context)
		i := UnleashVariant(LowByte, group, unit, weights)
		if i < 0 || unit == "" {
			return "", false
		}
		return variants[i].Name, true
	}
	return "", false
}
