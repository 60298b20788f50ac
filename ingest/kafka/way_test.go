package kafka

import (
	"slices"
	"sync"
	"testing"
)

// TestWay: every durable part of records is told of once, with its stages in order.
func TestWay(t *testing.T) {
	bubble(t, func(h *harness) {
		var mu sync.Mutex
		var ways []Way
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd(func(c *Config) {
			c.Traced = func(w Way) {
				mu.Lock()
				defer mu.Unlock()
				w.Stages = slices.Clone(w.Stages)
				ways = append(ways, w)
			}
		})
		records := 0
		for _, w := range ways {
			records += w.Records
			var stages []Stage
			for i, s := range w.Stages {
				stages = append(stages, s.Stage)
				if s.Ended.Before(s.Began) || i > 0 && s.Began.Before(w.Stages[i-1].Began) {
					t.Errorf("shard %d, part %d: %+v", w.Shard, w.Seq, w.Stages)
				}
			}
			if !slices.Equal(stages, []Stage{Decode, Join, Encode, Insert, Append}) {
				t.Errorf("shard %d, part %d passed %v", w.Shard, w.Seq, stages)
			}
		}
		if records != len(log) {
			t.Errorf("the ways are of %d records, want %d", records, len(log))
		}
	})
}
