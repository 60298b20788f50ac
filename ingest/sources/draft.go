package sources

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/assay-dev/assay/ingest"
)

// leaf is a path that led to a scalar in some samples.
type leaf struct {
	path   string
	name   string // the last two keys, and
	last   string // the last one, in small letters and digits alone
	seen   int
	values []string // the first few that differ
}

const (
	maxLeaves = 300
	maxLevels = 6
	maxValues = 6
)

// draft guesses a mapping from the names and the looks of what samples hold. It
// is empty when they hold no JSON object.
func draft(samples []ingest.Record) string {
	l := &leaves{by: map[string]*leaf{}}
	objects := 0
	for i := range samples {
		var t tree
		if len(samples[i].Value) > ingest.MaxSize {
			continue
		}
		root, _, bad := t.unwrap(samples[i].Value, samples[i].Headers)
		if bad == nil && t.nodes[root.at].kind == object {
			objects++
			l.collect(&t, root.at, nil)
		}
	}
	if objects == 0 {
		return ""
	}
	return l.write(objects)
}

// leaves are all of them, in the order in which they were met.
type leaves struct {
	by   map[string]*leaf
	list []*leaf
}

func (l *leaves) collect(t *tree, at int32, keys []string) {
	if inner := t.open(at); inner != nowhere {
		at = inner
	}
	if n := t.nodes[at]; n.kind == object {
		for child := at + 1; child < t.nodes[at].next; child = t.nodes[child].next {
			key, _ := t.member(child, object)
			name := string(key)
			if name == "" || len(keys) == maxLevels || strings.ContainsAny(name, "[]*|^") || strings.Trim(name, ". ") != name || strings.Contains(name, "..") {
				continue
			}
			l.collect(t, child, append(keys[:len(keys):len(keys)], name))
		}
		return
	}
	v, bad := t.scalar(at)
	if bad != nil || !v.scalar() || len(keys) == 0 {
		return
	}
	path := strings.Join(keys, ".")
	f := l.by[path]
	if f == nil {
		if len(l.list) == maxLeaves {
			return
		}
		f = &leaf{path: path, name: plainName(keys[max(0, len(keys)-2):]...), last: plainName(keys[len(keys)-1])}
		l.by[path], l.list = f, append(l.list, f)
	}
	f.seen++
	if text := string(v.text); len(f.values) < maxValues && !slices.Contains(f.values, text) {
		f.values = append(f.values, text)
	}
}

func plainName(keys ...string) string {
	return strings.Map(func(r rune) rune {
		if r = unicode.ToLower(r); unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, strings.Join(keys, ""))
}

// The names that fields of a meaning have, the surest first.
const (
	unitNames       = "userid distinctid visitorid customerid accountid memberid clientid deviceid anonymousid sessionid unitid userkey user visitor customer unit uid key"
	idNames         = "messageid eventid insertid eventuuid uuid requestid id"
	timeNames       = "timestamp eventtime occurredat createdat eventtimestamp time ts creationdate date at when sentat"
	variantNames    = "variationid variantid variationname variantname variationkey variation variant treatment testarm arm bucket branch group"
	experimentNames = "experimentid experimentkey experimentname experiment featureflag flagkey featurename flagname testkey testid flag feature test campaign"
	eventNames      = "eventname eventtype event action kind type name"
	valueNames      = "revenue amount total ordertotal price value metricvalue sum"
)

// pick returns the leaf whose name comes first in the list, nil without one.
func (l *leaves) pick(names string, fits func(*leaf) bool) *leaf {
	for name := range strings.FieldsSeq(names) {
		for _, f := range l.list {
			if (f.last == name || f.name == name) && (fits == nil || fits(f)) {
				return f
			}
		}
	}
	return nil
}

// layoutOf says how a leaf's values are written as times; empty when they are none.
func layoutOf(f *leaf) string {
	for _, layout := range []string{rfc3339, unixOrMillis} {
		t := &times{}
		if !slices.ContainsFunc(f.values, func(v string) bool {
			ms, err := t.parse(layout, v)
			return err != nil || ms < leastMillis || ms >= endOfTime
		}) {
			return layout
		}
	}
	return ""
}

func isNumeral(f *leaf) bool {
	return !slices.ContainsFunc(f.values, func(v string) bool { _, err := decimal(v); return err != nil })
}

// repeats tells a name of events, which come again and again, from an id.
func repeats(f *leaf) bool {
	return len(f.values) < maxValues && (len(f.values) == 1 || len(f.values) < f.seen)
}

// write puts the guesses into the form of a mapping.
func (l *leaves) write(objects int) string {
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("# A draft made of the names in %d records. Every path is a guess; look at each.", objects)
	line("name: draft\nformat: json")
	guess := func(f *leaf) string {
		if f == nil {
			return `FIXME # nothing looked like it`
		}
		return fmt.Sprintf("%s # in %d of %d records", strconv.Quote(f.path), f.seen, objects)
	}
	line("unit: %s\nunit_kind: user # what is randomised", guess(l.pick(unitNames, nil)))
	if id := l.pick(idNames, nil); id != nil {
		line("id: %s", guess(id))
	}
	if at := l.pick(timeNames, func(f *leaf) bool { return layoutOf(f) != "" }); at != nil {
		line("time: {path: %q, layout: %s} # in %d of %d records", at.path, layoutOf(at), at.seen, objects)
	} else {
		line("time: {record: true} # nothing looked like a time: the record's timestamp")
	}
	line("events:")
	variant, name := l.pick(variantNames, nil), l.pick(eventNames, repeats)
	if name != nil {
		line("  # %q is one of: %s", name.path, strings.Join(inQuotes(name.values), ", "))
	}
	l.writeExposure(line, guess, variant)
	l.writeOutcome(line, variant, name)
	return b.String()
}

func (l *leaves) writeExposure(line func(string, ...any), guess func(*leaf) string, variant *leaf) {
	if variant == nil {
		line("  # nothing looked like a variant: no exposure is proposed")
		return
	}
	if experiment := l.pick(experimentNames, func(f *leaf) bool { return f != variant }); experiment != nil {
		line("  - exposure: {path: %q}", experiment.path)
	} else {
		line("  - exposure: FIXME # the experiment's key")
	}
	line("    variant: %s", guess(variant))
	line("    when: {%q: {present: true}} # what marks an exposure? an evaluation is none", variant.path)
}

func (l *leaves) writeOutcome(line func(string, ...any), variant, name *leaf) {
	if name != nil {
		line("  - outcome: {path: %q}", name.path)
	} else {
		line("  - outcome: FIXME # the event's name")
	}
	if variant != nil {
		line("    when: {%q: {present: false}}", variant.path)
	}
	if value := l.pick(valueNames, isNumeral); value != nil {
		line("    value: {first: [%q, {constant: \"1\"}]}", value.path)
	}
}

func inQuotes(values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, strconv.Quote(v[:min(len(v), 60)]))
	}
	return out
}
