package results_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/results"
)

// semantics: adopting
func TestTrust(t *testing.T) {
	fresh := noon().Add(2*time.Hour - 3*time.Second)
	tests := map[string]struct {
		change func(*results.Moments, []results.ShardStatus) []results.ShardStatus
		fresh  time.Time
		codes  []string
	}{
		"all is well": {nil, fresh, nil},
		"nobody has said anything": {func(*results.Moments, []results.ShardStatus) []results.ShardStatus { return nil },
			time.Time{}, []string{"no_status", "no_status"}},
		"a shard without a word": {func(_ *results.Moments, s []results.ShardStatus) []results.ShardStatus { return s[:1] },
			time.Time{}, []string{"no_status"}},
		"a word about a part that the look has not seen": {func(_ *results.Moments, s []results.ShardStatus) []results.ShardStatus {
			s[0].Seq = 11
			return s
		}, time.Time{}, []string{"no_status"}},
		"a shard that never had a part": {func(_ *results.Moments, s []results.ShardStatus) []results.ShardStatus {
			return append(s, results.ShardStatus{Shard: 2, Freshness: fresh.Add(time.Second), State: "ok"})
		}, fresh, nil},
		"a shard that stands still": {func(_ *results.Moments, s []results.ShardStatus) []results.ShardStatus {
			s[1].State = "gap"
			return s
		}, fresh, []string{"gap"}},
		"standing still explains the missing word": {func(_ *results.Moments, s []results.ShardStatus) []results.ShardStatus {
			s[0].Seq, s[1].State = 11, "chain"
			return s
		}, time.Time{}, []string{"chain", "no_status"}},
		"a shard at another version": {func(m *results.Moments, s []results.ShardStatus) []results.ShardStatus {
			m.Config[1] = 6
			return s
		}, fresh, []string{"adopting"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, s := moments(), statuses()
			if test.change != nil {
				s = test.change(&m, s)
			}
			d := compute(m, s)
			if !d.Freshness.Equal(test.fresh) {
				t.Errorf("freshness %v, want %v", d.Freshness, test.fresh)
			}
			var codes []string
			for _, trouble := range d.Troubles {
				codes = append(codes, trouble.Code)
			}
			if diff := cmp.Diff(test.codes, codes); diff != "" {
				t.Error("troubles:", diff)
			}
		})
	}
}

// TestSameCounting: a version that counts alike is no trouble.
//
// semantics: adopting
func TestSameCounting(t *testing.T) {
	v, e := ramp()
	m := moments()
	m.Config[1] = 6
	d := results.Compute(v, e, 2, m, statuses(), noon().Add(2*time.Hour), results.Options{
		SameCounting: func(n uint32) bool { return n == 6 }})
	if len(d.Troubles) != 0 {
		t.Errorf("troubles %+v, want none", d.Troubles)
	}
}

// TestMaturity by hand: freshness 13:59:57, less a minute is 13:58:57. Errors
// have a window of 10 min and slots of a minute: the slot must start by
// 13:47:57. Spend has 3 h and slots of an hour: by 09:58:57.
func TestMaturity(t *testing.T) {
	_, e := ramp()
	got := results.Maturity(e, &e.Iterations[1], statuses())
	day := noon().Truncate(24 * time.Hour)
	want := map[string]time.Time{
		"errors": day.Add(13*time.Hour + 47*time.Minute + 57*time.Second + time.Millisecond),
		"spend":  day.Add(9*time.Hour + 58*time.Minute + 57*time.Second + time.Millisecond),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := results.Maturity(e, &e.Iterations[1], nil); len(got) != 0 {
		t.Errorf("without freshness %v has matured", got)
	}
}
