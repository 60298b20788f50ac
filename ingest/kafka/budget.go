package kafka

import "sync"

// budget divides the memory for state over the shards of a process by need.
type budget struct {
	limit int64 // 0: none
	mu    sync.Mutex
	used  map[uint16]int64
}

func newBudget(limit int64) *budget { return &budget{limit: limit, used: map[uint16]int64{}} }

// share notes what a shard uses and returns what it may use. While there is
// enough for all, that is more than it has. When there is not, those that need
// less than an equal part keep it, and the others share the rest equally.
func (b *budget) share(shard uint16, bytes int64) int64 {
	if b.limit == 0 {
		return bytes
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used[shard] = bytes
	total := int64(0)
	for _, n := range b.used {
		total += n
	}
	if total <= b.limit {
		return bytes + b.limit - total
	}
	return b.level()
}

// mayFilter tells whether a shard's state, which is only a filter yet, may grow: it is
// not to take a quarter of what the shard may use.
func (b *budget) mayFilter(shard uint16, bytes int64) bool {
	return b.limit == 0 || bytes < b.share(shard, bytes)/4
}

// level is the most that one shard may use, so that all together stay within the
// limit.
func (b *budget) level() int64 {
	level := b.limit / int64(len(b.used))
	for {
		rest, above := b.limit, int64(0)
		for _, n := range b.used {
			if n > level {
				above++
			} else {
				rest -= n
			}
		}
		if above == 0 || rest/above <= level {
			return level
		}
		level = rest / above
	}
}

// forget frees what a shard used that is no longer here.
func (b *budget) forget(shard uint16) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.used, shard)
}
