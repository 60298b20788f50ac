package experiment

import (
	"fmt"
	"math"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

const (
	namePattern     = `^[a-z0-9][a-z0-9_-]{0,63}$`
	durationPattern = `^([0-9]+(w|d)|([0-9]+(\.[0-9]+)?(h|m|s|ms))+|0)$`
	percentPattern  = `^[0-9]+(\.[0-9]+)?%$`
	sharePattern    = `^([0-9]{1,2}(\.[0-9]+)?|100(\.0+)?)%$`
	portionPattern  = `^[0-9]{1,2}(\.[0-9]+)?%$`
	levelPattern    = `^([1-4]?[0-9](\.[0-9]+)?|50(\.0+)?)%$`
	timePattern     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$`
	decimalPattern  = `^[0-9]+(\.[0-9]+)?$`
)

// scalarShape makes a shape from a function of the written text, which says
// what is wrong with it, if anything.
func scalarShape[V any](sc schema, rule Rule, parse func(path, text string) (v V, wrong, hint string)) shape[V] {
	return shape[V]{schema: sc, read: func(s *source, path string, n ast.Node) (V, bool) {
		var zero V
		text, ok := scalar(s, path, n)
		if !ok {
			return zero, false
		}
		v, wrong, hint := parse(path, text)
		if wrong != "" {
			s.refuseAt(nodePosition(n), rule, wrong, hint)
			return zero, false
		}
		return v, true
	}}
}

// text is any words but none.
func text() shape[string] {
	return scalarShape(schema{"type": []string{"string", "number", "boolean"}}, RuleEmpty, func(path, text string) (string, string, string) {
		if text == "" {
			return "", path + " has no text", "leave it out or say something"
		}
		return text, "", ""
	})
}

// name is a key as it stands in events, URLs and tables.
func name() shape[string] {
	re := regexp.MustCompile(namePattern)
	sc := schema{"anyOf": []schema{{"type": "string", "pattern": namePattern}, {"type": "integer", "minimum": 0}}}
	return scalarShape(sc, RuleName, func(_, text string) (string, string, string) {
		if !re.MatchString(text) {
			return "", fmt.Sprintf("%q is not a name", text), "names have 1 to 64 of a-z 0-9 _ - and begin with a letter or digit"
		}
		return text, "", ""
	})
}

// metricName is a name; names with a dollar are the engine's own.
func metricName() shape[string] {
	plain := name()
	return shape[string]{schema: plain.schema, read: func(s *source, path string, n ast.Node) (string, bool) {
		if text, ok := scalar(s, path, n); ok && strings.HasPrefix(text, "$") {
			s.refuseAt(nodePosition(n), RuleMetricDollar, fmt.Sprintf("%q begins with $", text), "such names belong to assay's own counters")
			return "", false
		}
		return plain.read(s, path, n)
	}}
}

// link is a web address.
func link() shape[string] {
	return scalarShape(schema{"type": "string", "pattern": "^https?://"}, RuleLink, func(_, text string) (string, string, string) {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", fmt.Sprintf("%q is not a web address", text), "write https://…"
		}
		return text, "", ""
	})
}

// choice is one of a few words.
func choice[V ~string](words ...V) shape[V] {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return scalarShape(schema{"enum": list}, RuleChoice, func(path, text string) (V, string, string) {
		if !slices.Contains(words, V(text)) {
			return "", fmt.Sprintf("%s cannot be %q", path, text), suggest(text, list)
		}
		return V(text), "", ""
	})
}

// whole is a whole number between two bounds.
func whole[V ~int | ~int64 | ~uint32](least, most int64) shape[V] {
	sc := schema{"type": "integer", "minimum": least, "maximum": most}
	return scalarShape(sc, RuleWhole, func(path, text string) (V, string, string) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < least || n > most {
			return 0, fmt.Sprintf("%s must be a whole number from %d to %d, not %s", path, least, most, text), ""
		}
		return V(n), "", ""
	})
}

// span is a duration in whole milliseconds, at least so long.
func span(least time.Duration) shape[Duration] { return spanWithin(least, math.MaxInt64) }

// spanWithin is a duration with an upper bound too.
func spanWithin(least, most time.Duration) shape[Duration] {
	return scalarShape(schema{"anyOf": []schema{{"type": "string", "pattern": durationPattern}, {"const": 0}}}, RuleDuration,
		func(path, text string) (Duration, string, string) {
			d, err := ParseDuration(text)
			switch {
			case err != nil:
				return 0, path + ": " + err.Error(), ""
			case d.Std()%time.Millisecond != 0:
				return 0, fmt.Sprintf("%s: %s is not a whole number of milliseconds", path, text), "times are kept in milliseconds"
			case d < 0:
				return 0, fmt.Sprintf("%s must not be negative, but is %s", path, text), ""
			case d.Std() < least:
				return 0, fmt.Sprintf("%s must be at least %s, but is %s", path, Duration(least), text), ""
			case d.Std() > most:
				return 0, fmt.Sprintf("%s must be at most %s, but is %s", path, Duration(most), text), ""
			}
			return d, "", ""
		})
}

// moment is a point in time, cut to milliseconds; a bare date is its midnight
// in UTC.
func moment() shape[time.Time] {
	return scalarShape(schema{"type": "string", "pattern": timePattern}, RuleTime, func(path, text string) (time.Time, string, string) {
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
				return t.UTC().Truncate(time.Millisecond), "", ""
			}
		}
		return time.Time{}, fmt.Sprintf("%s: %q is not a time", path, text), "write 2026-03-01T09:00:00Z or 2026-03-01 (midnight UTC)"
	})
}

// fraction reads 12.5% or 0.125 exactly; percent tells which was written.
func fraction(text string) (value *big.Rat, percent, ok bool) {
	number, percent := strings.CutSuffix(text, "%")
	if !regexp.MustCompile(decimalPattern).MatchString(number) || len(number) > 40 {
		return nil, percent, false
	}
	value, ok = new(big.Rat).SetString(number)
	if ok && percent {
		value.Quo(value, big.NewRat(100, 1))
	}
	return value, percent, ok
}

// fractionSchema takes a percentage of some form, or a number from 0 to most.
func fractionSchema(percent string, number schema) schema {
	number["type"] = "number"
	return schema{"anyOf": []schema{{"type": "string", "pattern": percent}, number}}
}

// share is a part of a whole, 0 % to 100 %.
func share() shape[*big.Rat] {
	return scalarShape(fractionSchema(sharePattern, schema{"minimum": 0, "maximum": 1}), RuleShare, func(path, text string) (*big.Rat, string, string) {
		v, _, ok := fraction(text)
		if !ok || v.Cmp(big.NewRat(1, 1)) > 0 {
			return nil, fmt.Sprintf("%s: %s is not a share", path, text), "write 50% or 0.5, from 0% to 100%"
		}
		return v, "", ""
	})
}

// level is a probability of error, above 0 and at most one half.
func level() shape[float64] {
	return scalarShape(fractionSchema(levelPattern, schema{"exclusiveMinimum": 0, "maximum": 0.5}), RuleLevel, func(path, text string) (float64, string, string) {
		v, _, ok := fraction(text)
		if !ok || v.Sign() <= 0 || v.Cmp(big.NewRat(1, 2)) > 0 {
			return 0, fmt.Sprintf("%s must be above 0 and at most 50%%, not %s", path, text), "5% is usual"
		}
		f, _ := v.Float64()
		return f, "", ""
	})
}

// portion is a part of a whole that leaves something to the rest.
func portion(hint string) shape[float64] {
	return scalarShape(fractionSchema(portionPattern, schema{"exclusiveMinimum": 0, "exclusiveMaximum": 1}), RuleShare, func(path, text string) (float64, string, string) {
		v, _, ok := fraction(text)
		if !ok || v.Sign() <= 0 || v.Cmp(big.NewRat(1, 1)) >= 0 {
			return 0, fmt.Sprintf("%s must be above 0%% and below 100%%, not %s", path, text), hint
		}
		f, _ := v.Float64()
		return f, "", ""
	})
}

// margin is a tolerated harm: a number of the metric's unit, or with a percent
// sign a part of the control's mean.
type margin struct {
	value    float64
	relative bool
}

func marginShape() shape[margin] {
	return scalarShape(fractionSchema(percentPattern, schema{"minimum": 0}), RuleMargin, func(path, text string) (margin, string, string) {
		v, percent, ok := fraction(text)
		if !ok {
			return margin{}, fmt.Sprintf("%s: %s is not a margin", path, text), "write 0, 0.01 (in the metric's unit) or 2% (of the control's mean); never below 0"
		}
		f, _ := v.Float64()
		return margin{f, percent}, "", ""
	})
}

// pattern is a text of a certain form.
func pattern(form string, rule Rule, is, hint string) shape[string] {
	re := regexp.MustCompile(form)
	return scalarShape(schema{"type": "string", "pattern": form}, rule, func(_, text string) (string, string, string) {
		if !re.MatchString(text) {
			return "", fmt.Sprintf("%q %s", text, is), hint
		}
		return text, "", ""
	})
}

// pointer tells a value that was written from one that was left out.
func pointer[V any](sh shape[V]) shape[*V] {
	return shape[*V]{schema: sh.schema, read: func(s *source, path string, n ast.Node) (*V, bool) {
		v, ok := sh.read(s, path, n)
		return &v, ok
	}}
}

// shortest is the shortest duration that is one.
const shortest = time.Millisecond
