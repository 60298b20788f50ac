package watch

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// counting counts what a guard asks and stores.
type counting struct {
	*guard
	looks, stored atomic.Int64
}

func (c *counting) Moments(ctx context.Context, q []Query) (results.Moments, error) {
	c.looks.Add(1)
	return c.guard.Moments(ctx, q)
}

func (c *counting) Store(ctx context.Context, looks []*Look) error {
	c.stored.Add(int64(len(looks)))
	return c.guard.Store(ctx, looks)
}

func (c *counting) take() (looks, stored int64) { return c.looks.Swap(0), c.stored.Swap(0) }

// TestOneLeads: of three guards one looks four times a second and stores what it sees; the
// others look once a second. When it is gone, or its loop is stuck, the next one leads
// within five seconds; nobody misses a look meanwhile.
func TestOneLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.stepwise = true
		w.setCells(5000, 250, 5000, 250)
		var all sync.WaitGroup
		begin := func(name string) (c *counting, ledger *stuck, stop context.CancelFunc) {
			c = &counting{guard: &guard{world: w, t: t}}
			ledger = &stuck{Ledger: c}
			parts := c.parts()
			parts.Ledger, parts.Looks, parts.Presence = ledger, c, c
			g, err := New(Config{Instance: name}, parts)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			all.Go(func() {
				if err := g.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			return c, ledger, stop
		}
		a, _, stopA := begin("a")
		b, hangB, stopB := begin("b")
		c, _, stopC := begin("c")
		defer all.Wait()
		defer stopC()
		defer stopB()
		want := func(when string, leader *counting, others ...*counting) {
			t.Helper()
			for _, g := range append(others, leader) {
				g.take()
			}
			pass(60 * time.Second)
			if looks, stored := leader.take(); looks < 200 || stored < 50 {
				t.Errorf("%s: the leader looked %d times a minute and stored %d looks", when, looks, stored)
			}
			for _, g := range others {
				if looks, stored := g.take(); looks < 50 || looks > 62 || stored > 0 {
					t.Errorf("%s: who follows looked %d times a minute and stored %d looks", when, looks, stored)
				}
			}
		}
		pass(5 * time.Second)
		want("three", a, b, c)
		stopA()
		pass(5 * time.Second)
		want("the first is gone", b, c)
		hangs := make(chan struct{})
		hangB.set(nil, hangs)
		pass(readyFor + 5*time.Second)
		want("the second is stuck", c)
		close(hangs)
	})
}
