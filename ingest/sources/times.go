package sources

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// times is where a row's time comes from: a column, or the row's number.
type times struct {
	Column string `yaml:"column"`
	Layout string `yaml:"layout"`
	Zone   string `yaml:"zone"`
	Start  string `yaml:"start"`
	Step   string `yaml:"step"`

	zone  *time.Location
	start time.Time
	step  time.Duration
}

// The layouts that are not Go's.
const (
	unixSeconds = "unix"
	unixMillis  = "unix_ms"
	rfc3339     = "rfc3339"
)

func (c *checker) times(t *times) {
	switch {
	case t.Column != "" && (t.Start != "" || t.Step != ""):
		c.refuse("time", "a time is read from a column or made up from start and step, not both")
	case t.Column != "":
		c.readTimes(t)
	default:
		c.madeUpTimes(t)
	}
}

func (c *checker) readTimes(t *times) {
	switch t.Layout {
	case "":
		c.refuse("time.layout", "say how the time is written: rfc3339, unix, unix_ms or a layout such as 2006-01-02 15:04:05")
		return
	case rfc3339, unixSeconds, unixMillis:
		if t.Zone != "" {
			c.refuse("time.zone", "%s has a zone already", t.Layout)
		}
		return
	}
	hasZone := strings.Contains(t.Layout, "Z07") || strings.Contains(t.Layout, "-07")
	switch {
	case hasZone && t.Zone != "":
		c.refuse("time.zone", "the layout has a zone already")
	case !hasZone && t.Zone == "":
		c.refuse("time.zone", "the layout has no zone: name one, such as UTC or Europe/Paris")
	}
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		c.refuse("time.zone", "%q is not a time zone", t.Zone)
		return
	}
	t.zone = zone
}

func (c *checker) madeUpTimes(t *times) {
	if t.Layout != "" || t.Zone != "" {
		c.refuse("time", "layout and zone belong to a column")
	}
	if t.Start == "" {
		c.refuse("time.start", "a source without times needs a start: the same replay must give the same times")
		return
	}
	start, err := time.Parse(time.RFC3339Nano, t.Start)
	if err != nil {
		c.refuse("time.start", "%q is not a time such as 2026-03-01T00:00:00Z", t.Start)
	}
	t.start = start
	if t.step, err = duration(t.Step); err != nil || t.step < 0 {
		c.refuse("time.step", "%q is not a duration: how far apart are two rows?", t.Step)
	}
}

func duration(text string) (time.Duration, error) { return time.ParseDuration(text) }

// of is the time of a row, in milliseconds.
func (t *times) of(number int, r row) (int64, error) {
	if t.Column == "" {
		return t.start.UnixMilli() + int64(number-1)*t.step.Milliseconds(), nil
	}
	text, ok := r(t.Column)
	if !ok {
		return 0, fmt.Errorf("%s is missing", t.Column)
	}
	ms, err := t.parse(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a time as the mapping says: %s", t.Column, text, t.Layout)
	}
	return ms, nil
}

func (t *times) parse(text string) (int64, error) {
	switch t.Layout {
	case unixMillis:
		return strconv.ParseInt(text, 10, 64)
	case unixSeconds:
		s, err := strconv.ParseInt(text, 10, 48)
		return s * 1000, err
	case rfc3339:
		at, err := time.Parse(time.RFC3339Nano, text)
		return at.UnixMilli(), err
	case "":
		return 0, fmt.Errorf("no layout")
	}
	zone := t.zone
	if zone == nil {
		zone = time.UTC
	}
	at, err := time.ParseInLocation(t.Layout, text, zone)
	return at.UnixMilli(), err
}
