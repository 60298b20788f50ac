package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func (h *harness) grouped() Config {
	cfg := h.config()
	cfg.Group = "assay"
	return cfg
}

// shards is how many of them a consumer has now.
func (c *consumer) shards() int { return len(c.running.owned()) }

func TestGroupSharesTheShards(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 100)
		a := h.run(h.grouped())
		h.produce(log)
		h.awaitSums(log)
		if n := a.shards(); n != shards {
			t.Fatalf("the only member has %d shards", n)
		}

		b := h.run(h.grouped())
		h.await("two shards each", func() bool { return a.shards() == 2 && b.shards() == 2 })
		more := traffic(100, 100)
		h.produce(more)
		log = append(log, more...)
		h.awaitSums(log)

		a.stop()
		h.await("the other one takes over", func() bool { return b.shards() == shards })
		more = traffic(200, 100)
		h.produce(more)
		log = append(log, more...)
		h.awaitSums(log)
		b.stop()
		h.wantSums(log)
	})
}

// Members come and go while records arrive.
func TestRebalancesUnderTraffic(t *testing.T) {
	bubble(t, func(h *harness) {
		var log []event
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 60 {
				part := traffic(i*10, 10)
				h.produce(part)
				log = append(log, part...)
				<-time.After(500 * time.Millisecond)
			}
		})
		members := []*consumer{h.run(h.grouped())}
		for range 3 {
			<-time.After(3 * time.Second)
			members = append(members, h.run(h.grouped()))
			<-time.After(3 * time.Second)
			members[0].stop()
			members = members[1:]
		}
		wg.Wait()
		h.awaitSums(log)
		for _, m := range members {
			m.stop()
		}
		h.wantSums(log)
	})
}

// noLag asks Kafka how far the group is behind, by what it has committed.
func (h *harness) noLag() bool {
	lags, err := h.admin.Lag(h.Context(), "assay")
	if err != nil {
		h.Fatal(err)
	}
	lag := lags["assay"].Lag
	return lag[exposures] != nil && lag[outcomes] != nil && lag.Total() == 0
}

// A committed offset never passes a record whose effect is not durable.
func TestLagCommitsStayBehindTheLedger(t *testing.T) {
	bubble(t, func(h *harness) {
		c := h.run(h.grouped())
		log := traffic(0, 100)
		ahead := func() (problems []string) {
			committed, err := h.admin.FetchOffsets(h.Context(), "assay")
			if err != nil {
				h.Fatal(err)
			}
			for s := range uint16(shards) {
				h.store.mu.Lock()
				mark := h.store.lastMark(s)
				h.store.mu.Unlock()
				for _, topic := range []string{exposures, outcomes} {
					var next int64
					if left := markOf(mark, topic); left != nil {
						next = left.Next
					}
					if got, ok := committed.Lookup(topic, int32(s)); ok && got.At > next {
						problems = append(problems, fmt.Sprintf("%s/%d: committed %d, durable %d", topic, s, got.At, next))
					}
				}
			}
			return problems
		}
		for i := range 20 {
			h.produce(log[i*5 : i*5+5])
			<-time.After(300 * time.Millisecond)
			if p := ahead(); p != nil {
				t.Fatal(p)
			}
		}
		h.awaitSums(log[:100])
		h.await("lag is zero in Kafka", h.noLag)
		c.stop()
	})
}

// cable is a member's network: it can be pulled out, which to the others looks as
// if the member had died.
type cable struct {
	h     *harness
	mu    sync.Mutex
	conns []net.Conn
	out   bool
}

func (c *cable) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		return nil, errors.New("no network")
	}
	conn, err := c.h.net.DialContext(ctx, network, addr)
	c.conns = append(c.conns, conn)
	return conn, err
}

func (c *cable) set(out bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = out
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

// Shards of a member that died are counted again long before they are stale: at
// the default of 60 s their experiments would be blind.
func TestDeadMemberIsReplaced(t *testing.T) {
	bubble(t, func(h *harness) {
		a := h.run(h.grouped())
		wire := &cable{h: h}
		cfg := h.grouped()
		cfg.Client = append(cfg.Client, kgo.Dialer(wire.dial))
		b := h.run(cfg)
		h.await("two shards each", func() bool { return a.shards() == 2 && b.shards() == 2 })
		wire.set(true)
		died := time.Now()
		h.await("the other one takes over", func() bool { return a.shards() == shards })
		if took := time.Since(died); took > 15*time.Second {
			t.Errorf("a dead member's shards were taken over after %v", took)
		}
		wire.set(false)
		log := traffic(0, 100)
		h.produce(log)
		h.awaitSums(log)
		a.stop()
		b.stop()
		h.wantSums(log)
	})
}
