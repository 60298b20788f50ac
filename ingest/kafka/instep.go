package kafka

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// patience is how long a topic is waited for that is behind the others and should
// have more. What the broker says of its end may hide that nothing can be read:
// holes up to it, say.
const patience = time.Second

// lane is one topic of a shard on its way to the join.
type lane struct {
	head kgo.Fetches   // what was fetched and comes next; nil: nothing has come
	free chan struct{} // holds a token while there is no head
	from int64         // time of the head's first record
	to   int64         // time of the last record that came
	more bool          // the log goes on after that record
}

// arrival is what came for a lane.
type arrival struct {
	lane    int
	fetches kgo.Fetches
}

// readInStep hands what is fetched to out until the context ends (nil) or a log cannot
// be read on from where we were.
//
// The topics are read in step: what has the older Kafka timestamp comes first, as
// far as fetches are in order. No number depends on it. But a shard that catches up
// would otherwise read one topic far ahead of the others, hold the units of hours in
// memory until their outcomes come, or evict them before and read them back.
func (l *life) readInStep(ctx context.Context, clients []*kgo.Client, out chan<- kgo.Fetches) error {
	defer close(out)
	group, ctx := errgroup.WithContext(ctx)
	lanes := newLanes(len(clients))
	arrivals := make(chan arrival)
	for i, client := range clients {
		group.Go(func() error { return l.poll(ctx, client, i, lanes[i].free, arrivals) })
	}
	group.Go(func() error {
		merge(ctx, lanes, arrivals, out)
		return nil
	})
	return group.Wait()
}

func newLanes(n int) []lane {
	lanes := make([]lane, n)
	for i := range lanes {
		lanes[i] = lane{free: make(chan struct{}, 1), to: math.MinInt64}
		lanes[i].free <- struct{}{}
	}
	return lanes
}

// poll fetches one lane, and goes on when its head has gone.
func (l *life) poll(ctx context.Context, client *kgo.Client, lane int, free <-chan struct{}, out chan<- arrival) error {
	for {
		began := l.s.c.cfg.Now()
		fetches := client.PollRecords(ctx, min(pollSize, l.s.c.cfg.Batch.Records, l.s.c.cfg.Batch.Rows))
		if done(ctx) || fetches.IsClientClosed() {
			return nil
		}
		if err := errors.Join(fetchError(fetches), l.sameTopics(fetches)); err != nil {
			return err
		}
		l.s.c.observe(Consume, began, fetches.NumRecords())
		select {
		case <-free:
		case <-ctx.Done():
			return nil
		}
		select {
		case out <- arrival{lane, fetches}:
		case <-ctx.Done():
			return nil
		}
	}
}

// done says whether reading is over, which is no error.
func done(ctx context.Context) bool { return ctx.Err() != nil }

// merge hands on the oldest head, again and again.
func merge(ctx context.Context, lanes []lane, in <-chan arrival, out chan<- kgo.Fetches) {
	for {
		first := oldest(lanes)
		var next kgo.Fetches
		var ready chan<- kgo.Fetches // nil while something older should come
		var late <-chan time.Time
		switch {
		case first == nil:
		case awaited(lanes, first.from):
			late = time.After(patience)
		default:
			ready, next = out, first.head
		}
		select {
		case <-ctx.Done():
			return
		case a := <-in:
			lanes[a.lane].take(a.fetches)
		case ready <- next:
			first.head = nil
			first.free <- struct{}{}
		case <-late:
			for i := range lanes {
				lanes[i].more = lanes[i].more && lanes[i].head != nil
			}
		}
	}
}

// oldest is the lane with the oldest head, nil when there is none.
func oldest(lanes []lane) (first *lane) {
	for i := range lanes {
		if l := &lanes[i]; l.head != nil && (first == nil || l.from < first.from) {
			first = l
		}
	}
	return first
}

// awaited tells whether a lane without head should get one that is older.
func awaited(lanes []lane, from int64) bool {
	for i := range lanes {
		if l := &lanes[i]; l.head == nil && l.more && l.to < from {
			return true
		}
	}
	return false
}

// take makes fetches the head.
func (l *lane) take(fetches kgo.Fetches) {
	l.head, l.more = fetches, false
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if n := len(p.Records); n > 0 {
			l.from, l.to = p.Records[0].Timestamp.UnixMilli(), p.Records[n-1].Timestamp.UnixMilli()
			l.more = p.LastStableOffset > p.Records[n-1].Offset+1
		}
	})
}
