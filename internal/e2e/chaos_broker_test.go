package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/realkafka"
)

// TestBrokerOne attacks on an Apache Kafka of one broker, which is killed, too.
// All of it happens to one log and one ledger, which must agree after each step.
func TestBrokerOne(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	for round := range rounds() {
		t.Run(fmt.Sprint("round ", round+1), func(t *testing.T) {
			c := newChaos(t, seed+uint64(round), setting{partitions: 4, own: true, cluster: realkafka.For(t, 1)})
			began := time.Now()
			c.attack([]attack{
				{"kills at some steps", c.someSteps},
				{"a group", func() { c.group(3, 1) }},
				{"broker killed", func() { c.brokersEnd(c.often(1, 4), c.cluster.Kill) }},
				{"transactions", c.transactions},
				{"deleted below the watermark", c.deletedBelow},
				{"deleted above the watermark", c.deletedAbove},
				{"compacted", c.compacted},
			})
			c.report(began)
		})
	}
}

// TestBrokerThree attacks on three brokers: leaders are killed and stopped while
// consumers are killed.
func TestBrokerThree(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	for round := range rounds() {
		t.Run(fmt.Sprint("round ", round+1), func(t *testing.T) {
			c := newChaos(t, seed+uint64(round), setting{partitions: 4, own: true, cluster: realkafka.For(t, 3)})
			began := time.Now()
			c.attack([]attack{
				{"leaders killed", func() { c.brokersEnd(c.often(2, 8), c.cluster.Kill) }},
				{"a leader leaves gently", func() { c.brokersEnd(1, c.cluster.Stop) }},
				{"a leader stands still", c.leaderFrozen},
			})
			c.report(began)
		})
	}
}

// attack is a named part of a chaos.
type attack struct {
	name string
	do   func()
}

// attack does one after the other, each a test of its own with an exact end.
func (c *chaos) attack(all []attack) {
	for _, a := range all {
		c.t.Run(a.name, func(t *testing.T) {
			old := c.t
			c.t = t
			defer func() { c.t = old }()
			a.do()
			c.settle()
		})
	}
}

// someSteps kills at points of the protocol, in the long form at all.
func (c *chaos) someSteps() {
	steps := append(protocol(), pauses()...)
	c.rand(30).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	stop := c.traffic(31)
	c.lanes(2, steps[:c.often(8, len(steps))])
	stop()
}

// brokersEnd ends one broker after the other, that which leads a partition, and
// brings it back, while consumers are killed.
func (c *chaos) brokersEnd(times int, end func(id int)) {
	for i := range times {
		c.beside(uint64(40+i), c.often(3, 8), func() {
			id := c.leader()
			end(id)
			c.add("brokers ended", 1)
			if c.cluster.Brokers() > 1 { // the others go on without it
				await(c.t, time.Minute, says("another broker leads"), func() bool { return c.leader() != id })
			}
			if err := c.cluster.Restart(id); err != nil {
				c.t.Error(err)
			}
			c.together()
		})
	}
}

// leaderFrozen stops a broker as it stands for longer than its session.
func (c *chaos) leaderFrozen() {
	c.beside(50, c.often(3, 8), func() {
		id := c.leader()
		c.cluster.Freeze(id)
		defer c.cluster.Thaw(id)
		c.add("brokers that stood still", 1)
		await(c.t, time.Minute, says("another broker leads"), func() bool { return c.leader() != id })
	})
	c.together()
}

func (c *chaos) together() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	if err := c.cluster.Await(ctx); err != nil {
		c.t.Error(err)
	}
}

// leader is the broker that leads partition 0 of the exposures; 0: none does.
func (c *chaos) leader() int {
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Second)
	defer cancel()
	topics, err := c.admin.ListTopics(ctx, exposures)
	if err != nil {
		return 0
	}
	return max(0, int(topics[exposures].Partitions[0].Leader))
}

// transactions commits some and aborts others. What was aborted is no record, and
// nor are the marks at their ends.
func (c *chaos) transactions() {
	tx, err := kgo.NewClient(kgo.SeedBrokers(c.world.brokers...), kgo.TransactionalID("assay-chaos"),
		kgo.RecordPartitioner(chosen{kgo.StickyKeyPartitioner(nil)}))
	if err != nil {
		c.t.Fatal(err)
	}
	defer tx.Close()
	before := ask[uint64](c.world, "SELECT sum(arraySum(norecord)) FROM DB.ledger WHERE mark = 1")
	b := &babble{Rand: c.rand(60), units: 1500, until: time.Now().UnixMilli()}
	reader := c.start("--config", "victim.yaml", "ingest")
	aborted := 0
	for i := range 12 {
		records := b.batch(40)
		for _, r := range records {
			r.Timestamp = time.Now()
		}
		if err := tx.BeginTransaction(); err != nil {
			c.t.Fatal(err)
		}
		if err := tx.ProduceSync(c.t.Context(), records...).FirstErr(); err != nil {
			c.t.Fatal(err)
		}
		end := kgo.TryCommit
		if i%3 == 1 {
			end, aborted = kgo.TryAbort, aborted+len(records)
		} else {
			c.log = append(c.log, records...)
		}
		if err := tx.EndTransaction(c.t.Context(), end); err != nil {
			c.t.Fatal(err)
		}
	}
	reader.kill()
	c.hit("at random")
	c.assay("ingest", "--until-end")
	if n := ask[uint64](c.world, "SELECT sum(arraySum(norecord)) FROM DB.ledger WHERE mark = 1") - before; n <= uint64(aborted) {
		c.t.Errorf("%d offsets without a record, want the %d that were aborted and the marks", n, aborted)
	}
	c.add("transactions aborted", 4)
}

// deletedBelow takes everything from Kafka that was counted.
func (c *chaos) deletedBelow() {
	c.forget()
	c.produce((&babble{Rand: c.rand(70), units: 1500, until: time.Now().UnixMilli()}).batch(400)...)
}

// deletedAbove takes records that nobody has read. The shards stop and say so,
// nothing is counted until somebody accepts the loss, and then all but that.
func (c *chaos) deletedAbove() {
	b := &babble{Rand: c.rand(80), units: 1500, until: time.Now().UnixMilli()}
	whole := slices.Clone(c.log)
	c.produce(b.batch(300)...)
	lost := len(c.log) - len(whole)
	ends, err := c.admin.ListEndOffsets(c.t.Context(), exposures, outcomes)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.admin.DeleteRecords(c.t.Context(), ends.Offsets()); err != nil {
		c.t.Fatal(err)
	}
	c.log = whole
	c.produce(b.batch(300)...)
	before := ask[uint64](c.world, "SELECT count() FROM DB.ledger WHERE mark = 1")
	if _, text, code := c.try("ingest", "--until-end"); code == 0 || !strings.Contains(text, "--accept-gap") {
		c.t.Errorf("a gap ended with code %d: %s", code, text)
	}
	if n := ask[uint64](c.world, "SELECT count() FROM DB.ledger WHERE mark = 1"); n != before {
		c.t.Errorf("%d parts were written beyond a gap", n-before)
	}
	c.assay("ingest", "--until-end", "--accept-gap")
	if n := ask[uint64](c.world, "SELECT sum(arraySum(gap)) FROM DB.ledger WHERE mark = 1"); n != uint64(lost) {
		c.t.Errorf("a gap of %d offsets is stored, want %d", n, lost)
	}
	c.add("records deleted before they were read", lost)
}

// compacted has the broker compact records that nobody has read: of each key only
// the last one stays, and the offsets between have no record.
func (c *chaos) compacted() {
	before := ask[uint64](c.world, "SELECT sum(arraySum(norecord)) FROM DB.ledger WHERE mark = 1")
	starts := c.ends(exposures, outcomes)
	set := func(name, value string) kadm.AlterConfig {
		return kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value}
	}
	_, err := c.admin.AlterTopicConfigs(c.t.Context(), []kadm.AlterConfig{
		set("cleanup.policy", "compact"), set("segment.ms", "100"), set("min.cleanable.dirty.ratio", "0.0"), set("max.compaction.lag.ms", "100"),
	}, outcomes)
	if err != nil {
		c.t.Fatal(err)
	}
	b := &babble{Rand: c.rand(90), units: 50, until: time.Now().UnixMilli(), named: true}
	kept := slices.Clone(c.log)
	var left []*kgo.Record
	sent := 0
	// The newest segment is never compacted: records make a new one.
	await(c.t, time.Minute, func() string { return fmt.Sprintf("%d of %d records left", len(left), sent) }, func() bool {
		c.produce(b.batch(200)...)
		sent += 200
		<-time.After(150 * time.Millisecond)
		left = c.since(starts)
		return len(left) < sent-150
	})
	_, err = c.admin.AlterTopicConfigs(c.t.Context(), []kadm.AlterConfig{set("cleanup.policy", "delete")}, outcomes)
	if err != nil {
		c.t.Fatal(err)
	}
	// The cleaner may be at work on a last segment, and ends with its broker.
	id := c.leader()
	c.cluster.Stop(id)
	if err := c.cluster.Restart(id); err != nil {
		c.t.Fatal(err)
	}
	c.together()
	left = c.since(starts)
	c.assay("ingest", "--until-end")
	c.log = slices.Concat(kept, left)
	if n := ask[uint64](c.world, "SELECT sum(arraySum(norecord)) FROM DB.ledger WHERE mark = 1") - before; n != uint64(sent-len(left)) {
		c.t.Errorf("%d offsets without a record, want the %d that were compacted", n, sent-len(left))
	}
	c.add("records compacted", sent-len(left))
}

// ends are where the topics end now.
func (c *chaos) ends(topics ...string) kadm.Offsets {
	c.t.Helper()
	ends, err := c.admin.ListEndOffsets(c.t.Context(), topics...)
	if err != nil {
		c.t.Fatal(err)
	}
	return ends.Offsets()
}

// since reads what there is from some offsets to the ends.
func (c *chaos) since(from kadm.Offsets) (all []*kgo.Record) {
	c.t.Helper()
	left := 0
	to := c.ends(slices.Collect(maps.Keys(from))...)
	from.Each(func(o kadm.Offset) {
		if end, _ := to.Lookup(o.Topic, o.Partition); end.At > o.At {
			left++
		}
	})
	reader, err := kgo.NewClient(kgo.SeedBrokers(c.world.brokers...), kgo.ConsumePartitions(from.KOffsets()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		c.t.Fatal(err)
	}
	defer reader.Close()
	for left > 0 {
		fetches := reader.PollFetches(c.t.Context())
		if err := fetches.Err(); err != nil {
			c.t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			end, _ := to.Lookup(r.Topic, r.Partition)
			if r.Offset < end.At {
				all = append(all, r)
			}
			if r.Offset == end.At-1 { // the newest record is never compacted
				left--
			}
		}
	}
	return all
}
