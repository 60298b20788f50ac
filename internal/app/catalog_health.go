package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
)

const (
	// healthEvery is how old the state of the data may be that a reader is shown, and
	// accountsEvery what takes a look at the whole ledger or at all dead letters.
	healthEvery   = time.Second
	accountsEvery = 10 * time.Second
	// deadSamples is how many dead letters of each topic and reason are shown.
	deadSamples = 5
)

// healthCache holds what was found last: its lock is held by who looks.
type healthCache struct {
	mu       sync.Mutex
	at       time.Time
	slowAt   time.Time
	accounts catalog.Health // what is looked for more seldom
	newest   catalog.Health

	gapsMu sync.Mutex
	gapsAt time.Time
	gaps   []clickhouse.Gap
}

// Health is whether the data can be trusted.
func (c *Catalog) Health(ctx context.Context) (catalog.Health, error) {
	if err := c.wait(ctx); err != nil {
		return catalog.Health{}, err
	}
	h := &c.health
	h.mu.Lock()
	defer h.mu.Unlock()
	now := c.now().UTC()
	if !h.at.IsZero() && now.Sub(h.at) < healthEvery {
		return h.newest, nil
	}
	if h.slowAt.IsZero() || now.Sub(h.slowAt) >= accountsEvery {
		if err := c.account(ctx, now, &h.accounts); err != nil {
			return catalog.Health{}, err
		}
		h.slowAt = now
	}
	statuses, err := c.stack.DB.Statuses(ctx)
	if err != nil {
		return catalog.Health{}, fmt.Errorf("read the shards' statuses: %w", err)
	}
	out := h.accounts
	out.At, out.Shards = now, make([]catalog.Shard, len(statuses))
	for i, s := range statuses {
		out.Shards[i] = catalog.ShardOf(s, now)
	}
	out.Placebos = c.placebos()
	out.Judge()
	h.newest, h.at = out, now
	return out, nil
}

// account reads what became of every offset, and what could not be read.
func (c *Catalog) account(ctx context.Context, now time.Time, out *catalog.Health) error {
	rows, err := c.stack.DB.Reconcile(ctx)
	if err != nil {
		return fmt.Errorf("reconcile the offsets: %w", err)
	}
	sums := accountsOf(rows)
	r := catalog.Reconciliation{Difference: sums.difference, Records: sums.events, Partitions: make([]catalog.Partition, len(rows))}
	for i, p := range rows {
		r.Partitions[i] = catalog.Partition{Topic: p.Topic, Shard: p.Shard, From: p.From, Next: p.Next,
			Accepted: p.Accepted, Duplicate: p.Duplicate, Dead: p.Dead, Misplaced: p.Misplaced, Difference: unaccounted(&p)}
	}
	dead, err := c.deadLetters(ctx)
	if err != nil {
		return err
	}
	gaps, err := c.gaps(ctx)
	if err != nil {
		return err
	}
	unknown, err := c.stack.DB.UnknownExperiments(ctx)
	if err != nil {
		return fmt.Errorf("list the unknown experiments: %w", err)
	}
	*out = catalog.Health{At: now, Reconciliation: r, DeadLetters: dead, Gaps: []catalog.Gap{}, Unknown: []catalog.Unknown{}}
	for _, g := range gaps {
		told := results.Gap{Kind: string(g.Kind), Topic: g.Topic, Partition: g.Shard, Records: g.Records, AcceptedAt: g.AcceptedAt}
		out.Gaps = append(out.Gaps, catalog.Gap{Gap: told, Text: catalog.GapText(told, c.zone), Since: g.Since, Until: g.Until})
	}
	for _, u := range unknown {
		out.Unknown = append(out.Unknown, catalog.Unknown{Experiment: u.Key, Exposures: u.Exposures, Last: u.Last})
	}
	return nil
}

func (c *Catalog) deadLetters(ctx context.Context) ([]catalog.DeadLetters, error) {
	counts, err := c.stack.DB.DeadCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count the dead letters: %w", err)
	}
	samples, err := c.stack.DB.DeadSamples(ctx, deadSamples)
	if err != nil {
		return nil, fmt.Errorf("read the newest dead letters: %w", err)
	}
	out := make([]catalog.DeadLetters, len(counts))
	for i, n := range counts {
		out[i] = catalog.DeadLetters{Topic: n.Topic, Reason: n.Reason, Count: n.Records, First: n.First, Last: n.Last, Samples: []catalog.DeadLetter{}}
		for _, s := range samples {
			if s.Topic == n.Topic && s.Reason == n.Reason {
				out[i].Samples = append(out[i].Samples, catalog.DeadLetter{Shard: s.Shard, Offset: s.Offset, At: s.At, Size: s.Size, Position: s.Position, Detail: s.Detail})
			}
		}
	}
	return out, nil
}

// placebos are those of all experiments that have one.
func (c *Catalog) placebos() []catalog.Placebo {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := []catalog.Placebo{}
	for _, key := range slices.Sorted(maps.Keys(c.shelves)) {
		if p := c.shelves[key].placebo; p != nil {
			out = append(out, catalog.PlaceboOf(p))
		}
	}
	return out
}

// gaps are all that is known to be lost, as of a few seconds ago.
func (c *Catalog) gaps(ctx context.Context) ([]clickhouse.Gap, error) {
	h := &c.health
	h.gapsMu.Lock()
	defer h.gapsMu.Unlock()
	now := c.now()
	if !h.gapsAt.IsZero() && now.Sub(h.gapsAt) < accountsEvery {
		return h.gaps, nil
	}
	gaps, err := c.stack.DB.Gaps(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the gaps: %w", err)
	}
	h.gaps, h.gapsAt = gaps, now
	return gaps, nil
}
