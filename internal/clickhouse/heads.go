package clickhouse

import (
	"context"
	"slices"
)

// HeadsOf is [DB.Heads] of some shards: other nodes than theirs may be away.
func (db *DB) HeadsOf(ctx context.Context, shards []uint16) ([]Head, error) {
	asked := map[*DB]bool{}
	var all []Head
	for _, shard := range shards {
		n, err := db.of(ctx, shard, recent)
		if err != nil {
			return nil, err
		}
		if asked[n] {
			continue
		}
		asked[n] = true
		some, err := n.Heads(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return slices.DeleteFunc(all, func(h Head) bool { return !slices.Contains(shards, h.Shard) }), nil
}
