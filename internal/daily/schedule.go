package daily

import (
	"fmt"
	"time"
)

// Schedule says when the report of a day is due.
type Schedule struct {
	Zone    *time.Location
	At      Clock // of the day after
	CatchUp int   // days that are still reported after a time of silence; at least 1
}

// Clock is a time of day.
type Clock struct{ Hour, Minute int }

// ParseClock reads 08:00.
func ParseClock(text string) (Clock, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return Clock{}, fmt.Errorf("%q is not a time of day: write it like 08:00", text)
	}
	return Clock{t.Hour(), t.Minute()}, nil
}

// Due is when the report of a day is due: the first time on the day after at which the
// clock shows At or more. Where the clock skips At, that is the end of what it skips;
// where it shows it twice, the first time.
func (s Schedule) Due(d Date) time.Time {
	from, to := d.Add(1).Bounds(s.Zone)
	for t := from; t.Before(to); t = t.Add(time.Minute) {
		if h, m, _ := t.In(s.Zone).Clock(); h > s.At.Hour || h == s.At.Hour && m >= s.At.Minute {
			return t
		}
	}
	return to
}

// Last is the newest day whose report is due.
func (s Schedule) Last(now time.Time) Date {
	d := DateOf(now, s.Zone).Add(-1)
	if now.Before(s.Due(d)) {
		d = d.Add(-1)
	}
	return d
}
