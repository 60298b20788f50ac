package ingest

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseValue(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "1": "1000000000000", "-1.5": "-1500000000000", "19.99": "19990000000000",
		"0.0000000000005": "0", "0.0000000000015": "2", "0.0000000000025": "2", "-0.0000000000015": "-2",
		"0.00000000000050000000000000000000001": "1", "0.0000000000004999999999999999999999": "0",
		"1e-12": "1", "1E+2": "100000000000000", "5e-13": "0", "0e999999999999999999999": "0", "1e-99999999999999999999": "0",
		"999999999999999": "999999999999999000000000000", "-999999999999999.999999999999": "-999999999999999999999999999",
		"0.000123e3": "123000000000", "123456789012345.123456789012": "123456789012345123456789012",
		"1" + strings.Repeat("0", 100) + "e-100": "1000000000000",
	} {
		v, err := ParseValue(text)
		if err != nil || v.String() != want {
			t.Errorf("%s: %s, %v; want %s", text, v, err, want)
		}
	}
	for text, want := range map[string]error{
		"1e15": ErrTooLarge, "-1000000000000000": ErrTooLarge, "999999999999999.9999999999995": ErrTooLarge,
		"1e999999999999999999999": ErrTooLarge, "0.1e16": ErrTooLarge,
		"": ErrNotNumber, "-": ErrNotNumber, "+1": ErrNotNumber, "01": ErrNotNumber, "1.": ErrNotNumber, ".5": ErrNotNumber,
		"1e": ErrNotNumber, "1e+": ErrNotNumber, "NaN": ErrNotNumber, "Infinity": ErrNotNumber, "0x1": ErrNotNumber, " 1": ErrNotNumber, "1_0": ErrNotNumber,
	} {
		if _, err := ParseValue(text); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// TestParseValueExactly compares with rational arithmetic.
//
// semantics: decimal-text half-even
func TestParseValueExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,16}|\.[0-9]{12}[05]0{0,3})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "text")
		r, _ := new(big.Rat).SetString(text)
		want := nearestEven(new(big.Rat).Mul(r, big.NewRat(1e12, 1)))
		limit := new(big.Int).Mul(big.NewInt(1e15), big.NewInt(1e12))
		got, err := ParseValue(text)
		if tooLarge := new(big.Int).Abs(want).Cmp(limit) >= 0; tooLarge != errors.Is(err, ErrTooLarge) {
			t.Fatalf("%s: %v", text, err)
		} else if !tooLarge && (err != nil || got.Big().Cmp(want) != 0) {
			t.Fatalf("%s: %s, %v; want %s", text, got, err, want)
		}
	})
}

// nearestEven rounds by looking at both neighbours.
func nearestEven(r *big.Rat) *big.Int {
	low := new(big.Int).Div(r.Num(), r.Denom())
	high := new(big.Int).Add(low, big.NewInt(1))
	toLow := new(big.Rat).Sub(r, new(big.Rat).SetInt(low))
	toHigh := new(big.Rat).Sub(new(big.Rat).SetInt(high), r)
	if c := toLow.Cmp(toHigh); c < 0 || c == 0 && low.Bit(0) == 0 {
		return low
	}
	return high
}

// semantics: half-even
func TestScaled(t *testing.T) {
	border := new(big.Int).Lsh(big.NewInt(1), 47)
	rapid.Check(t, func(t *rapid.T) {
		decimals := rapid.IntRange(0, 12).Draw(t, "decimals")
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(12-decimals)), nil)
		// Near a multiple of half a unit, near 0 or near the border.
		v := new(big.Int).Mul(unit, big.NewInt(rapid.SampledFrom([]int64{0, 1, 2, 7, 1<<47 - 1, 1 << 47}).Draw(t, "units")))
		v.Add(v, new(big.Int).Quo(unit, big.NewInt(rapid.SampledFrom([]int64{1, 2, 3}).Draw(t, "part"))))
		v.Add(v, big.NewInt(rapid.Int64Range(-2, 2).Draw(t, "more")))
		if rapid.Bool().Draw(t, "negative") {
			v.Neg(v)
		}
		want := nearestEven(new(big.Rat).SetFrac(v, unit))
		got, ok := scaled(FromBig(v), decimals)
		if ok != (new(big.Int).Abs(want).Cmp(border) < 0) || ok && want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("scaled(%s, %d) = %d, %v; want %s", v, decimals, got, ok, want)
		}
	})
}

// FuzzParseTime compares with the standard library where both have the same rules.
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{
		"2026-03-01T12:00:00.123Z", "2024-02-29T23:59:59.9999999+14:00", "1970-01-01T00:00:00-00:01", "2000-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:00,5Z", "2286-11-20T17:46:40Z", "2026-03-01T12:00:60Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseRFC3339([]byte(text))
		want, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
		// The standard library lets a comma, one-digit hours and any zone pass.
		fits := err == nil && want.UnixMilli() >= 0 && want.UnixMilli() < endOfTime
		if ok && (!fits || got != want.UnixMilli()) {
			t.Fatalf("%q: %d, want %v %v", text, got, want, err)
		}
		if !ok && fits && want.UTC().Format("2006-01-02T15:04:05Z") == text {
			t.Fatalf("%q refused", text)
		}
	})
}

// semantics: milliseconds
func TestParseEpoch(t *testing.T) {
	for text, want := range map[string]int64{"100000000000": 100_000_000_000, "9999999999999": 9_999_999_999_999, "1772366412345.9": 1_772_366_412_345} {
		if got, ok := parseEpoch([]byte(text)); !ok || got != want {
			t.Errorf("%s: %d %v", text, got, ok)
		}
	}
	for _, text := range []string{"99999999999", "10000000000000", "-1772366412345", "1e12", "", "01772366412345", strconv.Itoa(1 << 62)} {
		if got, ok := parseEpoch([]byte(text)); ok {
			t.Errorf("%s: %d", text, got)
		}
	}
}
