package daily

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, whatever the machine has

	"pgregory.net/rapid"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func day(t *testing.T, text string) Date {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBounds: a day is as long as its zone makes it, and begins where its zone says.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		zone, day, from string
		hours           float64
	}{
		{"UTC", "2026-03-01", "2026-03-01T00:00:00Z", 24},
		{"Europe/Berlin", "2026-03-28", "2026-03-27T23:00:00Z", 24},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23}, // 02:00 becomes 03:00
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25}, // 03:00 becomes 02:00
		{"America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", 23},
		{"Asia/Kolkata", "2026-03-01", "2026-02-28T18:30:00Z", 24},
		{"Pacific/Kiritimati", "2026-03-01", "2026-02-28T10:00:00Z", 24},
		{"Pacific/Pago_Pago", "2026-03-01", "2026-03-01T11:00:00Z", 24},
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23}, // midnight becomes 01:00
		{"America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25}, // midnight becomes 23:00 of the day
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0},       // left out
	} {
		from, to := day(t, c.day).Bounds(zone(t, c.zone))
		if got := from.Format(time.RFC3339); got != c.from || to.Sub(from).Hours() != c.hours {
			t.Errorf("%s in %s: from %s for %s, want %s for %v h", c.day, c.zone, got, to.Sub(from), c.from, c.hours)
		}
	}
}

// TestDaysTile: every instant lies in the day that DateOf names, and in no other.
func TestDaysTile(t *testing.T) {
	names := []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut"}
	start := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	rapid.Check(t, func(r *rapid.T) {
		z := zone(t, rapid.SampledFrom(names).Draw(r, "zone"))
		at := time.Unix(start+rapid.Int64Range(0, 20*365*24*3600).Draw(r, "seconds"), 0)
		from, to := DateOf(at, z).Bounds(z)
		if at.Before(from) || !at.Before(to) {
			r.Fatalf("%s is not within %s to %s", at.In(z), from.In(z), to.In(z))
		}
	})
}

func TestParse(t *testing.T) {
	for _, text := range []string{"", "2026-3-1", "2026-02-30", "yesterday", "2026-03-01T00:00:00Z"} {
		if d, err := Parse(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
	if d := day(t, "2026-02-28").Add(1); d.String() != "2026-03-01" || d.Long() != "1 March 2026" {
		t.Errorf("the day after the 28th is %v, %s", d, d.Long())
	}
}
