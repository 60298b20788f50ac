package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
)

// Title is the day in one line.
func (d Day) Title() string { return "Experiments on " + d.Date.Long() + ": " + d.tally() }

// Tally is what is to be done, in one sentence.
func (d Day) Tally() string {
	text := d.tally()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// tally counts the experiments by what is to be done about them, the urgent first.
func (d Day) tally() string {
	counts := map[catalog.Call]int{}
	for _, e := range d.Experiments {
		counts[e.Box().Call]++
	}
	var parts []string
	for _, c := range []struct {
		call catalog.Call
		text string
	}{{catalog.Stop, "to stop or stopped"}, {catalog.Ship, "to ship"}, {catalog.CannotTell, "of which nothing can be said"}, {catalog.KeepRunning, "to keep running"}} {
		if n := counts[c.call]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.text))
		}
	}
	if len(parts) == 0 {
		return "none ran"
	}
	return strings.Join(parts, ", ")
}

// Clock writes a time as the wall shows it where the day is reported.
func (d Day) Clock(t time.Time) string { return clock(t, d.Zone) }

// Clock writes a time as the wall shows it where the day is reported.
func (e Entry) Clock(t time.Time) string { return clock(t, e.where()) }

func clock(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}

// Where is the day's zone.
func (d Day) Where() string { return d.Zone.String() } // of no zone: UTC

// Hours is how long the day was.
func (d Day) Hours() string {
	h := d.To.Sub(d.From).Hours()
	if h == 24 {
		return "24 hours"
	}
	return fmt.Sprintf("%g hours, because the clock was changed", h)
}
