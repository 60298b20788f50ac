package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

// twoDays is a world with a day after the one in which its parts are written, by the
// server's clock: a look late on the first day, and one late on the second, when more was
// counted.
func twoDays(t *testing.T) (w *lookWorld, second daily.Date, after time.Time) {
	w = newLookWorld(t)
	first := daily.DateOf(time.Now(), time.UTC) // the world's clock is an hour behind, maybe on the day before
	_, midnight := first.Bounds(time.UTC)
	w.keep(w.look(0), midnight.Add(-time.Minute))
	w.now = w.now.Add(time.Second)
	w.count("treatment", 50)
	w.keep(w.look(0), midnight.Add(24*time.Hour-time.Minute))
	return w, first.Add(1), midnight.Add(26 * time.Hour)
}

// keep stores a look as if it had been taken at another time.
func (w *lookWorld) keep(d *results.Document, at time.Time) {
	w.t.Helper()
	d.At, d.Freshness = at, at.Add(-time.Second)
	if err := w.storeLook(w.t.Context(), d); err != nil {
		w.t.Fatal(err)
	}
}

// everything is a day in all its forms.
func everything(t *testing.T, day report.Day) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, form := range []string{"html", "markdown", "text"} {
		if err := WriteForm(&b, day, form); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestReportOfADay: what was stored by the end of a day is its report, whatever is counted
// later and in whichever process it is asked for; what changed since the day before stands
// in it.
func TestReportOfADay(t *testing.T) {
	w, date, now := twoDays(t)
	ask := func(now time.Time) report.Day {
		t.Helper()
		day, err := w.Day(t.Context(), date, now, ReportOptions{Zone: time.UTC, Keep: true})
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	first := everything(t, ask(now))
	for _, want := range []string{"+50 units, 240 now.", "How each question is answered", "Below a mean: each arm alone", "Since the day before"} {
		if !bytes.Contains(first, []byte(want)) {
			t.Errorf("the report does not say %q", want)
		}
	}
	w.now = w.now.Add(time.Second)
	w.count("control", 1000)
	w.keep(w.look(0), now)
	if again := everything(t, ask(now.Add(time.Hour))); !bytes.Equal(first, again) {
		t.Errorf("an hour and a thousand units later the same day gives another report:\n%s", cmp.Diff(string(first), string(again)))
	}
	if there := everythingElsewhere(t, w, date, now.Add(2*time.Hour)); !bytes.Equal(first, there) {
		t.Errorf("another process gives another report:\n%s", cmp.Diff(string(first), string(there)))
	}
	looks, err := w.DB.Looks(t.Context(), clickhouse.LookFilter{Experiment: "cta", Kind: clickhouse.FullLook, To: now.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range looks[len(looks)-2:] {
		if l.Expires.Year() < 2100 {
			t.Errorf("the look of %s, on which the report rests, goes away at %s", l.At, l.Expires)
		}
	}
	if later := everything(t, askDay(t, w, date.Add(1), now.Add(48*time.Hour))); bytes.Equal(first, later) || !bytes.Contains(later, []byte("+1\u202f000 units")) {
		t.Error("the next day's report does not tell what came then")
	}
}

func askDay(t *testing.T, w *lookWorld, date daily.Date, now time.Time) report.Day {
	t.Helper()
	day, err := w.Day(t.Context(), date, now, ReportOptions{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// TestReportOfToday: of a day that goes on a look is taken now; one that has not begun, and
// one from before everything, have no report.
func TestReportOfToday(t *testing.T) {
	w := newLookWorld(t)
	today := daily.DateOf(w.now, time.UTC)
	first := everything(t, askDay(t, w, today, w.now))
	if !bytes.Contains(first, []byte("190 units are in.")) {
		t.Error("no look was taken")
	}
	if again := everything(t, askDay(t, w, today, w.now.Add(10*time.Second))); !bytes.Equal(first, again) {
		t.Errorf("nothing was counted, and the report is another:\n%s", cmp.Diff(string(first), string(again)))
	}
	for _, date := range []daily.Date{today.Add(1), today.Add(-2)} {
		if _, err := w.Day(t.Context(), date, w.now, ReportOptions{Zone: time.UTC}); err == nil {
			t.Errorf("%s has a report", date)
		}
	}
}

// TestWriteDay: the index links to the pages that lie beside it.
func TestWriteDay(t *testing.T) {
	w, date, now := twoDays(t)
	dir := t.TempDir()
	index, err := WriteDay(askDay(t, w, date, now), dir)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(index)
	if err != nil || !bytes.Contains(page, []byte(`href="experiments/cta.html"`)) {
		t.Errorf("%s does not link to the experiment: %v", index, err)
	}
	if page, err = os.ReadFile(filepath.Join(dir, date.String(), "experiments", "cta.html")); err != nil || !bytes.Contains(page, []byte("Since the day before")) {
		t.Errorf("the experiment's page: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// elsewhere is what another process needs to write the same report.
type elsewhere struct {
	Addr, Database, User, Password string
	Date                           string
	Now                            time.Time
}

const elsewhereVariable = "ASSAY_TEST_REPORT"

// everythingElsewhere asks another process, with hash seeds of its own.
func everythingElsewhere(t *testing.T, w *lookWorld, date daily.Date, now time.Time) []byte {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	account := w.endpoints.Admin
	spec, err := json.Marshal(elsewhere{w.endpoints.ClickHouse[0], w.Config.ClickHouse.Database, account.Name, account.Password, date.String(), now})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), elsewhereVariable+"="+string(spec))
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return out
}

// writeElsewhere is that other process.
func writeElsewhere(spec string, out io.Writer) error {
	var e elsewhere
	if err := json.Unmarshal([]byte(spec), &e); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := clickhouse.Open(ctx, clickhouse.Config{Addr: []string{e.Addr}, Database: e.Database, User: e.User, Password: e.Password,
		Code: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer db.Close()
	date, err := daily.Parse(e.Date)
	if err != nil {
		return err
	}
	s := &Stack{DB: db, Code: "test", Log: slog.New(slog.DiscardHandler)}
	day, err := s.Day(ctx, date, e.Now, ReportOptions{Zone: time.UTC})
	for _, form := range []string{"html", "markdown", "text"} {
		if err == nil {
			err = WriteForm(out, day, form)
		}
	}
	return err
}
