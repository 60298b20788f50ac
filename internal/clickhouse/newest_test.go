package clickhouse_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// TestNewestLooks: of each experiment and kind the newest, from a time on, and their
// documents by id.
func TestNewestLooks(t *testing.T) {
	s := newStore(t)
	ctx, now := t.Context(), thisHour()
	old, guard, full, other := look(clickhouse.GuardLook, now), look(clickhouse.GuardLook, now.Add(2*time.Second)), look(clickhouse.FullLook, now.Add(time.Second)), look(clickhouse.FullLook, now.Add(time.Minute))
	other.Experiment = "it's another"
	if err := s.StoreLook(ctx, old, guard, full, other); err != nil {
		t.Fatal(err)
	}
	heads := func(since time.Time) map[string]clickhouse.LookHead {
		t.Helper()
		all, err := s.NewestLooks(ctx, since)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]clickhouse.LookHead{}
		for _, h := range all {
			out[h.ID] = h
		}
		return out
	}
	head := func(l *clickhouse.Look) clickhouse.LookHead {
		return clickhouse.LookHead{ID: l.ID, Experiment: l.Experiment, Iteration: l.Iteration, Kind: l.Kind, At: l.At, Verdict: l.Verdict}
	}
	want := map[string]clickhouse.LookHead{guard.ID: head(guard), full.ID: head(full), other.ID: head(other)}
	if d := cmp.Diff(want, heads(time.Time{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]clickhouse.LookHead{other.ID: head(other)}, heads(now.Add(time.Minute))); d != "" {
		t.Error(d)
	}
	documents, err := s.Documents(ctx, []clickhouse.LookHead{head(old), head(other), {ID: "gone", Experiment: "e1", At: now}})
	if d := cmp.Diff(map[string][]byte{old.ID: old.Document, other.ID: other.Document}, documents); err != nil || d != "" {
		t.Error(d, err)
	}
}

// TestDeadLettersByReason: how many of each topic and reason, each place once, with the
// newest ones.
func TestDeadLettersByReason(t *testing.T) {
	s := newStore(t)
	at := time.Now().UTC().Truncate(time.Millisecond)
	var dead []ingest.Dead
	for i, reason := range []ingest.Reason{"syntax", "syntax", "syntax", "too_old"} {
		dead = append(dead, ingest.Dead{Place: ingest.Place{Offset: int64(i)}, KafkaT: at.Add(time.Duration(i) * time.Second).UnixMilli(), Reason: reason, Size: 200, Position: 17, Detail: "a string does not end"})
	}
	for range 2 { // writing twice is harmless
		if err := s.AppendEvents(t.Context(), 3, []string{"assay.exposures"}, nil, dead); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := s.DeadCounts(t.Context())
	want := []clickhouse.DeadCount{
		{Topic: "assay.exposures", Reason: "syntax", Records: 3, First: at, Last: at.Add(2 * time.Second)},
		{Topic: "assay.exposures", Reason: "too_old", Records: 1, First: at.Add(3 * time.Second), Last: at.Add(3 * time.Second)},
	}
	if d := cmp.Diff(want, counts); err != nil || d != "" {
		t.Error(d, err)
	}
	samples, err := s.DeadSamples(t.Context(), 1)
	if err != nil || len(samples) != 2 {
		t.Fatal(samples, err)
	}
	if d := cmp.Diff(clickhouse.DeadSample{Topic: "assay.exposures", Reason: "too_old", Shard: 3, Offset: 3, At: at.Add(3 * time.Second), Size: 200, Position: 17, Detail: "a string does not end"}, samples[0]); d != "" {
		t.Error(d)
	}
}

// TestDecisionsBefore: pages of the log, from its end.
func TestDecisionsBefore(t *testing.T) {
	s := newStore(t)
	for range 5 {
		if _, err := s.AppendDecision(t.Context(), clickhouse.Decision{At: time.Now(), Experiment: "e1", Kind: "decided", Actor: "guard", Evidence: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		before uint64
		want   []uint64
	}{{0, []uint64{4, 5}}, {4, []uint64{2, 3}}, {2, []uint64{1}}} {
		page, err := s.Decisions(t.Context(), clickhouse.DecisionFilter{Before: c.before, Limit: 2})
		var got []uint64
		for _, d := range page {
			got = append(got, d.Seq)
		}
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("before %d: %s %v", c.before, d, err)
		}
	}
}
