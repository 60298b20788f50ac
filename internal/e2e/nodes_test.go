package e2e

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNodes: three consumers of a group write to two engines that share the shards,
// while records flow. A consumer is killed and comes back; so does an engine, once at
// once and once after it was away for a while, in which no command shows a number. At
// the end the ledger is what a count of the log says, bit for bit.
func TestNodes(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	c := newChaos(t, seed, setting{partitions: 6, nodes: 2})
	stop := c.traffic(31)
	members := []*process{c.member(), c.member(), c.member()}
	c.abreast()
	for i, engine := range c.servers.Engines {
		if n := ask[uint64](c.world, "SELECT uniqExact(shard) FROM DB.ledger WHERE _shard_num = "+strconv.Itoa(i+1)); n != 3 {
			t.Errorf("engine %s has %d shards", engine.Addr(), n)
		}
	}

	members[0].kill()
	members[0] = c.member()
	if err := syscall.Kill(c.servers.Engines[1].Pid(), syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	c.abreast()

	c.servers.Stop(t, 1)
	c.blindWithout("n1")
	c.servers.Start(t, 1)
	c.abreast()

	stop()
	for _, p := range members {
		p.stop()
	}
	c.settle()
	t.Logf("%d records, %d cells", c.records, c.cells)
}

// blindWithout: no command shows what the other nodes have, and each says which one is
// away.
func (c *chaos) blindWithout(node string) {
	c.t.Helper()
	for _, args := range [][]string{{"analyze", "alpha"}, {"verify"}, {"doctor"}} {
		began := time.Now()
		out, text, code := c.try(args...)
		said := out + text
		if code != 1 || !strings.Contains(said, node) && !strings.Contains(said, "does not answer") {
			c.t.Errorf("%v without %s: exit code %d after %v\n%s", args, node, code, time.Since(began), said)
		}
	}
}

// TestGrowNodes is the procedure of docs/operations.md, from one server to three, with
// its commands: consumers stop for as long as the old server's parts change hands, and
// run on while shards move.
func TestGrowNodes(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	c := newChaos(t, seed, setting{partitions: 4, nodes: 3, alone: true})
	stop := c.traffic(41)
	before := c.member()
	c.abreast()
	before.stop()

	c.alone = false
	c.configure()
	c.configureConsumers()
	c.assay("--config", "admin.yaml", "migrate", "--adopt", "n0")
	members := []*process{c.member(), c.member(), c.member()}
	c.abreast()
	c.assay("--config", "admin.yaml", "move", "1", "--to", "n1")
	c.assay("--config", "admin.yaml", "move", "2", "3", "--to", "n2")
	c.abreast()
	members[0].kill()
	c.assay("--config", "admin.yaml", "move", "3", "--to", "n0")
	c.abreast()

	out, text, _ := c.try("doctor")
	for _, want := range []string{"n0 it answers and has 2 shards", "n1 it answers and has 1 shards", "n2 it answers and has 1 shards"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("doctor does not say %q:\n%s%s", want, out, text)
		}
	}
	stop()
	for _, p := range members[1:] {
		p.stop()
	}
	c.settle()
	t.Logf("%d records, %d cells", c.records, c.cells)
}
