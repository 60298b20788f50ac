package daily

import (
	"fmt"
	"sort"
	"time"
)

// Date is a day of the calendar, wherever.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day in which a time lies.
func DateOf(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return Date{y, m, d}
}

// Parse reads 2026-03-01.
func Parse(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a day: write it like 2026-03-01", text)
	}
	return DateOf(t, time.UTC), nil
}

// String is what Parse reads.
func (d Date) String() string { return d.noon().Format(time.DateOnly) }

// Long is the day for people: 1 March 2026.
func (d Date) Long() string { return d.noon().Format("2 January 2006") }

// noon is the day's in UTC, far from every border.
func (d Date) noon() time.Time { return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC) }

// Add is so many days later.
func (d Date) Add(days int) Date { return DateOf(d.noon().AddDate(0, 0, days), time.UTC) }

// Before tells whether the day comes before another.
func (d Date) Before(o Date) bool { return d.noon().Before(o.noon()) }

// farthest is more than any zone is away from UTC, in seconds.
const farthest = 30 * 60 * 60

// Start is the first instant of the day. It is not always midnight: where the clock is
// put forward at midnight the day begins at one o'clock. Days tile the time line: each
// ends where the next one starts, after 23, 24 or 25 hours, and a day that a zone left
// out has none.
func (d Date) Start(zone *time.Location) time.Time {
	base := d.noon().Add(-farthest * time.Second)
	seconds := sort.Search(2*farthest, func(s int) bool {
		return !DateOf(base.Add(time.Duration(s)*time.Second), zone).Before(d)
	})
	return base.Add(time.Duration(seconds) * time.Second)
}

// Bounds are the day's: [from, to).
func (d Date) Bounds(zone *time.Location) (from, to time.Time) {
	return d.Start(zone), d.Add(1).Start(zone)
}
