package e2e

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestChaosGroup lets a group of one consumer grow to eight and shrink to three
// while records flow. Some leave gently and some with -9; one is stopped for
// longer than its session and comes back when others have its shards.
func TestChaosGroup(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	for round := range rounds() {
		t.Run(fmt.Sprint("round ", round+1), func(t *testing.T) {
			c := newChaos(t, seed+uint64(round), setting{partitions: 8})
			began := time.Now()
			c.group(8, 3)
			c.settle()
			c.report(began)
		})
	}
}

// session is how long a silent member keeps its shards, and a little.
const session = 7 * time.Second

func (c *chaos) group(most, least int) {
	c.t.Helper()
	r := c.rand(20)
	stop := c.traffic(21)
	members := []*process{c.member()}
	c.abreast()
	for len(members) < most {
		<-time.After(time.Duration(r.IntN(300)) * time.Millisecond)
		members = append(members, c.member())
	}
	c.abreast()
	frozen := members[len(members)-1]
	frozen.signal(syscall.SIGSTOP)
	asleep := time.Now()
	var leaving errgroup.Group
	for i := range most - least {
		p := members[i]
		<-time.After(time.Duration(r.IntN(500)) * time.Millisecond)
		if i%2 == 0 {
			p.kill()
			c.hit("as a member of a group")
			continue
		}
		leaving.Go(func() error { p.stop(); return nil })
		c.add("consumers that left a group", 1)
	}
	_ = leaving.Wait() // stop reports for itself
	<-time.After(session - min(session, time.Since(asleep)))
	frozen.signal(syscall.SIGCONT)
	c.add("consumers stopped beyond their session", 1)
	c.abreast()
	stop()
	for _, p := range members[most-least:] {
		p.kill()
		c.hit("as a member of a group")
	}
}

func (c *chaos) member() *process { return c.start("--config", "member.yaml", "ingest") }
