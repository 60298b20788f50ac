package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// stillAlive is how old the last word of a consumer or guard must be for it to count
// as stopped: each gives one every second.
const stillAlive = 10 * time.Second

// adoptWait bounds the wait for the old consumers to adopt the newest version.
const adoptWait = 30 * time.Second

// GrowOptions say how far to go.
type GrowOptions struct {
	From string // the database that is grown from
	Last bool   // the old consumers and guards have stopped: compare, and close the old database
	Tell func(step string)
}

// Grown is what one pass did.
type Grown struct {
	Copied    uint64                        `json:"copied"`  // events
	Astray    uint64                        `json:"astray"`  // that lay in a wrong partition, and stay behind
	Lacking   uint64                        `json:"lacking"` // records that the old ledger knew to be lost
	Version   uint32                        `json:"version"`
	Vector    map[uint16]uint64             `json:"vector"` // of the old ledger, that was compared
	Cells     uint64                        `json:"cells"`
	Different []clickhouse.GrowthDifference `json:"different,omitempty"`
	Left      []string                      `json:"closed,omitempty"` // iterations from before the floor: only the old database has them
	Decisions uint64                        `json:"decisions"`
	Closed    bool                          `json:"old_database_closed"`
}

// Grow brings the database of this configuration, which has another number of shards,
// to where the old one stands, and compares both. What runs on the old one may go on,
// and Grow be repeated, until it is done for the last time. Events come from the old
// database and not from Kafka: it has those that Kafka has long deleted.
func (s *Stack) Grow(ctx context.Context, opt GrowOptions) (Grown, error) {
	k := s.Config.Kafka
	if k.Shards < 1 {
		return Grown{}, WithHint(errors.New("kafka.shards is not set"), "this configuration is the new one: it says how many shards there are to be, and names a new database")
	}
	old := &Stack{Config: s.Config, Log: s.Log, Code: s.Code, endpoints: s.endpoints}
	old.Config.ClickHouse.Database = opt.From
	defer func() { _ = old.Close() }()
	from, err := old.connect(ctx, s.endpoints.Admin)
	if err != nil {
		return Grown{}, err
	}
	to, err := s.connect(ctx, s.endpoints.Admin)
	if err != nil {
		return Grown{}, err
	}
	g := enlarging{stack: s, opt: opt, from: from}
	if g.Growth, err = clickhouse.NewGrowth(ctx, from, to); err != nil {
		return Grown{}, err
	}
	return g.run(ctx)
}

type enlarging struct {
	*clickhouse.Growth
	stack *Stack
	opt   GrowOptions
	from  *clickhouse.DB
	done  Grown
}

func (g *enlarging) run(ctx context.Context) (Grown, error) {
	if g.opt.Last {
		if err := g.stopped(ctx); err != nil {
			return g.done, err
		}
	}
	g.opt.Tell("wait until all shards of " + g.opt.From + " stand at the newest version")
	marks, err := g.settled(ctx)
	if err != nil {
		return g.done, err
	}
	if err := g.deal(ctx, marks); err != nil {
		return g.done, err
	}
	g.opt.Tell("carry configurations, decisions, looks and what else is not counted")
	if err := g.Carry(ctx); err != nil {
		return g.done, err
	}
	if g.done.Lacking, err = g.CarryLosses(ctx); err != nil {
		return g.done, err
	}
	g.opt.Tell("count")
	consumer, err := g.stack.Consumer(ctx, IngestOptions{UntilEnd: true})
	if err != nil {
		return g.done, err
	}
	if err := consumer.Run(ctx); err != nil {
		return g.done, fmt.Errorf("count: %w", err)
	}
	g.opt.Tell("compare both ledgers")
	if err := g.compare(ctx); err != nil || !g.opt.Last {
		return g.done, err
	}
	if err := g.stopped(ctx); err != nil {
		return g.done, err
	}
	g.opt.Tell("close the old database")
	g.done.Closed = true
	return g.done, g.Close(ctx)
}

// stopped refuses as long as anybody works on the old database.
func (g *enlarging) stopped(ctx context.Context) error {
	statuses, err := g.from.Statuses(ctx)
	if err != nil {
		return err
	}
	beats, err := g.from.Beats(ctx)
	if err != nil {
		return err
	}
	for _, st := range statuses {
		if time.Since(st.At) < stillAlive {
			return WithHint(fmt.Errorf("a consumer of %s gave word of shard %d %v ago", g.opt.From, st.Shard, time.Since(st.At).Round(time.Second)),
				fmt.Sprintf("the last pass is for when the old consumers and guards have been stopped for %v", stillAlive))
		}
	}
	for name, at := range beats {
		if time.Since(at) < stillAlive {
			return WithHint(fmt.Errorf("%s was at work on %s %v ago", name, g.opt.From, time.Since(at).Round(time.Second)),
				fmt.Sprintf("the last pass is for when the old consumers and guards have been stopped for %v", stillAlive))
		}
	}
	return nil
}

// settled are the last marks of the old shards, all under the newest version: two
// ledgers can be compared only if they count by the same.
func (g *enlarging) settled(ctx context.Context) ([]clickhouse.Mark, error) {
	for deadline := time.Now().Add(adoptWait); ; {
		number, err := g.from.VersionNumber(ctx)
		if err != nil {
			return nil, err
		}
		heads, err := g.from.Heads(ctx)
		if err != nil {
			return nil, err
		}
		if len(heads) == 0 {
			return nil, fmt.Errorf("%s has counted nothing yet: begin with the new configuration", g.opt.From)
		}
		marks := make([]clickhouse.Mark, len(heads))
		behind := -1
		for i, h := range heads {
			if marks[i], err = g.from.LastMark(ctx, h.Shard); err != nil {
				return nil, err
			}
			if marks[i].Config != number {
				behind = int(h.Shard)
			}
		}
		if g.done.Version = number; behind < 0 {
			g.done.Vector = map[uint16]uint64{}
			for _, m := range marks {
				g.done.Vector[m.Shard] = m.Seq
			}
			return marks, nil
		}
		if time.Now().After(deadline) {
			return nil, WithHint(fmt.Errorf("shard %d of %s has not adopted version %d", behind, g.opt.From, number),
				"start the old `assay ingest` once more, until it has")
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// dealing is one source topic on its way.
type dealing struct {
	*kafka.Deal
	copied map[int32]int64 // by an earlier pass
	next   map[int32]int64 // what is copied after this one
}

// deal copies what the old shards have counted, and was not copied yet, to the topics
// of the new ones.
func (g *enlarging) deal(ctx context.Context, marks []clickhouse.Mark) error {
	topics, err := g.topics(ctx, marks)
	defer func() {
		for _, d := range topics {
			d.Close()
		}
	}()
	if err != nil {
		return err
	}
	for i, m := range marks {
		g.opt.Tell(fmt.Sprintf("copy the events of old shard %d, %d of %d", m.Shard, i+1, len(marks)))
		if err := g.dealShard(ctx, m, topics); err != nil {
			return fmt.Errorf("copy the events of old shard %d: %w", m.Shard, err)
		}
	}
	for name, d := range topics {
		if err := d.Done(ctx, d.next); err != nil {
			return fmt.Errorf("topic %s: %w", name, err)
		}
		g.done.Copied += d.Sent()
	}
	return nil
}

// topics are the declared topics, which must be those that the old ledger rests on. The
// caller closes them, of an error too.
func (g *enlarging) topics(ctx context.Context, marks []clickhouse.Mark) (map[string]*dealing, error) {
	k := g.stack.Config.Kafka
	client, err := KafkaClient(k)
	if err != nil {
		return nil, err
	}
	declared := make([]string, len(k.Topics))
	for i, t := range k.Topics {
		declared[i] = t.Name
	}
	for _, m := range marks {
		for _, t := range m.Topics {
			if !slices.Contains(declared, t.Name) {
				return nil, WithHint(fmt.Errorf("%s has counted records of topic %s, which is not declared", g.opt.From, t.Name),
					"the new configuration declares the same topics; a ledger of copies, whose topics were keyed anew already, cannot be grown")
			}
		}
	}
	out := map[string]*dealing{}
	for _, name := range declared {
		d, fresh, err := kafka.NewDeal(ctx, kafka.DealConfig{Brokers: g.stack.Brokers, Client: client, Topic: name,
			Target: kafka.ShardTopic(name, k.Shards), Group: rekeyGroup(k.Group), Shards: k.Shards})
		if err != nil {
			return out, err
		}
		out[name] = &dealing{Deal: d, next: map[int32]int64{}}
		if fresh { // whatever was committed, nothing is copied
			continue
		}
		if out[name].copied, err = d.Copied(ctx); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (g *enlarging) dealShard(ctx context.Context, m clickhouse.Mark, topics map[string]*dealing) error {
	shard, next := int32(m.Shard), map[string]int64{}
	var names []string
	for _, t := range m.Topics {
		next[t.Name] = t.Next
		names = append(names, t.Name)
		topics[t.Name].next[shard] = max(t.Next, topics[t.Name].copied[shard])
	}
	slices.Sort(names)
	return g.from.EventsBelow(ctx, m.Shard, next, func(e *ingest.Event) error {
		to := topics[names[e.Place.Topic]]
		switch {
		case e.Place.Offset < to.copied[shard]:
			return nil
		case e.Misplaced: // it took no part in anything, and must not begin to
			g.done.Astray++
			return nil
		}
		return to.Send(ctx, e, shard)
	})
}

// compare holds the new ledger against the old one, at the position that was copied to.
func (g *enlarging) compare(ctx context.Context) error {
	v, err := g.stack.DB.Version(ctx)
	if err != nil {
		return err
	}
	if v.Number != g.done.Version {
		return WithHint(fmt.Errorf("version %d was applied meanwhile", v.Number), "do the same again")
	}
	old := map[string]bool{}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		for j := range e.Iterations {
			if it := &e.Iterations[j]; v.Closed(e, it) {
				name := fmt.Sprintf("%s iteration %d", e.Key, it.Number)
				old[name] = true
				g.done.Left = append(g.done.Left, name)
			}
		}
	}
	g.done.Cells, g.done.Different, err = g.Compare(ctx, g.done.Vector, func(experiment string, iteration uint32) bool {
		return old[fmt.Sprintf("%s iteration %d", experiment, iteration)]
	})
	if err != nil {
		return err
	}
	chain, err := g.stack.DB.VerifyDecisions(ctx, "")
	if err != nil {
		return fmt.Errorf("the decision log that was carried: %w", err)
	}
	g.done.Decisions = chain.Decisions
	if n := len(g.done.Different); n > 0 {
		return fmt.Errorf("%d sums differ, the first is of %s: %s in %s, %s in the new one", n, g.done.Different[0].Cell, g.done.Different[0].Old, g.opt.From, g.done.Different[0].New)
	}
	return nil
}
