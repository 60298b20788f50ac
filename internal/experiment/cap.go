package experiment

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// CapOpen tells whether the metric's cap is a percentile that has not become a
// number yet. Until then the metric is uncapped and may not kill.
func (m *Metric) CapOpen() bool { return m.Cap != nil && m.Cap.At == "" }

// capText is a cap as a file may write it: a number, or a percentile.
func capText() shape[*Cap] {
	number := fixedCap()
	percentile := object(Cap{}, []field[Cap]{
		must(as("percentile", between(100, RuleCap), func(c *Cap) *float64 { return &c.Percentile },
			"The percentile of the units' totals, above 0 and below 100, at which they are cut.")),
	})
	return shape[*Cap]{
		schema: schema{"anyOf": []schema{number.schema, percentile.schema}},
		read: func(s *source, path string, n ast.Node) (*Cap, bool) {
			switch n.(type) {
			case *ast.MappingNode, *ast.MappingValueNode:
				c, ok := percentile.read(s, path, n)
				return &c, ok
			}
			return number.read(s, path, n)
		},
	}
}

// fixedCap is a number above 0, kept as its text: it never passes through a float.
func fixedCap() shape[*Cap] {
	return scalarShape(schema{"type": "number", "exclusiveMinimum": 0}, RuleCap, func(path, text string) (*Cap, string, string) {
		v, percent, ok := fraction(text)
		if !ok || percent || v.Sign() <= 0 {
			return nil, fmt.Sprintf("%s: %s is not a cap", path, text), "write a number above 0, or {percentile: 99} for the metric itself"
		}
		return &Cap{At: text}, "", ""
	})
}

// between is a number above 0 and below most.
func between(most float64, rule Rule) shape[float64] {
	sc := schema{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": most}
	return scalarShape(sc, rule, func(path, text string) (float64, string, string) {
		x, err := strconv.ParseFloat(text, 64)
		if _, percent, ok := fraction(text); err != nil || percent || !ok || x <= 0 || x >= most {
			return 0, fmt.Sprintf("%s must be above 0 and below %g, not %s", path, most, text), ""
		}
		return x, "", ""
	})
}

// checkCap refuses a cap that is none.
func checkCap(s *source, path string, c *Cap, decimals int) {
	if c == nil || c.At == "" {
		return
	}
	if text, hint := CapProblem(c, decimals); text != "" {
		s.refuse(path, RuleCapDecimals, text, hint)
	}
}

// CapProblem says what is wrong with a cap of a total with so many decimals, "" when
// nothing is: it must be a whole number of 10^-decimals above 0 that a total can reach.
func CapProblem(c *Cap, decimals int) (text, hint string) {
	v, ok := new(big.Rat).SetString(c.At)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	if ok {
		v.Mul(v, new(big.Rat).SetInt(scale))
	}
	limit := new(big.Int).Lsh(big.NewInt(1), 47)
	switch {
	case !ok || !v.IsInt():
		return fmt.Sprintf("%s has more decimals than its total, which has %d", c.At, decimals), "totals are kept with decimals: places"
	case v.Num().Cmp(limit) >= 0:
		return c.At + " is beyond any total that is counted", fmt.Sprintf("with %d decimals totals stay below 2^47/10^%d", decimals, decimals)
	}
	return "", ""
}
