package sources

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// times is where an event's time comes from: a path, the record's timestamp, or
// the number of the row.
type times struct {
	Path   string  `yaml:"path"`
	Column string  `yaml:"column"` // the same as path
	First  []times `yaml:"first"`  // the first that is there
	Layout layouts `yaml:"layout"`
	Zone   string  `yaml:"zone"`
	Record bool    `yaml:"record"` // the record's timestamp
	Start  string  `yaml:"start"`
	Step   string  `yaml:"step"`

	paths []path
	zone  *time.Location
	start time.Time
	step  time.Duration
}

// layouts are tried in their order.
type layouts []string

// UnmarshalYAML takes one layout alone, too.
func (l *layouts) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*l = layouts{one}
		return nil
	}
	return unmarshal((*[]string)(l))
}

// The layouts that are not Go's.
const (
	rfc3339      = "rfc3339"
	unixSeconds  = "unix"
	unixMillis   = "unix_ms"
	unixMicros   = "unix_us"
	unixNanos    = "unix_ns"
	unixOrMillis = "unix_or_ms"
)

const (
	leastMillis = int64(100_000_000_000)    // less is nearly surely a number of seconds
	endOfTime   = int64(10_000_000_000_000) // what the tables can hold
)

func (c *checker) times(at string, t *times) {
	made, read := t.Start != "" || t.Step != "", t.Path != "" || t.Column != ""
	switch {
	case t.First != nil:
		if made || read || t.Record || t.Layout != nil || t.Zone != "" {
			c.refuse(at, "first stands alone")
		}
		for i := range t.First {
			c.times(fmt.Sprintf("%s.first[%d]", at, i), &t.First[i])
		}
	case t.Record && (read || t.Layout != nil || t.Zone != ""):
		c.refuse(at, "the record's timestamp is read as it is")
	case read && made:
		c.refuse(at, "a time is read from a column or made up from start and step, not both")
	case read:
		c.readTimes(at, t)
	case made || !t.Record:
		c.madeUpTimes(at, t)
	}
}

func (c *checker) readTimes(at string, t *times) {
	t.paths = c.paths(at, t.Path, t.Column)
	if len(t.Layout) == 0 {
		c.refuse(at+".layout", "say how the time is written: rfc3339, unix, unix_ms, unix_or_ms or a layout such as 2006-01-02 15:04:05")
		return
	}
	for _, layout := range t.Layout {
		c.layout(at, t, layout)
	}
}

func (c *checker) layout(at string, t *times, layout string) {
	switch layout {
	case rfc3339, unixSeconds, unixMillis, unixMicros, unixNanos, unixOrMillis:
		if t.Zone != "" && len(t.Layout) == 1 {
			c.refuse(at+".zone", "%s has a zone already", layout)
		}
		return
	}
	hasZone := strings.Contains(layout, "Z07") || strings.Contains(layout, "-07")
	switch {
	case hasZone && t.Zone != "":
		c.refuse(at+".zone", "the layout has a zone already")
	case !hasZone && t.Zone == "":
		c.refuse(at+".zone", "the layout has no zone: name one, such as UTC or Europe/Paris")
	}
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		c.refuse(at+".zone", "%q is not a time zone", t.Zone)
		return
	}
	t.zone = zone
}

func (c *checker) madeUpTimes(at string, t *times) {
	if t.Layout != nil || t.Zone != "" {
		c.refuse(at, "layout and zone belong to a column")
	}
	if t.Start == "" {
		c.refuse(at+".start", "a source without times needs a start: the same replay must give the same times")
		return
	}
	start, err := time.Parse(time.RFC3339Nano, t.Start)
	if err != nil {
		c.refuse(at+".start", "%q is not a time such as 2026-03-01T00:00:00Z", t.Start)
	}
	t.start = start
	if t.step, err = time.ParseDuration(t.Step); err != nil || t.step < 0 {
		c.refuse(at+".step", "%q is not a duration: how far apart are two rows?", t.Step)
	}
}

// of is the time of an event, in milliseconds. A record without a time of its own
// has that of the envelope around it.
func (t *times) of(s *source) (int64, *problem) {
	ms, ok, bad := t.read(s)
	switch {
	case bad != nil:
		return 0, bad
	case !ok && s.ce.t != 0:
		return s.ce.t, nil
	case !ok:
		return 0, &problem{reason: ingest.MissingField, where: t.shown(), says: "is missing"}
	case ms < 0 || ms >= endOfTime:
		return 0, &problem{reason: ingest.BadTime, where: t.shown(), says: "lies before 1970 or after 2286"}
	}
	return ms, nil
}

func (t *times) shown() string {
	switch {
	case len(t.First) > 0:
		return t.First[0].shown()
	case t.Record:
		return "the record's timestamp"
	case t.Path != "":
		return t.Path
	default:
		return t.Column
	}
}

// read is not ok when there is no time.
func (t *times) read(s *source) (ms int64, ok bool, bad *problem) {
	switch {
	case t.First != nil:
		for i := range t.First {
			if ms, ok, bad = t.First[i].read(s); ok || bad != nil {
				return ms, ok, bad
			}
		}
		return 0, false, nil
	case t.Record && s.record != nil:
		if s.ce.t != 0 {
			return s.ce.t, true, nil
		}
		return s.record.kafkaT, s.record.kafkaT >= 0, nil
	case t.Start != "":
		return t.start.UnixMilli() + int64(s.number-1)*t.step.Milliseconds(), s.record == nil, nil
	}
	v, at, bad := s.firstOf(t.paths)
	if bad != nil || v.kind <= null {
		return 0, false, bad
	}
	if v.kind == text || v.kind == number {
		for _, layout := range t.Layout {
			if ms, err := t.parse(layout, string(v.text)); err == nil {
				return ms, true, nil
			}
		}
	}
	return 0, false, wrong(ingest.BadTime, at.text, v.text, "is not a time as the mapping says: "+strings.Join(t.Layout, ", "))
}

func (t *times) parse(layout, text string) (int64, error) {
	switch layout {
	case unixSeconds:
		return epoch(text, 3)
	case unixMillis:
		ms, err := epoch(text, 0)
		if err == nil && ms < leastMillis {
			err = errTime // seconds, surely
		}
		return ms, err
	case unixMicros:
		return epoch(text, -3)
	case unixNanos:
		return epoch(text, -6)
	case unixOrMillis:
		if ms, err := epoch(text, 0); err != nil || ms >= leastMillis {
			return ms, err
		}
		return epoch(text, 3)
	case rfc3339:
		at, err := time.Parse(time.RFC3339Nano, text)
		return at.UnixMilli(), err
	}
	at, err := time.ParseInLocation(layout, text, t.zone)
	return at.UnixMilli(), err
}

var errTime = errors.New("not a time")

// epoch reads digits with an optional fraction and shifts the point to the right
// by so many places; what is then behind it is cut off.
func epoch(text string, shift int) (int64, error) {
	whole, fraction, point := strings.Cut(text, ".")
	if !isDigits(whole) || point && !isDigits(fraction) {
		return 0, errTime
	}
	if shift < 0 {
		whole = whole[:max(0, len(whole)+shift)]
	} else {
		whole += (fraction + "000")[:shift]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		return 0, nil
	}
	return strconv.ParseInt(whole, 10, 64)
}
