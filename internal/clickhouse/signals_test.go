package clickhouse_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// TestSignals: readings come back one by one or as spans, a gap is no number, and of two
// guards' rows of one time the answered one counts, whoever wrote first.
func TestSignals(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	start := time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Hour) // older than 400 days it would be gone
	at := func(i int) time.Time { return start.Add(time.Duration(i) * 15 * time.Second) }
	row := func(i int, value float64, gap, guard string) clickhouse.SignalReading {
		return clickhouse.SignalReading{Experiment: "x", Iteration: 2, Signal: "p99", Source: 5, At: at(i), Value: value, Gap: gap, Phase: 3, Planned: 0.25,
			Look: "l" + guard, Units: int64(100 * i), Treated: int64(50 * i), Instance: guard}
	}
	other := row(1, 7, "", "a")
	other.Signal = "rate"
	old := row(1, 9, "", "a")
	old.Iteration = 1
	edited := row(1, 8, "", "a")
	edited.Source = 6
	noLook := row(3, 0.5, "", "a")
	noLook.Look, noLook.Units, noLook.Treated = "", 0, 0
	for _, rows := range [][]clickhouse.SignalReading{
		nil,
		{row(0, 0.25, "", "a"), row(1, 0, "timed_out", "a"), row(2, 0.75, "", "a"), other, old, edited},
		{row(0, 0, "no_data", "b"), row(1, 0.5, "", "b"), row(2, 0.75, "", "b")},
		{noLook, row(4, 0, "no_data", "a")},
	} {
		if err := s.StoreSignals(ctx, rows); err != nil {
			t.Fatal(err)
		}
	}
	f := func(v float64) *float64 { return &v }
	one := func(i int, v float64, guard string) clickhouse.SignalSpan {
		return clickhouse.SignalSpan{Signal: "p99", Source: 5, First: at(i), Last: at(i), Mean: f(v), Low: f(v), High: f(v), Answers: 1, Phase: 3, Planned: 0.25,
			Look: "l" + guard, Units: int64(100 * i), Treated: int64(50 * i)}
	}
	third, gap := one(3, 0.5, ""), one(4, 0, "a")
	third.Look, third.Units, third.Treated = "", 0, 0
	gap.Mean, gap.Low, gap.High, gap.Answers, gap.Gaps, gap.Why = nil, nil, nil, 0, 1, "no_data"
	filter := clickhouse.SignalFilter{Experiment: "x", Iteration: 2, Signal: "p99", Source: 5, From: start, To: start.Add(time.Hour)}
	got, err := s.Signals(ctx, filter)
	for i := range got { // of equal rows either one's look may be told
		if i == 2 {
			got[i].Look = "la"
		}
	}
	want := []clickhouse.SignalSpan{one(0, 0.25, "a"), one(1, 0.5, "b"), one(2, 0.75, "a"), third, gap}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	filter.Every, filter.Signal, filter.Source, filter.From = time.Minute, "", 0, at(1)
	got, err = s.Signals(ctx, filter)
	for i := range got {
		if i == 0 {
			got[i].Look = "la"
		}
	}
	minute := clickhouse.SignalSpan{Signal: "p99", Source: 5, First: at(1), Last: at(3), Mean: f(1.75 / 3), Low: f(0.5), High: f(0.75), Answers: 3, Phase: 3, Planned: 0.25,
		Look: "la", Units: 200, Treated: 100}
	rate := one(1, 7, "a")
	rate.Signal = "rate"
	anew := one(1, 8, "a")
	anew.Source = 6
	if diff := cmp.Diff([]clickhouse.SignalSpan{minute, gap, anew, rate}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	reader := s.reader(t)
	var rows, gaps uint64
	if err := reader.QueryRow(ctx, "SELECT count(), countIf(value IS NULL) FROM signals").Scan(&rows, &gaps); err != nil || rows != 8 || gaps != 1 {
		t.Errorf("people see %d readings, %d gaps, %v; want 8 and 1", rows, gaps, err)
	}
}
