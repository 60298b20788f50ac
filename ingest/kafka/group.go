package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"
)

// A member that died without a word keeps its shards until its session ends, and
// for so long nobody counts them. The session is the shortest that brokers allow
// by default: a member that is declared dead and is not does no harm, since the
// ledger takes each part once.
const (
	sessionTimeout = 6 * time.Second
	heartbeatEvery = 1500 * time.Millisecond
	// rebalanceTimeout is how long the group waits for a member that does not come
	// to a rebalance, and how long a member that ends may have to wait with it. It is
	// above the time in which shards are given up.
	rebalanceTimeout = 15 * time.Second
)

// runGroup takes the shards that the group hands out.
//
// The group's only topic is the lead topic: balancers do not give the same
// partition of two topics to one member. It is paused, so that membership is all
// that this client does.
func (c *Consumer) runGroup(ctx context.Context) error {
	lead := c.cfg.Topics[0].Name
	assigned := func(_ context.Context, _ *kgo.Client, got map[string][]int32) { c.take(ctx, got[lead]) }
	gone := func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { c.giveUp(lost[lead]) }
	member, err := c.cfg.client(
		kgo.ConsumerGroup(c.cfg.Group),
		kgo.ConsumeTopics(lead),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeatEvery),
		kgo.RebalanceTimeout(max(rebalanceTimeout, c.cfg.StopTimeout+rebalanceTimeout/3)),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(assigned),
		kgo.OnPartitionsRevoked(gone),
		kgo.OnPartitionsLost(gone),
	)
	if err != nil {
		return err
	}
	member.PauseFetchTopics(lead)
	var polling errgroup.Group
	polling.Go(func() error { c.pollMember(ctx, member); return nil })
	polling.Go(func() error { every(ctx, c.cfg.StatusEvery, func() { c.commitLag(ctx, member) }); return nil })
	<-ctx.Done()
	// Closing leaves the group, which gives up the shards first.
	member.Close()
	c.giveUpAll()
	return polling.Wait()
}

// pollMember takes the group's errors out of the client. There are no records.
func (c *Consumer) pollMember(ctx context.Context, member *kgo.Client) {
	for ctx.Err() == nil {
		fetches := member.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			if !errors.Is(err, context.Canceled) {
				c.log.Warn("group membership", "topic", topic, "partition", partition, "error", err)
			}
		})
	}
}

func (c *Consumer) giveUpAll() {
	var all []int32
	for _, s := range c.owned() {
		all = append(all, int32(s.id))
	}
	c.giveUp(all)
}

// commitLag tells Kafka how far the shards are, for whoever looks at lag there.
// A committed offset never passes a record whose effect is not durable.
//
// The request is our own, because the client's commit waits for a rebalance that
// is going on, and covers nothing but the topics of the subscription.
func (c *Consumer) commitLag(ctx context.Context, member *kgo.Client) {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = c.cfg.Group
	req.MemberID, req.Generation = member.GroupMetadata()
	topics := map[string]*kmsg.OffsetCommitRequestTopic{}
	for _, s := range c.owned() {
		for name, next := range s.progress.durable() {
			if topics[name] == nil {
				topic := kmsg.NewOffsetCommitRequestTopic()
				topic.Topic = name
				topic.TopicID, _ = s.progress.reads(name)
				topics[name] = &topic
			}
			partition := kmsg.NewOffsetCommitRequestTopicPartition()
			partition.Partition, partition.Offset = int32(s.id), next
			topics[name].Partitions = append(topics[name].Partitions, partition)
		}
	}
	for _, topic := range topics {
		req.Topics = append(req.Topics, *topic)
	}
	if req.Generation < 0 || len(req.Topics) == 0 {
		return
	}
	if _, err := req.RequestWith(ctx, member); err != nil && ctx.Err() == nil {
		c.log.Debug("lag not committed", "error", err)
	}
}
