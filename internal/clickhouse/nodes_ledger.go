package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/results"
)

// appender is who takes a part. The first part of a shard is the one that a node would
// take that does not hold it any more, so where it belongs is asked for anew.
func (db *DB) appender(ctx context.Context, part ingest.Part) (*DB, error) {
	if db.spread() && part.Seq == 1 {
		if _, err := db.of(ctx, part.Shard, 0); err != nil {
			return nil, err
		}
	}
	return db.holder(ctx, part.Shard)
}

// lastMark asks the node of a shard. A move takes the shard's parts away only after it
// has said so: what was read from a node that still has the shard afterwards was all.
func (db *DB) lastMark(ctx context.Context, shard uint16) (Mark, error) {
	node, err := db.of(ctx, shard, 0)
	if err != nil {
		return Mark{}, err
	}
	for {
		m, err := node.LastMark(ctx, shard)
		if err != nil {
			return Mark{}, fmt.Errorf("node %s: %w", node.name, err)
		}
		still, err := db.of(ctx, shard, 0)
		if err != nil {
			return Mark{}, err
		}
		if still == node {
			return m, db.completePartitions(ctx, &m)
		}
		node = still
	}
}

// completePartitions asks the others, when the node has no part yet.
func (db *DB) completePartitions(ctx context.Context, m *Mark) (err error) {
	if m.Partitions == 0 {
		m.Partitions, err = db.partitions(ctx)
	}
	return err
}

// CheckChainOf is [DB.CheckChain] of some shards: other nodes than theirs may be away.
func (db *DB) CheckChainOf(ctx context.Context, shards []uint16) ([]ChainFault, error) {
	if len(shards) == 0 {
		return nil, nil
	}
	nodes := map[*DB]bool{}
	for _, shard := range shards {
		n, err := db.of(ctx, shard, recent)
		if err != nil {
			return nil, err
		}
		nodes[n] = true
	}
	var all []ChainFault
	for n := range nodes {
		some, err := n.CheckChain(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return slices.DeleteFunc(all, func(f ChainFault) bool { return !slices.Contains(shards, f.Shard) }), nil
}

// onTwo says that a shard has parts on two nodes, whose sums would be added.
func onTwo(shard uint16, nodes ...string) error {
	return fmt.Errorf("shard %d has parts on %v: `assay doctor` says what to do", shard, nodes)
}

// owners remembers which node named a shard.
type owners map[uint16]string

func (o owners) take(n *DB, vector map[uint16]uint64) error {
	for shard := range vector {
		if other, taken := o[shard]; taken {
			return onTwo(shard, other, n.name)
		}
		o[shard] = n.name
	}
	return nil
}

// together are the moments of all nodes: each shard is on one of them, so the sums of a
// cell add up.
func together(nodes []*DB, all []results.Moments) (results.Moments, error) {
	out := results.Moments{Vector: map[uint16]uint64{}, Config: map[uint16]uint32{}}
	at, has := map[cellOf]int{}, owners{}
	for i, m := range all {
		if err := has.take(nodes[i], m.Vector); err != nil {
			return out, err
		}
		maps.Copy(out.Vector, m.Vector)
		maps.Copy(out.Config, m.Config)
		for j := range m.Cells {
			c := &m.Cells[j]
			k, known := at[keyOf(c)]
			if !known {
				at[keyOf(c)] = len(out.Cells)
				out.Cells = append(out.Cells, *c)
				continue
			}
			into := &out.Cells[k]
			into.Open, into.Matured = into.Open.Plus(c.Open), into.Matured.Plus(c.Matured)
			if c.Newest.After(into.Newest) {
				into.Newest = c.Newest
			}
		}
	}
	return out, nil
}

// joined is the standing of all nodes.
func joined(nodes []*DB, all []*standing) (*standing, error) {
	out, has := all[0], owners{}
	for i, s := range all {
		if err := has.take(nodes[i], s.vector); err != nil {
			return nil, err
		}
		if i > 0 {
			out.join(s)
		}
	}
	return out, nil
}

// join adds the sums of other shards.
func (s *standing) join(o *standing) {
	maps.Copy(s.vector, o.vector)
	maps.Copy(s.config, o.config)
	maps.Copy(s.attempts, o.attempts)
	for i := range o.cells {
		from := &o.cells[i]
		into := s.cell(&from.Cell)
		into.Open, into.Matured = into.Open.Plus(from.Open), into.Matured.Plus(from.Matured)
		into.ripening = into.ripening.Plus(from.ripening)
		if from.Newest.After(into.Newest) {
			into.Newest = from.Newest
		}
	}
}

// appendedOf is what the parts of all nodes add.
func appendedOf(all []appended) appended {
	out := appended{marks: map[uint16][]placed{}}
	for _, a := range all {
		out.deltas = append(out.deltas, a.deltas...)
		for shard, marks := range a.marks {
			out.marks[shard] = append(out.marks[shard], marks...)
		}
	}
	return out
}

// NodeShards are the shards that a node has parts of.
type NodeShards struct {
	Node   string
	Shards []uint16
}

// NodeShards asks every node which shards it has parts of.
func (db *DB) NodeShards(ctx context.Context) ([]NodeShards, error) {
	return onEach(ctx, db.nodes, func(ctx context.Context, n *DB) (NodeShards, error) {
		shards, err := n.shards(ctx)
		return NodeShards{n.name, shards}, err
	})
}
