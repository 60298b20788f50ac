package app

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/results"
)

// What was computed at a time can be computed again when the ledger has moved on,
// to the bit: by that time, and by the look that was stored.
func TestLookBack(t *testing.T) {
	w := newLookWorld(t)
	then := w.look(0)
	mark, err := w.DB.LastMark(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := w.DB.LatestLook(t.Context(), "cta", clickhouse.FullLook)
	if err != nil {
		t.Fatal(err)
	}
	w.now = time.Now().UTC().Truncate(time.Millisecond).Add(time.Minute) // parts bear the time of the machine
	for later := mark.WrittenAt; !later.After(mark.WrittenAt); {
		w.now = w.now.Add(time.Minute)
		w.count("treatment", 7)
		last, err := w.DB.LastMark(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		later = last.WrittenAt
	}
	w.apply("somebody else")
	if now := w.look(0); cmp.Equal(then.Cells, now.Cells) {
		t.Fatal("the ledger has not moved on: this proves nothing")
	}

	past, d, err := w.PastLook(t.Context(), stored.ID)
	if err != nil {
		t.Fatal(err)
	}
	again := w.lookBack(past, d.Iteration)
	if !again.AsOf {
		t.Error("the document does not say that it is of the past")
	}
	if diff := cmp.Diff(then, again, cmpopts.IgnoreFields(results.Document{}, "AsOf"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("by the look (-then +again):\n%s", diff)
	}

	past, err = w.PastAt(t.Context(), mark.WrittenAt)
	if err != nil {
		t.Fatal(err)
	}
	again = w.lookBack(past, 0)
	if diff := cmp.Diff(then, again, cmpopts.IgnoreFields(results.Document{}, "AsOf", "At"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("by the time (-then +again):\n%s", diff)
	}
	if _, err := w.PastAt(t.Context(), w.now.Add(-24*time.Hour)); err == nil {
		t.Error("a day before there was a configuration")
	}
}

func (w *lookWorld) lookBack(past Past, iteration uint32) *results.Document {
	w.t.Helper()
	d, err := w.LookBack(w.t.Context(), past, past.Version.Find("cta"), iteration)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// What is computed from stored events is kept beside the looks and is another kind of
// document: the report's history and the past pass it by.
func TestSlowLooksAreOtherDocuments(t *testing.T) {
	w := newLookWorld(t)
	d := w.look(0)
	b, err := json.Marshal(results.Slow{Experiment: "cta", Iteration: 1, At: w.now, Comparisons: []results.SlowComparison{{Metric: "sales", Arm: "treatment", Matured: true}}})
	if err != nil {
		t.Fatal(err)
	}
	slow := clickhouse.Look{Experiment: "cta", Iteration: 1, Kind: clickhouse.SlowLook, At: w.now.Add(time.Millisecond), Version: 1, Document: b}
	if err := w.DB.StoreLook(t.Context(), &slow); err != nil {
		t.Fatal(err)
	}
	day, err := w.Day(t.Context(), daily.DateOf(w.now, time.UTC), w.now.Add(time.Millisecond), ReportOptions{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	if entry := day.Experiments[0]; len(entry.History) != len(d.Comparisons) || entry.Document.Slow == nil {
		t.Errorf("the report has a history of %d series and the slow metrics %v", len(entry.History), entry.Document.Slow)
	}
	before, err := w.lookBefore(t.Context(), "cta", 1, w.now.Add(time.Second))
	if err != nil || before == nil || !before.At.Equal(d.At) {
		t.Errorf("the look before: %v, %v", before, err)
	}
	if _, _, err := w.PastLook(t.Context(), slow.ID); err == nil || !strings.Contains(err.Error(), "stored events") {
		t.Errorf("a slow look as a look: %v", err)
	}
}
