package app

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

func TestShardsRead(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ok := results.ShardStatus{Shard: 0, State: "ok", At: now.Add(-time.Second)}
	for name, c := range map[string]struct {
		statuses []results.ShardStatus
		ready    bool
	}{
		"nobody":            {nil, false},
		"read":              {[]results.ShardStatus{ok}, true},
		"stands still":      {[]results.ShardStatus{ok, {Shard: 1, State: "gap", At: now}}, false},
		"its consumer died": {[]results.ShardStatus{ok, {Shard: 1, State: "ok", At: now.Add(-time.Minute)}}, false},
	} {
		if err := shardsRead(c.statuses, now); (err == nil) != c.ready {
			t.Errorf("%s: %v", name, err)
		}
	}
}
