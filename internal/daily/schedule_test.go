package daily

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func schedule(t *testing.T, name, at string) Schedule {
	t.Helper()
	c, err := ParseClock(at)
	if err != nil {
		t.Fatal(err)
	}
	return Schedule{Zone: zone(t, name), At: c, CatchUp: 3}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestDue: a report is due on the day after, by the clock on the wall there.
func TestDue(t *testing.T) {
	for _, c := range []struct{ zone, at, day, want string }{
		{"UTC", "08:00", "2026-03-01", "2026-03-02T08:00:00Z"},
		{"Europe/Berlin", "08:00", "2026-03-27", "2026-03-28T07:00:00Z"},
		{"Europe/Berlin", "08:00", "2026-03-28", "2026-03-29T06:00:00Z"}, // summer time began in the night
		{"Europe/Berlin", "02:30", "2026-03-28", "2026-03-29T01:00:00Z"}, // there is no half past two
		{"Europe/Berlin", "02:30", "2026-10-24", "2026-10-25T00:30:00Z"}, // there are two: the first
		{"America/Sao_Paulo", "00:00", "2018-11-03", "2018-11-04T03:00:00Z"},
	} {
		if got := schedule(t, c.zone, c.at).Due(day(t, c.day)); !got.Equal(instant(t, c.want)) {
			t.Errorf("%s at %s in %s: %s, want %s", c.day, c.at, c.zone, got, c.want)
		}
	}
	for _, text := range []string{"", "8:00", "24:00", "08:60", "08:00:00", "8am"} {
		if c, err := ParseClock(text); err == nil {
			t.Errorf("%q is %v", text, c)
		}
	}
}

// TestPending is the life of a channel: what is sent, by whom, and what of it is
// sent again.
func TestPending(t *testing.T) {
	s := schedule(t, "Europe/Berlin", "08:00")
	var log Log
	add := func(day Date, state State, at string) {
		log.Add(Entry{Seq: log.Last + 1, Day: day, Channel: "email", State: state, At: instant(t, at)})
	}
	check := func(why, now string, want ...string) {
		t.Helper()
		var got []string
		for _, d := range log.Pending(s, "email", instant(t, now)) {
			got = append(got, d.String())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", why, d)
		}
	}
	first := day(t, "2026-03-01")
	check("a channel begins with the newest day", "2026-03-02T07:00:00Z", "2026-03-01")
	check("before eight it is the day before", "2026-03-02T06:59:59Z", "2026-02-28")
	add(first, Claimed, "2026-03-02T07:00:00Z")
	check("another sender leaves a claim alone", "2026-03-02T07:09:59Z")
	check("a sender that died is replaced", "2026-03-02T07:10:00Z", "2026-03-01")
	add(first, Failed, "2026-03-02T07:10:01Z")
	check("a failure is given a minute", "2026-03-02T07:11:00Z")
	check("and no more", "2026-03-02T07:11:01Z", "2026-03-01")
	add(first, Claimed, "2026-03-02T07:11:01Z")
	add(first, Failed, "2026-03-02T07:11:02Z")
	check("the second failure is given two", "2026-03-02T07:13:01Z")
	check("minutes", "2026-03-02T07:13:02Z", "2026-03-01")
	add(first, Claimed, "2026-03-02T07:13:02Z")
	add(first, Sent, "2026-03-02T07:13:03Z")
	check("what was sent is done with", "2026-03-03T06:59:00Z")
	add(first, Failed, "2026-03-02T07:13:04Z") // of a sender that was taken for dead
	check("for good", "2026-03-03T06:59:00Z")
	check("the next day is the next report", "2026-03-03T07:00:00Z", "2026-03-02")
	add(first.Add(1), Skipped, "2026-03-03T07:00:01Z")
	check("nor is a day sent that has nothing to report", "2026-03-03T08:00:00Z")
	check("days of silence are caught up", "2026-03-05T07:00:00Z", "2026-03-03", "2026-03-04")
	check("as many as the schedule says", "2026-03-20T07:00:00Z", "2026-03-17", "2026-03-18", "2026-03-19")
	if got := log.Pending(s, "slack", instant(t, "2026-03-04T07:00:00Z")); len(got) != 1 || got[0].String() != "2026-03-03" {
		t.Errorf("another channel begins by itself: %v", got)
	}
}

func TestPauses(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 6: 32 * time.Minute, 7: time.Hour, 500: time.Hour} {
		if got := pause(n); got != want {
			t.Errorf("after %d failures: %s, want %s", n, got, want)
		}
	}
}
