package contract

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Rules are what a package promises of its results.
type Rules struct {
	// NoNaN says that intervals and p-values are never NaN; otherwise they may be, both
	// ends together, where the comment says so.
	NoNaN bool
}

// Broken names what is wrong with results: ends of an interval that are not ordered, a
// field P or Power that is no probability, a NaN that neither a warning nor the comment explains.
func (r Rules) Broken(results []reflect.Value, comment string) (out []string) {
	c := checker{rules: r, nan: strings.Contains(comment, "NaN")}
	for i, v := range results {
		c.walk(v, fmt.Sprintf("result %d", i), false)
	}
	return c.broken
}

type checker struct {
	rules  Rules
	nan    bool // the comment says that there may be one
	broken []string
}

func (c *checker) say(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...))
}

func (c *checker) walk(v reflect.Value, path string, warned bool) {
	switch v.Kind() {
	case reflect.Float64:
		if math.IsNaN(v.Float()) && !warned && !c.nan {
			c.say("%s is NaN, without a warning or a word in the comment", path)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			c.walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), warned)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			c.walk(v.Elem(), path, warned)
		}
	case reflect.Struct:
		c.object(v, path, warned)
	default:
	}
}

func (c *checker) object(v reflect.Value, path string, warned bool) {
	if w := v.FieldByName("Warnings"); w.IsValid() && w.Len() > 0 {
		warned = true
	}
	c.interval(v, path)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch field := v.Field(i); {
		case !v.Type().Field(i).IsExported():
		case (name == "P" || name == "Power") && field.Kind() == reflect.Float64:
			c.probability(field.Float(), path+"."+name)
		case name == "StdError": // without one there is none; intervals say the rest
		default:
			c.walk(field, path+"."+name, warned)
		}
	}
}

func (c *checker) interval(v reflect.Value, path string) {
	lowField, highField := v.FieldByName("Low"), v.FieldByName("High")
	if !lowField.IsValid() || !highField.IsValid() || lowField.Kind() != reflect.Float64 {
		return
	}
	low, high := lowField.Float(), highField.Float()
	none := math.IsNaN(low) && math.IsNaN(high) && !c.rules.NoNaN
	if !(low <= high) && !none {
		c.say("%s: the interval [%v, %v] has no order", path, low, high)
	}
}

func (c *checker) probability(p float64, path string) {
	if !(p >= 0 && p <= 1) && (c.rules.NoNaN || !math.IsNaN(p)) {
		c.say("%s = %v is no probability", path, p)
	}
}
