package results_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/results"
)

// TestNumberAsJSON: a number is written to the letter as encoding/json writes a float64,
// and what is not known as null.
func TestNumberAsJSON(t *testing.T) {
	check := func(fail func(string, ...any), x float64) {
		got, err := json.Marshal(results.Number(x))
		want, wantErr := json.Marshal(x)
		if wantErr != nil { // NaN and the infinities
			want = []byte("null")
		}
		if err != nil || string(got) != string(want) {
			fail("%v is written %s (%v), want %s", x, got, err, want)
		}
	}
	for _, x := range []float64{0, math.Copysign(0, -1), 1e-6, 9.9e-7, 1e-9, -3e-10, 1e-100, 1e20, 1e21, -1.5e300, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1)} {
		check(t.Errorf, x)
	}
	rapid.Check(t, func(t *rapid.T) { check(t.Fatalf, rapid.Float64().Draw(t, "x")) })
}
