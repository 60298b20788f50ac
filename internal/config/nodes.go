package config

import (
	"errors"
	"fmt"
	"regexp"
)

// plainName is what can stand in a statement as it is.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// check refuses servers that cannot work together.
func (c ClickHouse) check() error {
	if c.Replicated && len(c.Addresses) != 1 {
		return errors.New("clickhouse.replicated: addresses must have one address: what waits for a replica must read from the same one")
	}
	if len(c.Nodes) == 0 {
		return nil
	}
	switch {
	case len(c.Addresses) == 0:
		return errors.New("clickhouse.nodes: addresses must name the server that decisions and configurations are on")
	case len(c.Nodes) == 1:
		return errors.New("clickhouse.nodes: one node is no more than the server itself: name two or none")
	case !plainName.MatchString(c.Cluster):
		return fmt.Errorf("clickhouse.cluster: %q is no name", c.Cluster)
	}
	seen := map[string]bool{}
	for i, n := range c.Nodes {
		switch {
		case !plainName.MatchString(n.Name) || seen[n.Name]:
			return fmt.Errorf("clickhouse.nodes[%d]: the name %q is no name or there twice", i, n.Name)
		case len(n.Addresses) == 0:
			return fmt.Errorf("clickhouse.nodes[%d]: addresses is missing", i)
		case c.Replicated && len(n.Addresses) != 1:
			return fmt.Errorf("clickhouse.nodes[%d]: with clickhouse.replicated a node has one address: what waits for a replica must read from the same one", i)
		}
		seen[n.Name] = true
	}
	return nil
}
