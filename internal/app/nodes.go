package app

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/internal/doctor"
)

// nodeFindings looks at the nodes and at what each holds; nothing on one server.
func (s *Stack) nodeFindings(ctx context.Context) ([]doctor.Finding, error) {
	nodes := make([]doctor.Node, len(s.Config.ClickHouse.Nodes))
	if len(nodes) == 0 {
		return nil, nil
	}
	index := map[string]*doctor.Node{}
	for i, n := range s.Config.ClickHouse.Nodes {
		nodes[i].Name = n.Name
		index[n.Name] = &nodes[i]
	}
	away := s.DB.AwayNodes(ctx)
	for name, err := range away {
		index[name].Away = err.Error()
	}
	placed, _, err := s.DB.Placements(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range placed {
		n := index[p.Node]
		switch {
		case n == nil:
			return nil, WithHint(fmt.Errorf("shard %d is on node %s, which clickhouse.nodes does not name", p.Shard, p.Node),
				"name all nodes that hold shards, under the names that they had")
		case p.From != "":
			n.Coming = append(n.Coming, p.Shard)
		default:
			n.Placed = append(n.Placed, p.Shard)
		}
	}
	if len(away) > 0 {
		return doctor.CheckNodes(nodes), nil
	}
	held, err := s.DB.NodeShards(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the nodes' shards: %w", err)
	}
	for _, h := range held {
		index[h.Node].Has = h.Shards
	}
	return doctor.CheckNodes(nodes), nil
}
