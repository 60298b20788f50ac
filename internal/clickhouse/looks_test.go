package clickhouse_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
)

// thisHour is recent: the table drops looks that have expired.
func thisHour() time.Time { return time.Now().UTC().Truncate(time.Hour) }

func look(kind clickhouse.LookKind, at time.Time) *clickhouse.Look {
	return &clickhouse.Look{
		Experiment: "e1", Iteration: 2, Kind: kind, At: at, Version: 3, Verdict: "healthy",
		Vector: map[uint16]uint64{0: 7, 5: 1 << 40}, Document: []byte(`{"at":"` + at.Format(time.RFC3339Nano) + `"}`),
	}
}

func TestLooks(t *testing.T) {
	s := newStore(t)
	ctx, now := t.Context(), thisHour()
	if _, err := s.LatestLook(ctx, "e1", ""); !errors.Is(err, clickhouse.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
	first, second, full := look(clickhouse.GuardLook, now), look(clickhouse.GuardLook, now.Add(time.Second)), look(clickhouse.FullLook, now.Add(500*time.Millisecond))
	if err := s.StoreLook(ctx, first, full, second); err != nil {
		t.Fatal(err)
	}
	if !(first.ID < full.ID && full.ID < second.ID) {
		t.Errorf("ids are not in order of time: %s, %s, %s", first.ID, full.ID, second.ID)
	}
	for kind, want := range map[clickhouse.LookKind]*clickhouse.Look{"": second, clickhouse.GuardLook: second, clickhouse.FullLook: full} {
		got, err := s.LatestLook(ctx, "e1", kind)
		if diff := cmp.Diff(*want, got); err != nil || diff != "" {
			t.Errorf("latest %q (-want +got), %v:\n%s", kind, err, diff)
		}
	}

	if err := s.KeepLook(ctx, first.ID, 17); err != nil {
		t.Fatal(err)
	}
	got, err := s.LookByID(ctx, first.ID)
	if err != nil || got.Decision != 17 || got.Expires.Year() != 2106 || string(got.Document) != string(first.Document) {
		t.Errorf("a kept look: %+v, %v", got, err)
	}
	all, err := s.Looks(ctx, clickhouse.LookFilter{Experiment: "e1"})
	if err != nil || len(all) != 3 || all[0].Decision != 17 || len(all[0].Document) != 0 {
		t.Errorf("a kept look is there once, without its document: %+v, %v", all, err)
	}
	if err := s.KeepLook(ctx, "nope", 1); !errors.Is(err, clickhouse.ErrNotFound) {
		t.Errorf("keeping what is not there: %v", err)
	}
}

func TestLooksThinOut(t *testing.T) {
	s := newStore(t)
	const forever, month, day = "for ever", "a month", "a day"
	hour := thisHour()
	steps := []struct {
		at   time.Duration
		want string
	}{
		{0, forever}, {1 * time.Second, day}, {59 * time.Second, day}, {60 * time.Second, month}, {61 * time.Second, day},
		{5 * time.Minute, month}, {59*time.Minute + 59*time.Second, month}, {time.Hour, forever}, {time.Hour + time.Second, day},
		{48 * time.Hour, forever},
	}
	db := s.DB
	for i, step := range steps {
		if i%4 == 3 { // a guard that was restarted finds its place in the table
			db = s.open(t, s.engine.Addr(), s.engine.Writer())
		}
		l := look(clickhouse.GuardLook, hour.Add(step.at))
		if err := db.StoreLook(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		lives := map[time.Duration]string{24 * time.Hour: day, 31 * 24 * time.Hour: month}[l.Expires.Sub(l.At)]
		if l.Expires.Year() == 2106 {
			lives = forever
		}
		if lives != step.want {
			t.Errorf("at +%v it lives until %v; want %s", step.at, l.Expires, step.want)
		}
	}
}

func TestLooksHistory(t *testing.T) {
	s := newStore(t)
	var looks []*clickhouse.Look
	start := thisHour()
	for i := range 120 {
		looks = append(looks, look(clickhouse.GuardLook, start.Add(time.Duration(i)*10*time.Second)))
	}
	if err := s.StoreLook(t.Context(), looks...); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		filter clickhouse.LookFilter
		want   []int // indices
	}{
		"the newest":           {clickhouse.LookFilter{Limit: 2}, []int{118, 119}},
		"a stretch":            {clickhouse.LookFilter{From: start.Add(20 * time.Second), To: start.Add(40 * time.Second)}, []int{2, 3}},
		"one a five minutes":   {clickhouse.LookFilter{Every: 5 * time.Minute}, []int{0, 30, 60, 90}},
		"the last two thereof": {clickhouse.LookFilter{Every: 5 * time.Minute, Limit: 2}, []int{60, 90}},
		"another iteration":    {clickhouse.LookFilter{Iteration: 1}, nil},
		"another kind":         {clickhouse.LookFilter{Kind: clickhouse.FullLook}, nil},
	} {
		c.filter.Experiment, c.filter.Documents = "e1", true
		got, err := s.Looks(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var want []clickhouse.Look
		for _, i := range c.want {
			want = append(want, *looks[i])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestStatuses(t *testing.T) {
	s := newStore(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	status := func(shard uint16, seq uint64, at time.Time) results.ShardStatus {
		return results.ShardStatus{Shard: shard, Seq: seq, Freshness: at.Add(-time.Second), Config: 2, State: "ok", Detail: "d", At: at}
	}
	for _, write := range [][]results.ShardStatus{
		{status(1, 5, now), status(0, 1, now)},
		{status(1, 6, now.Add(time.Second))},
		{status(1, 4, now.Add(-time.Second))}, // a word that was late
		nil,
	} {
		if err := s.WriteStatus(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Statuses(t.Context())
	want := []results.ShardStatus{status(0, 1, now), status(1, 6, now.Add(time.Second))}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("statuses (-want +got), %v:\n%s", err, diff)
	}
}
