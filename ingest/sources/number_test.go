package sources

import (
	"encoding/json"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "00": "0", "-0": "-0", "+1": "1", "007": "7", ".5": "0.5", "-.5": "-0.5", "5.": "5", "1.50": "1.50", "1E5": "1e5", "1e+05": "1e05", "1e-3": "1e-3",
		"": "", ".": "", "-": "", "e5": "", "1e": "", "1e5000": "", "1,5": "", "1 ": "", "--1": "", "+-1": "", "0x1": "", "1.2.3": "", "Inf": "", "1_000": "",
	} {
		got, err := decimal(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q gave %q (%v), want %q", text, got, err, want)
		}
	}
}

// What comes out is a number of JSON, and the same number.
func TestDecimalProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[+-]?[0-9]{0,4}(\.[0-9]{0,4})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "text")
		got, err := decimal(text)
		want, ok := new(big.Rat).SetString(text)
		if ok != (err == nil) {
			t.Fatalf("%q: %v, big.Rat says %v", text, err, ok)
		}
		if !ok {
			return
		}
		back, _ := new(big.Rat).SetString(got)
		if back == nil || back.Cmp(want) != 0 || !json.Valid([]byte(got)) {
			t.Errorf("%q became %q", text, got)
		}
		if isZero(got) != (want.Sign() == 0) {
			t.Errorf("%q: zero is %v", text, isZero(got))
		}
	})
}
