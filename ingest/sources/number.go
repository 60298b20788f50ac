package sources

import (
	"fmt"
	"strings"
)

// decimal writes a number the way JSON wants it, digit by digit: "+.50" is 0.50.
// Nothing goes through a float.
func decimal(text string) (string, error) {
	mantissa, exponent := text, ""
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		sign, digits := cutSign(text[at+1:])
		if !isDigits(digits) || len(digits) > 3 {
			return "", notANumber(text)
		}
		mantissa, exponent = text[:at], "e"+sign+digits
	}
	sign, mantissa := cutSign(mantissa)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if !isDigits(whole + fraction) {
		return "", notANumber(text)
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction + exponent, nil
}

func notANumber(text string) error { return fmt.Errorf("%q is not a number", text) }

// cutSign returns "-" or "", and the rest.
func cutSign(s string) (sign, rest string) {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "-", rest
	}
	return "", strings.TrimPrefix(s, "+")
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isZero tells whether a number's digits are all 0, whatever its exponent.
func isZero(decimal string) bool {
	mantissa, _, _ := strings.Cut(decimal, "e")
	return strings.Trim(mantissa, "-0.") == ""
}
