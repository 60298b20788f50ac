package results_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGoldenDocument keeps the names of the fields: stored looks and everybody's
// scripts depend on them.
func TestGoldenDocument(t *testing.T) {
	crossed := cell(ingest.CrossoverUnits, "control", 1, 3, 0, 0, 0)
	crossed.Value = "treatment"
	after := cell(ingest.AfterEnd, "treatment", 0, 6, 0, 0, 0)
	d := compute(moments(
		units("control", 1, 990), units("treatment", 1, 13), crossed, after,
		binary("errors", "control", 1, 987, 20), binary("errors", "treatment", 1, 13, 1),
		cell("spend", "control", 1, 987, 30, 123456, 987654321), cell("spend", "treatment", 1, 13, 0, 0, 0),
	), statuses())
	got, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/document.json", append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/document.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names(t, want), names(t, got)); diff != "" {
		t.Errorf("the document's fields changed (-update writes them anew):\n%s", diff)
	}
}

// names replaces every number by its kind: the numbers are held elsewhere, with
// tolerances.
func names(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = strip(v[k])
			}
			return v
		case []any:
			for i := range v {
				v[i] = strip(v[i])
			}
			return v
		case float64:
			return "number"
		default:
			return v
		}
	}
	return strip(v)
}
