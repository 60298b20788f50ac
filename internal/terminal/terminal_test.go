package terminal

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	p := Palette{On: true}
	got := Table("METRIC\tUNITS\tEFFECT\tSTATE", []string{
		"latency\t10\u202f184\t+1.70 %\t" + p.Tone("bad", "breached"),
		"größe\t9\t−20.0 %\thealthy",
		"revenue\toverflow: 3 units' totals are too large",
		"none\t–\t\tinconclusive",
	})
	want := strings.Join([]string{
		"METRIC    UNITS   EFFECT  STATE",
		"latency  10\u202f184  +1.70 %  \x1b[1;31mbreached\x1b[0m",
		"größe         9  −20.0 %  healthy",
		"revenue  overflow: 3 units' totals are too large",
		"none          –           inconclusive", "",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Table("A\tB", nil); got != "" {
		t.Errorf("without rows: %q", got)
	}
}

func TestPalette(t *testing.T) {
	var plain Palette
	colourful := Palette{On: true}
	for got, want := range map[string]string{
		plain.Tone("bad", "breached"):     "breached",
		plain.Strong("x"):                 "x",
		colourful.Tone("none", "x"):       "x",
		colourful.Tone("bad", ""):         "",
		colourful.Tone("good", "healthy"): "\x1b[32mhealthy\x1b[0m",
		colourful.Strong("y"):             "\x1b[1my\x1b[0m",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestProgress: a log gets a line every ten seconds of long work and nothing of short
// work; a terminal gets one line that is cleared.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	p := NewProgress(&b, false, clock)
	for second := 1; second <= 30; second++ {
		now = now.Add(time.Second)
		p.Step("shard 3", float64(second), 300)
	}
	p.End()
	want := "shard 3 · 3 % · about 4m50s left\nshard 3 · 7 % · about 4m40s left\nshard 3 · 10 % · about 4m30s left\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	quick := NewProgress(&b, false, clock)
	now = now.Add(9 * time.Second)
	quick.Step("quick", 1, 2)
	quick.End()
	if b.Len() > 0 {
		t.Errorf("short work said %q", b.String())
	}
	watched := NewProgress(&b, true, clock)
	watched.Step("counting", 0, 0)
	watched.Step("too soon to be seen", 0, 0)
	now = now.Add(2 * time.Second)
	watched.Step("counting", 1, 1)
	watched.End()
	watched.End()
	if want := "\r\x1b[Kcounting\r\x1b[Kcounting · 100 %\r\x1b[K"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1s", 59400 * time.Millisecond: "59s", 200 * time.Second: "3m20s", 125 * time.Minute: "2h05m"} {
		if got := short(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
