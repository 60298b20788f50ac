package guardrails

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// Difference is one field that came out otherwise.
type Difference struct {
	Field string `json:"field"` // as in the evidence: verdict.harm.z
	Was   string `json:"was"`
	Is    string `json:"is"`
}

// tolerance is what two numbers may differ by, relative to the larger: 12
// significant digits. Other processors round the last ones otherwise.
const tolerance = 1e-12

// differences compares two values of one type, field by field. Sentences are left
// out: they are made of the numbers, and may be worded better one day.
func differences(was, is any) []Difference {
	var d differ
	d.walk("", reflect.ValueOf(was), reflect.ValueOf(is))
	return d.found
}

type differ struct{ found []Difference }

// walk compares values of the kinds that evidence is made of.
func (d *differ) walk(path string, was, is reflect.Value) {
	if t, ok := was.Interface().(time.Time); ok {
		d.check(path, was, is, t.Equal(is.Interface().(time.Time)))
		return
	}
	switch was.Kind() {
	case reflect.Pointer:
		if was.IsNil() || is.IsNil() {
			d.check(path, was, is, was.IsNil() == is.IsNil())
			return
		}
		d.walk(path, was.Elem(), is.Elem())
	case reflect.Struct:
		for i := range was.NumField() {
			if name := fieldName(was.Type().Field(i)); name != "text" && name != "warnings" {
				d.walk(strings.TrimPrefix(path+"."+name, "."), was.Field(i), is.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		if was.Len() != is.Len() {
			d.check(path, was, is, false)
			return
		}
		for i := range was.Len() {
			d.walk(fmt.Sprintf("%s[%d]", path, i), was.Index(i), is.Index(i))
		}
	case reflect.Float64:
		d.check(path, was, is, near(was.Float(), is.Float()))
	default:
		d.check(path, was, is, was.Equal(is))
	}
}

func (d *differ) check(path string, was, is reflect.Value, same bool) {
	if !same {
		d.found = append(d.found, Difference{Field: path, Was: show(was), Is: show(is)})
	}
}

// show writes a value in full: a difference in the last digit must be seen.
func show(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "nothing"
	case v.Kind() == reflect.Pointer:
		return show(v.Elem())
	case v.Kind() == reflect.Float64:
		return fmt.Sprintf("%.17g", v.Float())
	default:
		return fmt.Sprint(v.Interface())
	}
}

// near compares two numbers. Evidence has null for what is not finite, whatever it was.
func near(a, b float64) bool {
	if unknown(a) || unknown(b) {
		return unknown(a) && unknown(b)
	}
	return math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))
}

func unknown(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

// fieldName is a field's name in the evidence.
func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}
