package doctor

import (
	"fmt"
	"slices"
)

// Node is one of several servers that hold the shards.
type Node struct {
	Name   string
	Away   string   // why it does not answer; empty: it does
	Has    []uint16 // shards that it has parts of
	Placed []uint16 // shards that it is written down for
	Coming []uint16 // shards that are being moved to it
}

// CheckNodes looks at where the shards are. Without nodes there is nothing to find.
func CheckNodes(nodes []Node) []Finding {
	var out []Finding
	for _, n := range nodes {
		name := "node " + n.Name
		if n.Away != "" {
			out = append(out, Finding{Fault, Nodes, name, "it does not answer: " + n.Away,
				"start it, or mend its addresses in clickhouse.nodes; every result is blind until then, and consumers of its shards wait"})
			continue
		}
		before := len(out)
		if strays := without(n.Has, slices.Concat(n.Placed, n.Coming)); len(strays) > 0 {
			out = append(out, Finding{Fault, Nodes, name, fmt.Sprintf("it has parts of shards %v, which are on other nodes", strays),
				"find out who wrote them; results are refused while a shard has parts on two nodes"})
		}
		if lost := without(n.Placed, n.Has); len(lost) > 0 {
			out = append(out, Finding{Warn, Nodes, name, fmt.Sprintf("it has no part of shards %v, which are written down for it", lost),
				"a shard that was just begun has none for a moment; otherwise restore the node's tables"})
		}
		if len(n.Coming) > 0 {
			out = append(out, Finding{Warn, Nodes, name, fmt.Sprintf("shards %v are being moved to it", n.Coming),
				"results are blind meanwhile; if nobody is at it, run `assay move` again, which goes on where it stopped"})
		}
		if len(out) == before {
			out = append(out, Finding{OK, Nodes, name, fmt.Sprintf("it answers and has %d shards", len(n.Has)), ""})
		}
	}
	return out
}

func without(all, some []uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(all), func(s uint16) bool { return slices.Contains(some, s) })
}
